"""Have stored pieces of long exchanges begin with the line of their prompt that says what it is about.

Earlier versions began each piece but the first with the first line of the prompt, even where that says nothing. Ids are
those of texts, so a piece that begins with another line is another point, and what lies behind it is cut at other
places. A file's state tells by which rule it is cut, and until all are moved, files that are new to the state are cut
by the former rule, too: state, store and `verify` agree before and after. One file at a time is moved, while searches
go on:

    fold      the file by both rules, up to where it is committed
    mend      new pieces of the exchanges of which a former one is stored: only texts that are new are embedded
    note      the pieces that stand open, and mend them: what the file says next may outgrow them before the switch
    erase     the former pieces that the file does not give any more
    switch    the file's state, where the file was not read on meanwhile; else it is moved again by the next call

A kill at any place is made good by doing all of it again; what was noted and outgrown is let go of. A file that is not
folded to the same open end, or has a chunk in quarantine, stays as it is and goes on by the former rule; so does what
stands in no file any more.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import msgspec
from msgspec.structs import replace as with_fields

from importer.chunking import fold
from importer.chunking.fold import FIRST_LINE, SAYING_LINE, Folding, Stream
from importer.consistency.hands import Ask, Hands
from importer.consistency.redact_stored import Exchange, exchange
from importer.consistency.refold import Refold, Unread, fold_state, known_files
from importer.errors import ImporterError
from importer.log import logger
from importer.protocol import failpoints
from importer.protocol.records import Checkpoint, Chunk, Commit, Tally
from importer.reading.pipeline import ResumeState
from importer.state.schema import FIRST_LINES

OPENED = "first_lines_opened"  # the fact that notes open pieces: the number of their file, their ids and holders
MEND_CHUNKS = 8  # embedded in one go, so that a search waits for no more
PAGE_IDS = 256
Known = Mapping[str, Sequence[str]]
_states = msgspec.json.Decoder(ResumeState)


class Interrupted(Exception):
    """The file was read on while it was moved, or something else is to be done first."""


@dataclass(slots=True)
class FormerCut:
    """Pieces that continue an exchange, by id, and what the fold remembers at the committed offset."""

    pieces: dict[str, Exchange] = field(default_factory=dict)
    folding: Folding = field(default_factory=Folding)


async def catch_up(hands: Hands, stop: Callable[[], bool] = lambda: False) -> bool:
    """Move what is due, once and for all where nothing hinders it; return True if nothing is left to do. Never raises.

    It ends early once `stop()` is true; what the store or the state refuses now is tried by the next call.
    """
    if not hands.checkpoints.meta(FIRST_LINES):
        return True
    try:
        return await _catch_up(hands, stop)
    except Interrupted:
        return False
    except ImporterError as error:
        logger().debug("leads.not_moved", reason=error.message, then="it is tried again")
        return False


async def _catch_up(hands: Hands, stop: Callable[[], bool]) -> bool:
    """Move every file that can be folded. Raises what worker and state report."""
    erased, tried = 0, set[int]()
    hands = replace(hands, ask=_unless(stop, hands.ask))
    # Until there is none: files that are new to the state are cut by the former rule for as long as the fact stands.
    while due := _due(hands, tried):
        for number in due:
            if stop():
                return False
            tried.add(number)
            try:
                erased += await _move(hands, number)
            except Unread as error:
                logger().debug("leads.file_not_moved", file=number, reason=str(error))
        await _let_go(hands)
    if stop():  # then a file that is new to the state may be in flight
        return False
    hands.checkpoints.drop_facts(FIRST_LINES)
    logger().info("leads.moved", files=len(tried), erased=erased)
    return True


def _unless(stop: Callable[[], bool], ask: Ask) -> Ask:
    """Return a question to the worker that is not asked any more once `stop()` is true: it raises Interrupted then."""

    async def asked(op: str, **arguments: Any) -> Any:
        if stop():
            raise Interrupted
        return await ask(op, **arguments)

    return asked


def _due(hands: Hands, tried: set[int]) -> list[int]:
    """Return the numbers of the files that are cut by the former rule and were not tried yet."""
    aside = _set_aside(hands)
    rows = ((number, one) for number, one in known_files(hands.checkpoints) if number not in tried)
    return [number for number, one in rows if fold_state(one).leads == FIRST_LINE and one.path not in aside]


def _set_aside(hands: Hands) -> set[bytes]:
    """Return the files with a chunk in quarantine: what the embedder could not take once, it is not asked again."""
    paths, after = set[bytes](), 0
    while rows := hands.checkpoints.quarantine.page(after=after):
        after = rows[-1].id
        paths |= {row.reject.path for row in rows if row.reject.chunk_id}
    return paths


async def _move(hands: Hands, number: int) -> int:
    """Move one file; return how many former pieces were erased. Raises Unread and Interrupted."""
    if (checkpoint := hands.checkpoints.by_number(number)) is None:
        return 0
    former = await _cut(hands, checkpoint)
    known = fold_state(checkpoint)
    if not all(map(_same, known.streams, _paired(known, former.folding))):
        raise Unread("its open end is not what was committed")
    now = Refold(checkpoint, hands.reading, hands.checkpoints.conversation, SAYING_LINE)
    over, erased = await _import(hands, number, now, former.pieces), 0
    for page in _pages(over):
        erased += int(await hands.ask("erase_ids", ids=page))
        failpoints.hit("leads.erased")
    await hands.settle(lambda: _switch(hands, number, checkpoint, now.folding))
    failpoints.hit("leads.switched")
    await _let_go(hands)
    return erased


async def _import(hands: Hands, number: int, now: Refold, pieces: Mapping[str, Exchange]) -> list[str]:
    """Import what differs from the former pieces of a file; return the ids of those that it does not give any more."""
    over, opened, names = dict(pieces), list[Chunk](), dict[Exchange, set[str]]()
    for chunks in now:
        await asyncio.sleep(0)  # others may ask meanwhile
        fresh = [chunk for chunk in chunks if over.pop(chunk.id, None) is None and chunk.metadata["chunk"]]
        if fresh and not names:
            names |= await _stored(hands, pieces)
        # Of a copy the former pieces may be gone: they were moved with the other copy.
        unsure = {chunk.id: exchange(chunk.metadata) for chunk in fresh if exchange(chunk.metadata) not in names}
        names |= await _stored(hands, unsure)
        wanted = [chunk for chunk in fresh if exchange(chunk.metadata) in names]
        opened += [chunk for chunk in wanted if chunk.holder]
        await _mend(hands, [_naming(chunk, names) for chunk in wanted if not chunk.holder])
    _note(hands, number, opened)
    await _mend(hands, opened)
    return list(over) if names else []


def _note(hands: Hands, number: int, opened: Sequence[Chunk]) -> None:
    """Note the open pieces of a file that are about to be mended."""
    if opened:
        noted = json.loads(hands.checkpoints.meta(OPENED) or "[]")
        noted += [[number, chunk.id, chunk.holder] for chunk in opened]
        hands.checkpoints.remember(**{OPENED: json.dumps(noted)})


async def _let_go(hands: Hands) -> None:
    """Release the open pieces that were mended for files which did not go on from them."""
    if noted := hands.checkpoints.meta(OPENED):
        over = []
        for number, point, held in json.loads(noted):
            known = hands.checkpoints.by_number(number)
            if known is None or point not in known.open_ids:
                over.append([point, held])
        await hands.ask("mend", chunks=[], releases=over)
        hands.checkpoints.drop_facts(OPENED)


async def _mend(hands: Hands, chunks: Sequence[Chunk]) -> None:
    """Have chunks imported, a few at a time."""
    for page in _pages(chunks, MEND_CHUNKS):
        await hands.ask("mend", chunks=[asdict(chunk) for chunk in page])
        failpoints.hit("leads.mended")


async def _cut(hands: Hands, checkpoint: Checkpoint) -> FormerCut:
    """Fold a file by the former rule."""
    found, read = FormerCut(), Refold(checkpoint, hands.reading, hands.checkpoints.conversation)
    for chunks in read:
        await asyncio.sleep(0)  # others may ask meanwhile
        found.pieces |= {chunk.id: exchange(chunk.metadata) for chunk in chunks if chunk.metadata["chunk"]}
    found.folding = read.folding
    return found


async def _stored(hands: Hands, pieces: Mapping[str, Exchange]) -> dict[Exchange, set[str]]:
    """Return the exchanges of which a piece is stored, with the conversations that the stored ones name."""
    found: dict[Exchange, set[str]] = defaultdict(set)
    for page in _pages(list(pieces)):
        named: Known = await hands.ask("named_by", ids=page)
        for point, names in named.items():
            found[pieces[point]].update(names)
    return dict(found)


def _naming(chunk: Chunk, names: Mapping[Exchange, set[str]]) -> Chunk:
    """Return a closed chunk that names the conversations of its exchange's former pieces beside its own."""
    every = sorted(names[exchange(chunk.metadata)] | {chunk.metadata["conversation_id"]})
    if len(every) == 1:
        return chunk
    return replace(chunk, metadata={**chunk.metadata, "conversations": every})


