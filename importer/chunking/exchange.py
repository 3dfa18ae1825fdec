"""Grow one conversation's open exchange by texts, and give its closed pieces and outgrown forms (pure).

A person's text begins an exchange, all other texts belong to it. What stands open is one piece, the last; all
before it are closed and never change. Its id comes from its text, so a form that closes as it stood keeps its id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from importer.chunking.ids import chunk_id
from importer.chunking.lead import lead
from importer.chunking.metadata import About, add_text, begin, metadata, short, speakers
from importer.chunking.split import PROMPT_CHARS, Cutting, Rest, append, first_line
from importer.protocol.records import Chunk, Turn

FIRST_LINE, SAYING_LINE = 0, 1  # of a prompt, which its later pieces begin with: former versions knew the first alone


@dataclass(frozen=True, slots=True)
class Origin:
    """Where turns come from: the format's name and the name of the machine."""

    source: str
    host: str


class Stream(msgspec.Struct, frozen=True, omit_defaults=True):
    """The open exchange of one conversation; a subagent's is a stream of its own beside the main one.

    `rest` is the text of the open chunk, `ordinal` its number, `surfaced` its id if it was given out to be stored.
    Without an `anchor` nothing was said yet; `about` may already know of tools that were used.
    """

    conversation: str
    agent: str = ""
    anchor: str = ""
    prompt: str = ""
    ordinal: int = 0
    rest: Rest = Rest()
    about: About = About()
    surfaced: str = ""


class Grown(NamedTuple):
    """A stream after a text: the chunks the text closed, and the id of the open form it replaced ("" for none)."""

    stream: Stream
    chunks: tuple[Chunk, ...]
    outgrown: str = ""


def said(stream: Stream, turn: Turn, text: str, cutting: Cutting, origin: Origin, *, leads: int = SAYING_LINE) -> Grown:
    """Add a stripped text to the open exchange; a person's text closes that exchange and begins the next one."""
    if turn.role == "user" or not stream.anchor:
        closed, stream = close(stream, origin), _next(stream, turn, text, leads)
        by_person = turn.role == "user" and turn.facts.kind != "subagent"  # a subagent is asked by an assistant
        grown = _grow(stream, add_text(stream.about, turn), text, cutting, origin, by_person=by_person)
        return grown._replace(chunks=closed + grown.chunks)
    return _grow(stream, add_text(stream.about, turn), text, cutting, origin)


def standalone(turn: Turn, text: str, cutting: Cutting, origin: Origin) -> tuple[Chunk, ...]:
    """Return the chunks of a text that is an exchange of its own, such as a summary: all closed at once."""
    alone = Stream(short(turn.conversation_id), anchor=_anchor(turn), about=begin(About(), turn))
    grown = _grow(alone, add_text(alone.about, turn), text, cutting, origin)
    return grown.chunks + close(grown.stream, origin)


def fit(stream: Stream, cutting: Cutting, origin: Origin) -> Grown:
    """Cut what stands open where it is longer than a piece may be, as after a change of the size in the settings."""
    return _grow(stream, stream.about, "", cutting, origin)


def close(stream: Stream, origin: Origin) -> tuple[Chunk, ...]:
    """Close the open chunk as it is: it keeps its id, so nothing is embedded again."""
    return (open_chunk(stream, "", origin),) if stream.rest.text else ()


def open_chunk(stream: Stream, holder: str, origin: Origin) -> Chunk:
    """Return the open text of a stream as a chunk of `holder`."""
    rest = stream.rest
    return _chunk(stream, rest.text, origin, speakers(rest.asked_chars, rest.lead_chars, len(rest.text)), holder)


def _next(stream: Stream, turn: Turn, text: str, leads: int) -> Stream:
    """Begin a new exchange in the same conversation; tools used before any text was said belong to it."""
    prompted, chosen = turn.role == "user", lead if leads == SAYING_LINE else first_line
    return Stream(
        stream.conversation,
        stream.agent,
        anchor=_anchor(turn),
        prompt=chosen(text, PROMPT_CHARS) if prompted else "",
        about=begin(stream.about, turn, keep_heard=not stream.anchor and not prompted),
    )


def _grow(
    stream: Stream, about: About, text: str, cutting: Cutting, origin: Origin, *, by_person: bool = False
) -> Grown:
    """Add a text, `about` being known with it. A piece that holds nothing of it says what was known before it came."""
    before = stream.rest.text
    pieces, rest = append(stream.rest, text, stream.prompt, cutting, by_person=by_person)
    if rest.text == before:
        return Grown(stream, ())
    chunks = tuple(
        _chunk(
            replace(stream, ordinal=ordinal, about=about if piece.fresh else stream.about),
            piece.document,
            origin,
            speakers(piece.asked_chars, piece.lead_chars, len(piece.document)),
        )
        for ordinal, piece in enumerate(pieces, stream.ordinal)
    )
    grown = replace(stream, ordinal=stream.ordinal + len(pieces), rest=rest, about=about, surfaced="")
    # closed as it stood, it has the same id, and the closed point needs no release
    closes_unchanged = bool(pieces) and pieces[0].document == before
    return Grown(grown, chunks, _id(stream, before, origin) if before and not closes_unchanged else "")


def known(stream: Stream, origin: Origin) -> dict[str, Any]:
    """Return the metadata that a chunk of the stream has now."""
    return metadata(stream.about, stream.conversation, stream.ordinal, origin.source, origin.host)


def _chunk(stream: Stream, text: str, origin: Origin, said_by: dict[str, Any], holder: str = "") -> Chunk:
    return Chunk(_id(stream, text, origin), text, {**known(stream, origin), **said_by}, holder)


def _id(stream: Stream, text: str, origin: Origin) -> str:
    """Neither conversation nor file stands in it: copies of an exchange are the same points."""
    return chunk_id(origin.source, stream.anchor, stream.ordinal, text)


def _anchor(turn: Turn) -> str:
    """Return the key that survives copying, or the turn's own id where there is none."""
    return short(turn.key or turn.turn_id)
