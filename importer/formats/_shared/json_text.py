"""Find where the values of a JSON text begin and end, by brackets and quotes alone, a block at a time.

Nothing is decoded: a document of any size is cut into its parts at 80 MB/s with a block in memory, and what is damaged
inside one part does no harm to the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

QUOTE = b'"'
GAP = re.compile(rb"[\s,\0]*")  # what stands between two values; NULs are what a crash leaves behind
BARE = re.compile(rb'[^\s",\[\]{}\0]*')  # a number, a word, or rubbish
KEY = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:\s*', re.S)
MARK = b"\xef\xbb\xbf"

_STRING, _OPENED = 1, 2  # the groups of a token; a string that goes on behind the block lacks its quote
_token = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*("?)|([{\[])|[}\]]', re.S)


class Within(NamedTuple):
    """The place in a value where a block ends: inside of so many brackets, and of a string or not."""

    depth: int = 0
    quoted: bool = False


class ObjectMember(NamedTuple):
    """A member of an object, its value at `start` to `end`; `end` is None where the text ends before the value."""

    key: bytes
    start: int
    end: int | None


class Outline(NamedTuple):
    """The outline that the first bytes of a text show: the keys of its first object, in a list or not.

    `alone`: nothing stands behind that object, or behind the list, as far as can be seen.
    """

    keys: tuple[str, ...] = ()
    listed: bool = False
    alone: bool = True


def begin(block: bytes, at: int) -> tuple[int, Within]:
    """Return where to start looking for the end of the value at `at`, and inside of what."""
    quoted = block[at : at + 1] == QUOTE
    return (at + 1, Within(0, True)) if quoted else (at, Within())


def search(block: bytes, at: int, within: Within) -> tuple[int, Within | None]:
    """Find the end of a value from `at` on: its offset and None, or where to go on in the next block, inside of what.

    `at` and `within` come from `begin`, or from the search of the block before; offsets are within this block.
    """
    depth, quoted = within
    if quoted:
        block, shift = QUOTE + block[at:], at - 1  # as if the string began here
        at = 0
    else:
        shift = 0
    for token in _token.finditer(block, at):
        kind = token.lastindex
        if kind == _STRING:
            if not token[1]:
                return token.end() + shift, Within(depth, True)
        else:
            depth += 1 if kind == _OPENED else -1
        # 0: closed again, or a string outside of all brackets; below: a bracket of what is around the value.
        if depth <= 0:
            return token.end() + shift, None
    return len(block) + shift, Within(depth)


def end_of(text: bytes, at: int) -> int | None:
    """Find where the value at `at` ends; None if the text ends before it."""
    if text[at : at + 1] not in (QUOTE, b"{", b"["):
        end = BARE.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too
        return max(end, at + 1) if end < len(text) else None
    end, within = search(text, *begin(text, at))
    return end if within is None else None


def skip_gap(text: bytes, at: int) -> int:
    """Return the first place from `at` on that belongs to a value or closes a bracket."""
    return GAP.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too


def members(text: bytes, at: int) -> Iterator[ObjectMember]:
    """Yield the members of the object that opens just before `at`, as far as they can be seen."""
    while key := KEY.match(text, skip_gap(text, at)):
        end = end_of(text, key.end()) if key.end() < len(text) else None
        yield ObjectMember(key[1], key.end(), end)
        if end is None:
            return
        at = end


def first(text: bytes) -> int:
    """Return where the first value begins, behind a byte order mark and blanks."""
    return skip_gap(text, len(MARK) if text.startswith(MARK) else 0)


def outline(head: bytes) -> Outline:
    """Outline the first object of a text, or of the list that the text is.

    Of a key whose value goes on behind the head nothing more is known than its name.
    """
    start = at = first(head)
    listed = head[at : at + 1] == b"["
    at = skip_gap(head, at + 1) if listed else at
    if head[at : at + 1] != b"{":
        return Outline((), listed)
    found = list(members(head, at + 1))
    keys = tuple(member.key.decode("utf-8", "replace") for member in found)
    if listed:
        end = end_of(head, start)
        return Outline(keys, listed, end is None or skip_gap(head, end) >= len(head))
    if not found or found[-1].end is None:
        return Outline(keys, listed)
    behind = skip_gap(head, found[-1].end)
    closed = head[behind : behind + 1] == b"}"
    return Outline(keys, listed, not closed or skip_gap(head, behind + 1) >= len(head))


def spread(head: bytes) -> bool:
    """Return True if the first object or list is laid out over several lines, as a line of JSON lines never is.

    One that breaks off within a string is not: that is damage, for no JSON string goes over a line's end.
    """
    at = first(head)
    end = head.find(b"\n", at)
    if end < 0 or head[at : at + 1] not in (b"{", b"["):
        return False
    within = search(head[:end], *begin(head, at))[1]
    return within is not None and not within.quoted


def unfinished(head: bytes) -> bool:
    """Return True if the first object or list goes on behind this beginning of its text."""
    at = first(head)
    return head[at : at + 1] in (b"{", b"[") and end_of(head, at) is None