def _pages(found: Sequence[Any], size: int = PAGE_IDS) -> Iterator[Any]:
    """Yield parts of at most `size`."""
    return (found[first : first + size] for first in range(0, len(found), size))


def _paired(known: Folding, other: Folding) -> list[Stream | None]:
    """Return for each open exchange of a fold the same one in another fold of its file."""
    there = {(one.conversation, one.agent, one.anchor): one for one in other.streams}
    return [there.get((one.conversation, one.agent, one.anchor)) for one in known.streams]


def _same(stream: Stream, other: Stream | None) -> bool:
    """Return True if a fold came to the open end that was committed, or the text of that was forgotten."""
    silent = not (stream.rest.text or stream.prompt)
    return silent or (other is not None and (stream.ordinal, stream.rest.text) == (other.ordinal, other.rest.text))


def _switch(hands: Hands, number: int, checkpoint: Checkpoint, now: Folding) -> None:
    """Have the file go on by the new rule. Raises Interrupted if it was read on since it was folded."""
    if hands.checkpoints.by_number(number) != checkpoint:
        raise Interrupted
    state = _states.decode(checkpoint.context)
    streams = tuple(map(_led, state.fold.streams, _paired(state.fold, now)))
    folding = with_fields(state.fold, streams=streams, leads=SAYING_LINE)
    context = msgspec.json.encode(with_fields(state, fold=folding))
    switched = replace(checkpoint, context=context, open_ids=fold.open_ids(folding))
    hands.checkpoints.commit([Commit(switched, Tally())])


def _led(stream: Stream, other: Stream | None) -> Stream:
    """Return an open exchange with the prompt's line and the cuts of another fold, unless its text was forgotten."""
    if other is None or not (stream.rest.text or stream.prompt):
        return stream
    surfaced = other.surfaced if stream.surfaced else ""
    return with_fields(stream, prompt=other.prompt, ordinal=other.ordinal, rest=other.rest, surfaced=surfaced)
