"""Erase what was forgotten: out of the state's texts, the store, the store's files and the state's file, in this order.

Each step is found again by doing all of them again, so a kill at any place costs time and nothing else:

    silence     texts in checkpoints, titles and samples of lines; while the points still tell which conversations
    delete      the points that the rule means
    scrub       the store's files, of what was deleted in them
    wipe        the state's file, and those set aside
    strike out  the task itself
"""

from __future__ import annotations

import asyncio
import glob
import os
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from importer import log
from importer.chunking import fold
from importer.chunking.exchange import Origin
from importer.consistency import baseline, forget, redact_stored
from importer.consistency.forget import ForgetRule
from importer.consistency.hands import Erased, Hands
from importer.consistency.refold import Refold, Unread, known_files
from importer.protocol import failpoints
from importer.protocol.projects import last_part
from importer.protocol.records import Checkpoint
from importer.reading import silence
from importer.reading.pipeline import ResumeState
from importer.sources import archives
from importer.sources.databases import tables
from importer.state import erasure
from importer.state.checkpoints import Checkpoints
from importer.state.erasure import Silenced
from importer.state.spoken import Spoken

PAGE_IDS = 500
LEFT_BEHIND = ("answerer*.log*", "last-search.json*")  # files of the state's folder that may hold texts
FORGET = "forget"  # the kind of a task that carries out a rule

_states = msgspec.json.Decoder(ResumeState)


@dataclass(frozen=True, slots=True)
class Meant:
    """A page of what a rule means: ids (none where the store filters by itself), and the conversations they name."""

    ids: Sequence[str]
    conversations: frozenset[str]


def task_of(rule: ForgetRule) -> dict[str, str]:
    """Return the task that carries out a rule."""
    return {"kind": FORGET, **rule.named}


async def finish(hands: Hands) -> Erased:
    """Do all that was begun and is not done, of this command and of those that were killed."""
    done = Erased()
    for task in erasure.tasks(hands.checkpoints):
        if task["kind"] == redact_stored.REDACT:
            done.add(await redact_stored.carry_out(hands))
        else:
            rule = msgspec.convert({name: value for name, value in task.items() if name != "kind"}, ForgetRule)
            done.deleted += await _carry_out(hands, rule)
        failpoints.hit("erase.deleted")
    if erasure.tasks(hands.checkpoints):
        done.left = list(await hands.ask("scrub"))
        failpoints.hit("erase.scrubbed")
        await hands.settle(lambda: _wipe(hands.checkpoints))
    return done


async def count(hands: Hands, rule: ForgetRule) -> int:
    """Return how many points a rule means: those in the store, or with a path those that the files give, once each."""
    if rule.path:
        return len({point async for page in _pages(hands, rule) for point in page.ids})
    return int(await hands.ask("tally", **rule.scope()))


async def _carry_out(hands: Hands, rule: ForgetRule) -> int:
    """Silence the state, then delete the points of one rule; return how many."""
    names = frozenset().union(*[page.conversations async for page in _pages(hands, rule)])
    whole = [(rule.source, name) for name in sorted(names) if rule.path or await _whole(hands, rule, name)]
    await hands.settle(lambda: erasure.silence(hands.checkpoints, _silenced(hands, whole)))
    failpoints.hit("erase.silenced")
    if not rule.path:
        return int(await hands.ask("erase", **rule.scope()))
    deleted = 0
    async for page in _pages(hands, rule):
        deleted += await hands.ask("erase_ids", ids=list(page.ids))
    return deleted


async def _whole(hands: Hands, rule: ForgetRule, conversation: str) -> bool:
    """Return True if the rule means all that is stored of a conversation."""
    of_both = {**rule.scope(), "conversation": conversation}
    alone = {"conversation": conversation, "source": rule.source}
    return bool(await hands.ask("tally", **of_both) == await hands.ask("tally", **alone))


async def _pages(hands: Hands, rule: ForgetRule) -> AsyncIterator[Meant]:
    """Give what a rule means a page at a time, from the store or, with a path, from the files."""
    if rule.path:
        async for page in _folded(hands, rule):
            yield page
        return
    after: str | None = None
    while True:
        page = await hands.ask("named", after=after, **rule.scope())
        yield Meant((), frozenset(page["names"]))
        after = page["next"]
        if after is None:
            return


