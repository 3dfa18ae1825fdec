"""Mask what is stored as today's redaction masks what is read: text that an older version did not know for a secret.

An id is that of the masked text, so what a file gives today has another id. An exchange with a secret in it that a file
still gives is therefore imported again as the file gives it, and its other points are deleted: an import or `verify`
finds exactly what it expects. What stands in no file any more is masked where it is, and keeps its id.

Files whose open end holds a secret are read again by the next import; until then their open text is not remembered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import msgspec

from importer.chunking import fold
from importer.chunking.exchange import Origin
from importer.chunking.redact import find, mask, mask_conversation, mask_facts
from importer.consistency.hands import Erased, Exposed, Hands
from importer.consistency.refold import Refold, Unread, known_files
from importer.protocol import failpoints
from importer.protocol.projects import last_part
from importer.protocol.records import Checkpoint, Chunk, Facts
from importer.reading import silence
from importer.reading.pipeline import ResumeState
from importer.state import erasure

REDACT = "redact"  # the kind of the task
MEND_CHUNKS = 64
NAMES = ("title", "project", "cwd", "git_branch")
Exchange = tuple[str, str, str]
Stored = Mapping[str, Any]
_states = msgspec.json.Decoder(ResumeState)


def task() -> dict[str, str]:
    """Return the task that masks what is stored."""
    return {"kind": REDACT}


async def look(hands: Hands) -> Exposed:
    """Count what would be masked; nothing is changed."""
    found = Exposed()
    async for page in _pages(hands):
        for point in page:
            if is_exposed(point):
                found.points += 1
                found.kinds.update(span.kind for text in _texts(point) for span in find(text))
    return found


async def carry_out(hands: Hands) -> Erased:
    """Mask all that is stored; return what was done. The files of the store are the caller's to scrub."""
    done = Erased()
    exchanges: set[Exchange] = set()
    async for page in _pages(hands):
        exchanges |= {exchange(point["metadata"]) for point in page if is_exposed(point)}
    given = await _import_again(hands, exchanges) if exchanges else {}
    failpoints.hit("erase.mended")
    async for page in _pages(hands):
        over = [one["id"] for one in page if _outdated(one, given)]
        if over:
            done.replaced += int(await hands.ask("erase_ids", ids=over))
        # What a file gives stands as it gives it: a piece of a text may look like a secret where the whole does not.
        alone = [one for one in page if exchange(one["metadata"]) not in given]
        stays = [new for one in alone if (new := masked(one)) != one]
        for first in range(0, len(stays), MEND_CHUNKS):
            done.masked += int(await hands.ask("remask", points=stays[first : first + MEND_CHUNKS]))
    done.files = await hands.settle(lambda: _mask_state(hands))
    return done


def exchange(metadata: Mapping[str, Any]) -> Exchange:
    """Return what tells an exchange in files and store alike."""
    source, conversation, message = (str(metadata.get(key, "")) for key in ("source", "conversation_id", "message_id"))
    return source, conversation, message


def masked(point: Stored) -> dict[str, Any]:
    """Return a point as it would be stored today; an equal one when no secret is in it."""
    voices = {name: masked_metadata(voice) for name, voice in point["voices"].items()}
    text, metadata = mask(point["document"]), masked_metadata(point["metadata"])
    if text != point["document"] and (asked := metadata.get("asked_chars")):
        metadata["asked_chars"] = min(len(text), len(mask(point["document"][:asked])))
    return {"id": point["id"], "document": text, "metadata": metadata, "voices": voices}


def is_exposed(point: Stored) -> bool:
    """Return True if anything of a point would be masked today."""
    return masked(point) != point


def masked_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata with title, names and files masked as those of a turn are."""
    title, project, cwd, branch = (str(metadata.get(name, "")) for name in NAMES)
    files = tuple(map(str, metadata.get("files", ())))
    known = Facts(title=title, project=project, cwd=cwd, git_branch=branch, files=files)
    now = mask_facts(known)
    news: dict[str, Any] = {name: getattr(now, name) for name in NAMES if getattr(now, name) != getattr(known, name)}
    if "project" in news:
        news["project_name"] = last_part(now.project)
    if now.files != files:
        news["files"] = list(now.files)
    return {**metadata, **news}


def _outdated(point: Stored, given: Mapping[Exchange, set[str]]) -> bool:
    """Return True for a point of an exchange that a file gives, if it is none of what the file gives."""
    ids = given.get(exchange(point["metadata"]))
    return ids is not None and point["id"] not in ids


def _texts(point: Stored) -> Iterator[str]:
    """Yield the texts of a point in which any secret is masked."""
    yield point["document"]
    yield str(point["metadata"].get("title", ""))


async def _pages(hands: Hands) -> AsyncIterator[list[dict[str, Any]]]:
    """Give every stored point, a page at a time."""
    after: str | None = None
    while True:
        page = await hands.ask("documents", after=after)
        yield list(page["points"])
        after = page["next"]
        if after is None:
            return


async def _import_again(hands: Hands, wanted: set[Exchange]) -> dict[Exchange, set[str]]:
    """Import these exchanges as their files give them today; return the ids that each has there."""
    given: dict[Exchange, set[str]] = defaultdict(set)
    sources = {source for source, _, _ in wanted}
    for _, checkpoint in known_files(hands.checkpoints):
        if checkpoint.format not in sources:
            continue
        try:
            for chunks in Refold(checkpoint, hands.reading, hands.checkpoints.conversation):
                fitting = [chunk for chunk in chunks if exchange(chunk.metadata) in wanted]
                for chunk in fitting:
                    given[exchange(chunk.metadata)].add(chunk.id)
                await _mend(hands, fitting)
        except Unread as error:
            hands.unread(checkpoint.path, error)
    return dict(given)


async def _mend(hands: Hands, chunks: Sequence[Chunk]) -> None:
    """Have chunks imported, those that are stored already with the metadata that they have now."""
    for first in range(0, len(chunks), MEND_CHUNKS):
        some = [asdict(chunk) for chunk in chunks[first : first + MEND_CHUNKS]]
        await hands.ask("mend", chunks=some, over=[chunk["id"] for chunk in some])


def _mask_state(hands: Hands) -> int:
    """Mask what the state keeps; return how many files are read again, as their open ends are not remembered."""
    checkpoints = hands.checkpoints
    opened = {number: known for number, known in known_files(checkpoints) if _keeps_secret(known)}
    contexts = {number: _emptied(known, hands.reading.host) for number, known in opened.items()}
    erasure.silence(checkpoints, erasure.Silenced(contexts))
    erasure.mask(checkpoints, mask, mask_conversation)
    checkpoints.reread([known.path for known in opened.values() if known.path])
    return len(opened)


def _keeps_secret(checkpoint: Checkpoint) -> bool:
    """Return True if a text that a checkpoint remembers has a secret in it."""
    if not checkpoint.context:
        return False
    state = _states.decode(checkpoint.context)
    said = (text for s in state.fold.streams for text in (s.rest.text, s.prompt, s.about.title))
    return any(mask(text) != text for text in (*said, *silence.texts(msgspec.json.decode(state.parse))))


def _emptied(checkpoint: Checkpoint, host: str) -> bytes:
    """Return a context without texts, with what a new reading of the file must know."""
    state = _states.decode(checkpoint.context)
    folding = fold.silenced(state.fold, lambda _metadata: True, Origin(checkpoint.format, host))
    parse = msgspec.json.encode(silence.without_texts(msgspec.json.decode(state.parse)))
    return msgspec.json.encode(ResumeState(msgspec.Raw(parse), folding, state.unpacked))
