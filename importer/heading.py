"""The head of a document: the members of its object beside the list of units, wherever they stand."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from importer.formats import Document
from importer.formats._values import BARE, KEY, skip_gap
from importer.seeking import SCAN_BYTES, Seeking, begins, seek

KEY_BYTES = 4096  # of a key and of a member that is kept: names, times, versions
MEMBERS = 64  # that are kept
STEP_MEMBERS = 1024  # looked at in one call


@dataclass(frozen=True, slots=True)
class Heading:
    """How far a head was read: up to the member at `offset`, the end of whose value may be sought already.

    `units` is where the list of units opens (just behind its bracket), 0 while that was not seen. `half`: the file ends
    in the middle; `damaged`: what stands at `offset` is no member.
    """

    offset: int
    members: tuple[bytes, ...] = ()
    units: int = 0
    seeking: Seeking | None = None
    done: bool = False
    half: bool = False
    damaged: bool = False

    @property
    def raw(self) -> bytes:
        """The head as an object of its own; nothing if it has no members."""
        return b"{%s}" % b",".join(self.members) if self.members else b""


def read(fd: int, size: int, declared: Document, heading: Heading) -> Heading:
    """Goes on with the head as far as one call reaches. Raises OSError."""
    limit = heading.offset + SCAN_BYTES
    for _ in range(STEP_MEMBERS):
        heading = _member(fd, size, declared, heading)
        if heading.done or heading.half or heading.seeking or heading.offset > limit:
            break
    return heading


def _member(fd: int, size: int, declared: Document, heading: Heading) -> Heading:
    """One member more, or the end of the object."""
    text = os.pread(fd, KEY_BYTES, heading.offset)
    at = skip_gap(text, 0)
    whole = heading.offset + len(text) >= size
    if text[at : at + 1] == b"}":
        return replace(heading, done=True)
    key = KEY.match(text, at)
    if key is None or key.end() == len(text):
        return replace(heading, half=True) if whole else replace(heading, done=True, damaged=True)
    value = heading.offset + key.end()
    listed = key[1] == declared.units.encode() and text[key.end() : key.end() + 1] == b"["
    if listed:
        heading = replace(heading, units=value + 1)
        if not declared.head:  # what follows the list would have to be sought behind all of it, for nothing
            return replace(heading, done=True)
    end, sought = _end(fd, size, text[key.end() :], value, heading.seeking)
    if end is None:
        half = sought is None or sought.offset + 1 >= size
        return replace(heading, half=half, seeking=None if half else sought)
    kept = not listed and end - heading.offset <= KEY_BYTES and len(heading.members) < MEMBERS
    members = (*heading.members, os.pread(fd, end - heading.offset - at, heading.offset + at)) if kept else ()
    return Heading(end, members or heading.members, heading.units)


def _end(fd: int, size: int, text: bytes, value: int, seeking: Seeking | None) -> tuple[int | None, Seeking | None]:
    """Where the value at `value`, which begins with `text`, ends; else how far that was looked for."""
    if begins(text):
        return seek(fd, size, seeking or Seeking.of(text, value))
    end = BARE.match(text).end()  # type: ignore[union-attr]  # it matches nothing, too
    return (value + max(end, 1), None) if end < len(text) else (None, None)