async def _folded(hands: Hands, rule: ForgetRule) -> AsyncIterator[Meant]:
    """Give what the files of a rule say, by folding them again: no payload holds a path.

    Files that are gone cannot be folded: their points are found by project, conversation or time only.
    """
    reading = forget.without_rules(hands.reading)
    for _, checkpoint in known_files(hands.checkpoints):
        if not ForgetRule(path=rule.path).covers(checkpoint.path, {}):
            continue
        try:
            for chunks in Refold(checkpoint, reading, hands.checkpoints.conversation):
                await asyncio.sleep(0)  # others may ask meanwhile
                meant = [chunk for chunk in chunks if rule.covers(checkpoint.path, chunk.metadata)]
                for first in range(0, len(meant), PAGE_IDS):
                    some = meant[first : first + PAGE_IDS]
                    names = frozenset(str(chunk.metadata.get("conversation_id", "")) for chunk in some)
                    yield Meant([chunk.id for chunk in some], names)
        except Unread as error:
            hands.unread(checkpoint.path, error)


def _silenced(hands: Hands, whole: Sequence[tuple[str, str]]) -> Silenced:
    """Return what is to be blanked in the state by all rules that stand; `whole` conversations are told nothing of."""
    checkpoints, forgotten = hands.checkpoints, forget.predicate(hands.checkpoints)
    contexts, paths, names = {}, [], set(whole)
    for number, checkpoint in known_files(checkpoints):
        theirs = [name for source, name in whole if source in ("", checkpoint.format)]
        context, named = silent_context(checkpoint, hands.reading.host, forgotten, theirs)
        if context != checkpoint.context:
            contexts[number] = context
        if named or forgotten(checkpoint.path, {}):
            paths.append(checkpoint.path)
        names |= {(checkpoint.format, name) for name in named}
    known = erasure.conversations_of(checkpoints)
    names |= {(source, one.conversation_id) for source, one in known if _told(source, one, forgotten)}
    spoken = checkpoints.spoken.newest_first
    ended = {(one.source, one.conversation) for one in spoken() if _spoken(one, one.last, forgotten)}
    begun = {(one.source, one.conversation) for one in spoken() if _spoken(one, one.first, forgotten)}
    return Silenced(contexts, paths, sorted(names | ended), sorted(begun - ended - names))


def _spoken(one: Spoken, at: str, forgotten: forget.Forgotten) -> bool:
    """Return True if what was said in a conversation at a time is forgotten."""
    known = {"source": one.source, "conversation_id": one.conversation, "project": one.project, "timestamp": at}
    return forgotten(one.path, {**known, "project_name": last_part(one.project)})


def _told(source: str, facts: Any, forgotten: forget.Forgotten) -> bool:
    """Return True if a whole conversation is forgotten by what is known of it."""
    return forgotten(b"", silence.identity(facts, source))


def silent_context(
    checkpoint: Checkpoint, host: str, forgotten: forget.Forgotten, whole: Collection[str] = ()
) -> tuple[bytes, set[str]]:
    """Return a checkpoint's context without forgotten texts, and the conversations in it that are forgotten.

    `whole` are conversations of which nothing is left, as all that was said in them is older than a rule's time.
    """
    if not checkpoint.context:
        return b"", set()
    state, origin = _states.decode(checkpoint.context), Origin(checkpoint.format, host)

    def judged(metadata: Any) -> bool:
        return metadata.get("conversation_id") in whole or forgotten(checkpoint.path, metadata)

    names = silence.conversations(state.fold, judged, origin)
    names |= {stream.conversation for stream in state.fold.streams} & {*whole}
    folding, parse = fold.silenced(state.fold, judged, origin), state.parse
    if names and state.fold.streams[-1].conversation in names:
        parse = msgspec.Raw(msgspec.json.encode(silence.without_texts(msgspec.json.decode(parse))))
    if folding is state.fold and parse is state.parse:
        return checkpoint.context, names
    return msgspec.json.encode(ResumeState(parse, folding, state.unpacked)), names


def _wipe(checkpoints: Checkpoints) -> None:
    """Write the state's file anew, then strike all tasks out: nothing of them is left.

    What was copied or unpacked to be read is let go of: copies of assistants' databases stand in the state's folder.
    """
    archives.KNOWN.release()
    tables.KNOWN.release()
    dropped = [*erasure.wipe(checkpoints), *_drop_logs(erasure.folder(checkpoints))]
    if dropped:
        log.logger().info("state.leftovers_deleted", paths=dropped, reason="they may hold what was forgotten")
    failpoints.hit("erase.wiped")
    baseline.settle_size(checkpoints)
    for task in erasure.tasks(checkpoints):
        erasure.strike_out(checkpoints, task)


def _drop_logs(folder: str) -> list[str]:
    """Delete the answerer's logs and the hits of the last search; return the paths.

    It does not run while we have the state.
    """
    found = [path for name in LEFT_BEHIND for path in glob.glob(os.path.join(glob.escape(folder), name))]
    for path in found:
        os.unlink(path)
    return found


def described(done: Erased) -> dict[str, Any]:
    """Return the result as it goes over the control socket."""
    return asdict(done)
