"""Fold turns into chunks (pure): a prompt and the texts that answer it become pieces with ids that stay.

What it must remember is a `Folding`, small JSON for the checkpoint, so reading goes on mid-exchange after a restart:

    Step = feed(folding, turn, cutting, origin)     each turn: the chunks it closes, the open form it outgrows
    Step = surface(folding, origin)                 the end of a slice: what stands open is to be stored too

A **closed** chunk never changes. The **open** one at the end of a conversation is stored with a `holder`. Whenever it
grows, the form it had before is released, whether or not that form was ever given out. So a form that was stored by a
batch whose checkpoint was lost in a crash is let go of when its lines are read again, and the store ends with what the
turns say however they arrived; releasing what is not there does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from importer.chunking.exchange import (
    FIRST_LINE,
    SAYING_LINE,
    Grown,
    Origin,
    Stream,
    close,
    fit,
    known,
    open_chunk,
    said,
    standalone,
)
from importer.chunking.ids import RING_CHARS, ring_key
from importer.chunking.metadata import add_facts, short
from importer.chunking.split import Cutting, Rest, plain
from importer.protocol.records import STANDALONE_KINDS, Chunk, Release, Turn, holder

__all__ = [
    "FIRST_LINE",
    "SAYING_LINE",
    "Cutting",
    "Folding",
    "Origin",
    "Step",
    "Stream",
    "begin",
    "feed",
    "open_ids",
    "restart",
    "silenced",
    "succeed",
    "surface",
    "unsure",
]

UNSAID: dict[str, Any] = {"title": "", "git_branch": "", "agent": "", "tools": (), "files": ()}  # of what is forgotten
MAX_STREAMS = 4  # conversations remembered: one in a file is the rule, resumed copies hold two
RING_KEYS = 128  # turns remembered for de-duplication: replays after a compaction repeat fewer
MAX_LEFT = 8  # conversations of earlier generations: `verify` must not take what they said for a mistake
MAX_FORMER = 4  # open chunks of the generation before that wait for the new one to be read
ABOUT_BYTES = 7000  # what all streams may take beside one open text (6 bytes of JSON a character at worst)


class Folding(msgspec.Struct, frozen=True, omit_defaults=True):
    """The state of the fold between two turns: JSON below 16 KiB at the default size, for any turns.

    `streams` are the open exchanges, the one fed last at the end; `ring` holds the keys of the last turns. `mark` tells
    this file's holders from those of other files with the same conversation (copies), and should stay the same for
    as long as the file is known. `former` are open chunks of the generation before, `left` the conversations that
    earlier generations were in, or other files with the same inode: what they said is in the store, and in no file.
    `unmet` are the anchors of the exchanges of `former` that the new generation has not come by, where those that it
    never does are to stay: what was said stays said, though its owner has taken it back.
    `leads` tells which line of a prompt its later pieces begin with: that of former versions where they read the file.
    """

    streams: tuple[Stream, ...] = ()
    ring: str = ""
    mark: str = ""
    former: tuple[Release, ...] = ()
    left: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    leads: int = FIRST_LINE


class Step(NamedTuple):
    """The result of one call. `accepted` is False for a turn that was there before."""

    folding: Folding
    chunks: tuple[Chunk, ...] = ()
    releases: tuple[Release, ...] = ()
    accepted: bool = True


def feed(folding: Folding, turn: Turn, cutting: Cutting, origin: Origin) -> Step:
    """Fold one turn: the chunks it closes, and the open form it outgrows. Open chunks are given out by `surface`."""
    text = plain(turn.text)
    key = _ring_key(turn, text)
    if key and key in folding.ring:  # a match that spans two keys is as unlikely as two equal hashes
        return Step(folding, accepted=False)
    folding = replace(folding, ring=(folding.ring + key)[-RING_KEYS * RING_CHARS :])
    if text and turn.facts.kind in STANDALONE_KINDS:
        return Step(folding, standalone(turn, text, cutting, origin))
    if not text and not turn.facts.tools and not turn.facts.files:
        return Step(folding)
    stream, others = _take(folding.streams, turn)
    if not text:
        return _settle(folding, (*others, replace(stream, about=add_facts(stream.about, turn.facts))), cutting, origin)
    grown = said(stream, turn, text, cutting, origin, leads=folding.leads)
    if grown.stream.anchor in folding.unmet:
        folding = replace(folding, unmet=tuple("" if one == grown.stream.anchor else one for one in folding.unmet))
    step = _settle(folding, (*others, grown.stream), cutting, origin)
    releases = (Release(grown.outgrown, holder(stream.conversation, folding.mark)),) if grown.outgrown else ()
    return Step(step.folding, grown.chunks + step.chunks, releases)


def surface(folding: Folding, cutting: Cutting, origin: Origin, *, at_end: bool = False) -> Step:
    """Give out the open chunks that were not given out in their present form; call it at the end of a slice.

    `at_end`: every line there is was read, so open chunks of a former generation that did not come again are released.
    """
    shown = [_show(stream, folding.mark, cutting, origin) for stream in folding.streams]
    streams = tuple(grown.stream for grown in shown)
    chunks = tuple(chunk for grown in shown for chunk in grown.chunks)
    outgrown = (Release(g.outgrown, holder(g.stream.conversation, folding.mark)) for g in shown if g.outgrown)
    folding = replace(folding, streams=streams)
    if not at_end:
        return Step(folding, chunks, tuple(outgrown))
    # what the new generation gave out again has the same id and holder: it stays
    kept = dict(zip(folding.former, folding.unmet, strict=False))
    over = [former for former in folding.former if former not in _given_out(folding) and not kept.get(former)]
    return Step(replace(folding, former=(), unmet=()), chunks, (*outgrown, *over))


def restart(folding: Folding, *, keeps: bool = False) -> Folding:
    """Begin the fold of a new generation of the same file; it remembers what the old one left open in the store.

    `keeps`: an exchange that the new generation has no more stays in the store.
    """
    open_now = {one: stream.anchor for stream in folding.streams if (one := _open_form(folding, stream)) is not None}
    former = _former(folding, open_now)
    unmet = tuple(former.values()) if keeps else ()
    return Folding((), "", folding.mark, tuple(former), _left(folding), unmet, folding.leads)


def begin(mark: str, *, former: bool = False) -> Folding:
    """Begin the fold of a file, by the rule of former versions if that is asked for."""
    return Folding(mark=mark, leads=FIRST_LINE if former else SAYING_LINE)


def unsure(folding: Folding, opened: Iterable[Release] = ()) -> Folding:
    """Return a fold that gives its open chunks out again, as the store may not have them any more.

    Until the end of the file they count as open chunks of a former generation, and so do those that were `opened`
    after them: what does not come again goes.
    """
    former = _former(folding, dict.fromkeys((*_given_out(folding), *opened), ""))
    streams = tuple(replace(stream, surfaced="") for stream in folding.streams)
    unmet = tuple(former.values()) if folding.unmet else ()
    return replace(folding, streams=streams, former=tuple(former), unmet=unmet)


def _former(folding: Folding, more: Mapping[Release, str]) -> dict[Release, str]:
    """Return the open chunks that wait for the end of the file, `more` last, with anchors of those that may stay."""
    met = dict.fromkeys(folding.former, "") | dict(zip(folding.former, folding.unmet, strict=False))
    return dict(list({**met, **more}.items())[-MAX_FORMER:])


def succeed(folding: Folding, fresh: Folding) -> Folding:
    """Return the fresh fold of another file that has the inode now: what the deleted one left open stays as it is."""
    return replace(fresh, left=_left(folding))


def silenced(folding: Folding, forgotten: Callable[[Mapping[str, Any]], bool], origin: Origin) -> Folding:
    """Return the fold without what exchanges that were forgotten said and touched; the same object when there are none.

    No chunk of such an exchange is stored, so what its texts were makes no difference any more.
    """
    streams = tuple(_silent(s, forgotten, known(s, origin)) for s in folding.streams)
    return folding if streams == folding.streams else replace(folding, streams=streams)


def _silent(stream: Stream, forgotten: Callable[[Mapping[str, Any]], bool], facts: Mapping[str, Any]) -> Stream:
    """Return a stream without what was forgotten; of a conversation that is forgotten at any time, names as well."""
    about = stream.about
    if about != (nameless := replace(about, **UNSAID)) and forgotten({**facts, "timestamp": ""}):
        return replace(stream, rest=Rest(), prompt="", about=nameless)
    if (stream.rest.text or stream.prompt or about.title) and forgotten(facts):
        return replace(stream, rest=Rest(), prompt="", about=replace(about, title=""))
    return stream


def open_ids(folding: Folding) -> tuple[str, ...]:
    """Return the ids of the chunks that were given out open and have not grown since."""
    return tuple(stream.surfaced for stream in folding.streams if stream.surfaced)


def _left(folding: Folding) -> tuple[str, ...]:
    """Return the conversations to remember when this fold ends: once each, the newest of them."""
    return tuple(dict.fromkeys((*folding.left, *(stream.conversation for stream in folding.streams))))[-MAX_LEFT:]


def _given_out(folding: Folding) -> tuple[Release, ...]:
    """Return the releases of the chunks that stand open in the store because of this file."""
    return tuple(one for stream in folding.streams if (one := _open_form(folding, stream)) is not None)


def _open_form(folding: Folding, stream: Stream) -> Release | None:
    """Return the release of the chunk that stands open for a stream; None without one."""
    return Release(stream.surfaced, holder(stream.conversation, folding.mark)) if stream.surfaced else None


def _show(stream: Stream, mark: str, cutting: Cutting, origin: Origin) -> Grown:
    """Give out a stream's open chunk, unless the store has it, after the chunks that are closed to make it fit."""
    stream, closed, outgrown = fit(stream, cutting, origin)
    if not stream.rest.text:
        return Grown(stream, ())
    chunk = open_chunk(stream, holder(stream.conversation, mark), origin)
    if chunk.id == stream.surfaced:
        return Grown(stream, ())
    return Grown(replace(stream, surfaced=chunk.id), (*closed, chunk), outgrown)


def _settle(folding: Folding, streams: tuple[Stream, ...], cutting: Cutting, origin: Origin) -> Step:
    """Remember the streams; those fed least recently are closed when there are too many or they are too large.

    The one fed last always stays, however large. Closing early loses nothing: what comes later in such a
    conversation begins a new exchange.
    """
    closed: tuple[Chunk, ...] = ()
    limit_bytes = ABOUT_BYTES + 6 * cutting.size_chars
    while len(streams) > 1 and (len(streams) > MAX_STREAMS or _json_bytes(streams) > limit_bytes):
        closed += close(streams[0], origin)
        streams = streams[1:]
    return Step(replace(folding, streams=streams), closed)


def _json_bytes(streams: tuple[Stream, ...]) -> int:
    """Measure streams as JSON, as if all were given out to be stored: it must not depend on when that happened."""
    return len(msgspec.json.encode([replace(stream, surfaced="0" * 36) for stream in streams]))


def _take(streams: tuple[Stream, ...], turn: Turn) -> tuple[Stream, tuple[Stream, ...]]:
    """Find the stream a turn belongs to (a new one where there is none), and return it and the others."""
    conversation, agent = short(turn.conversation_id), _agent(turn)
    for at, stream in enumerate(streams):
        if stream.conversation == conversation and stream.agent == agent:
            return stream, streams[:at] + streams[at + 1 :]
    return Stream(conversation, agent), streams


def _agent(turn: Turn) -> str:
    """Return what tells a subagent's turns from the main conversation's when one file has both; "" for the latter."""
    return short(f"subagent {turn.facts.agent}") if turn.facts.kind == "subagent" else ""


def _ring_key(turn: Turn, text: str) -> str:
    """Return the key of a turn in the ring. Turns without text often share a key; their tools and files differ."""
    if not turn.key:
        return ""
    carried = () if text else (*turn.facts.tools, *turn.facts.files)
    return ring_key(turn.conversation_id, _agent(turn), turn.key, *carried)
