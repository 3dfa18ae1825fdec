"""Read documents, files that are one JSON value and are rewritten whole, unit by unit as other files line by line.

    [ {…}, {…} ]                       every element is a unit, or a value that stands by itself
    { "id": …, "messages": [ … ] }     the head (all members but the list), then every element of the list

Units lie end to end as lines do, the gap in front of each belonging to it and what closes the document being the last.
So offsets, tallies and checkpoints mean the same as for lines: a kill in the middle of an export costs one slice of it.
Memory is bounded by the longest unit allowed, however large the document is.

A document that breaks off is half-written: what is whole of it is taken, the rest waits to be written. A file that has
been left alone for a while (`settled`) will not be: what is left of it is a problem.

Both the head and the end of a value too long for one read are looked for in bounded steps, which `DocumentHead` and
`ScanState` remember between two calls.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Self

from importer.formats import Document
from importer.formats._shared.json_text import BARE, KEY, QUOTE, Within, begin, end_of, first, search, skip_gap
from importer.protocol.records import FileStat, Line
from importer.reading import tail

KEY_BYTES = 4096  # of a key and of a member that is kept: names, times, versions
MEMBERS = 64  # that are kept
STEP_MEMBERS = 1024  # looked at in one call
BLOCK_BYTES = 256 * 1024
SCAN_BYTES = 4 * 1024 * 1024  # how far one call looks: 50 ms, for which the loop stands still
BEHIND_BYTES = 64 * 1024  # looked at behind the end of a list
BROKEN_OFF = "the document breaks off here"
BEHIND = "something stands behind the end of the document"
NO_MEMBERS = "the members of the document cannot be told apart"


@dataclass(frozen=True, slots=True)
class ScanState:
    """How far the end of a value was looked for: at `offset` the text is `within` the value."""

    offset: int
    within: Within

    @classmethod
    def of(cls, value: bytes, at: int) -> Self:
        """Start a scan at the beginning of a value, which stands at `at`."""
        begun, within = begin(value, 0)
        return cls(at + begun, within)


@dataclass(frozen=True, slots=True)
class DocumentHead:
    """How far a document's head was read: up to the member at `offset`.

    `scanned` is how far the end of that member's value was looked for. `units` is where the list of units opens (just
    behind its bracket), 0 while that was not seen. `half`: the file ends in the middle; `damaged`: what stands at
    `offset` is no member.
    """

    offset: int
    members: tuple[bytes, ...] = ()
    units: int = 0
    scanned: ScanState | None = None
    done: bool = False
    half: bool = False
    damaged: bool = False

    @property
    def raw(self) -> bytes:
        """The head as a JSON object of its own; b"" if it has no members."""
        return b"{%s}" % b",".join(self.members) if self.members else b""


@dataclass(frozen=True, slots=True)
class UnitLimits:
    """The limits of one slice and of one unit. `settled`: what is half there will not be written any more."""

    bytes: int
    unit_bytes: int
    units: int = tail.SLICE_LINES
    settled: bool = True


def read_slice(
    fd: int, stat: FileStat, offset: int, declared: Document, limits: UnitLimits, *, mark: object = None
) -> tail.Slice:
    """Read the units from `offset` on, as `tail.read_slice` reads lines; `stat` was taken of `fd`. Raises OSError.

    `mark` is the `scanned_to` of the slice before, if the file has not changed since. The slice is torn if it changes
    meanwhile.
    """
    found = _Units(fd, stat.size, declared, limits, offset, offset)
    if found.open(mark if isinstance(mark, DocumentHead) else None):
        found.read(mark if isinstance(mark, ScanState) else None)
    waiting = found.half and not found.lines
    if waiting and limits.settled:
        waiting = False
        found.add(stat.size, os.pread(fd, tail.SAMPLE_BYTES, offset), problem=BROKEN_OFF)
    head, passed = tail.head_print(fd, found.end), tail.tail_digest(fd, found.end)
    now = os.fstat(fd)
    # a document is written whole, so that size and time tell every change; lines need digests, for they grow
    if (now.st_size, now.st_mtime_ns) != (stat.size, stat.mtime_ns):
        return tail.Slice((), offset, True, None, head, passed, torn=True)
    at_end = waiting or found.end == stat.size
    return tail.Slice(tuple(found.lines), found.end, at_end, found.mark, head, passed, waiting=waiting)


@dataclass(slots=True)
class _Units:
    """The units that one call finds, the state to go on with, and whether the rest is only half there.

    `listed`: the units stand between brackets, so that a closing one ends the document; else they follow each other.
    `end` is where the last unit ends; `begin` is where the next one is to be looked for, behind an opening bracket.
    """

    fd: int
    size: int
    declared: Document
    limits: UnitLimits
    end: int
    begin: int
    listed: bool = True
    lines: list[Line] = field(default_factory=list)
    mark: ScanState | DocumentHead | None = None
    half: bool = False

    def add(self, end: int, raw: bytes, *, oversized: bool = False, problem: str = "") -> None:
        """Add one unit, with the gap in front of it."""
        self.lines.append(Line(self.end, end, raw, oversized, problem))
        self.end = self.begin = end

    def open(self, mark: DocumentHead | None) -> bool:
        """Find where units begin, at the start of the document; return True if any can be read now."""
        text = os.pread(self.fd, KEY_BYTES, 0)
        at = first(text)
        if not self.declared.units:
            self.listed = text[at : at + 1] == b"[" and not self.declared.whole
            self.begin = self.begin or at + self.listed
        elif not self.end:
            return self._headed(read_head(self.fd, self.size, self.declared, mark or DocumentHead(at + 1)))
        return self.end < self.size

    def _headed(self, told: DocumentHead) -> bool:
        """Take the head, if all of it is there; return True if units follow."""
        if told.half and not (self.limits.settled and told.units):
            self.half = True
        elif not (told.done or told.half):
            self.mark = told
        elif not told.units:
            self.add(self.size, told.raw, problem=NO_MEMBERS if told.damaged else "")
        else:
            if self.declared.head:
                self.add(told.units, told.raw)
            self.begin = told.units
            return True
        return False

    def read(self, scanned: ScanState | None) -> None:
        """Read the units within one read; a longer one is read alone, if its end is within reach of this call."""
        base, window = self._window()
        at = skip_gap(window, 0)
        while len(self.lines) < self.limits.units and at < len(window):
            if self.listed and window[at : at + 1] == b"]":
                self._close(base + at + 1)
                return
            end = end_of(window, at)
            if end is None:
                break
            self._take(base + at, base + end, window[at : at + self._kept(end - at)])
            at = skip_gap(window, end)
        if at == len(window) and base + at >= self.size and not self.listed:
            if self.end < self.size:
                self.add(self.size, b"")
        elif not self.lines:
            self._rest(base + at, window[at:], scanned)

    def _window(self) -> tuple[int, bytes]:
        """Return one read that holds more than a gap, if there is any within reach, and where it stands."""
        begin, reach = self.begin, self.begin + SCAN_BYTES
        while True:
            window = os.pread(self.fd, min(self.limits.bytes, self.size - begin), begin)
            end = begin + len(window)
            if skip_gap(window, 0) < len(window) or not window or end >= min(self.size, reach):
                return begin, window
            begin = end

    def _kept(self, length: int) -> int:
        """Return how many bytes are kept of a unit of this length."""
        return length if length <= self.limits.unit_bytes else min(length, tail.SAMPLE_BYTES)

    def _take(self, at: int, end: int, raw: bytes) -> None:
        """Add a whole unit, of which `raw` is what may be kept."""
        self.add(end, raw, oversized=end - at > self.limits.unit_bytes)

    def _rest(self, at: int, text: bytes, scanned: ScanState | None) -> None:
        """Judge a read without a whole unit: a long unit begins `at`, or the document breaks off, or it is rubbish."""
        if not begins(text):
            self.half = self.listed and at + len(text) >= self.size
            if not self.half:
                self.add(at + len(text), text)
            return
        known = scanned is not None and scanned.offset > at
        end, sought = scan(self.fd, self.size, scanned if scanned and known else ScanState.of(text, at))
        if end is not None:
            self._take(at, end, os.pread(self.fd, self._kept(end - at), at))
        elif sought.offset + 1 >= self.size:  # a backslash in the last place is not passed: what it escapes is to come
            self.half = True
        else:
            self.mark = sought

    def _close(self, behind: int) -> None:
        """Add the end of the list, and of the document with it; members behind a list were read with the head."""
        rest = b"" if self.declared.units else os.pread(self.fd, BEHIND_BYTES, behind)
        stranger = skip_gap(rest, 0) < len(rest)
        self.add(self.size, rest[: tail.SAMPLE_BYTES] if stranger else b"", problem=BEHIND if stranger else "")


def read_head(fd: int, size: int, declared: Document, head: DocumentHead) -> DocumentHead:
    """Read on in the head of a document as far as one call reaches. Raises OSError."""
    limit = head.offset + SCAN_BYTES
    for _ in range(STEP_MEMBERS):
        head = _member(fd, size, declared, head)
        if head.done or head.half or head.scanned or head.offset > limit:
            break
    return head


def _member(fd: int, size: int, declared: Document, head: DocumentHead) -> DocumentHead:
    """Read one more member, or find the end of the object."""
    text = os.pread(fd, KEY_BYTES, head.offset)
    at = skip_gap(text, 0)
    whole = head.offset + len(text) >= size
    if text[at : at + 1] == b"}":
        return replace(head, done=True)
    key = KEY.match(text, at)
    if key is None or key.end() == len(text):
        return replace(head, half=True) if whole else replace(head, done=True, damaged=True)
    value = head.offset + key.end()
    listed = key[1] == declared.units.encode() and text[key.end() : key.end() + 1] == b"["
    if listed:
        head = replace(head, units=value + 1)
        if not declared.head:  # what follows the list would have to be sought behind all of it, for nothing
            return replace(head, done=True)
    end, sought = _end(fd, size, text[key.end() :], value, head.scanned)
    if end is None:
        half = sought is None or sought.offset + 1 >= size
        return replace(head, half=half, scanned=None if half else sought)
    kept = not listed and end - head.offset <= KEY_BYTES and len(head.members) < MEMBERS
    members = (*head.members, os.pread(fd, end - head.offset - at, head.offset + at)) if kept else ()
    return DocumentHead(end, members or head.members, head.units)


def _end(fd: int, size: int, text: bytes, value: int, scanned: ScanState | None) -> tuple[int | None, ScanState | None]:
    """Find where the value at `value`, which begins with `text`, ends; else return how far that was looked for."""
    if begins(text):
        return scan(fd, size, scanned or ScanState.of(text, value))
    end = BARE.match(text).end()  # type: ignore[union-attr]  # it matches nothing, too
    return (value + max(end, 1), None) if end < len(text) else (None, None)


def begins(value: bytes) -> bool:
    """Return True if this begins a value that has an end of its own: an object, a list or a string."""
    return value[:1] in (b"{", b"[", QUOTE)


def scan(fd: int, size: int, scanned: ScanState) -> tuple[int | None, ScanState]:
    """Find where the value ends (None if not within reach of this call), and how far was looked. Raises OSError."""
    at, within = scanned.offset, scanned.within
    reach = min(size, at + SCAN_BYTES)
    while at < reach and (block := os.pread(fd, min(BLOCK_BYTES, reach - at), at)):
        passed, inside = search(block, 0, within)
        if inside is None:
            return at + passed, ScanState(at + passed, within)
        if passed == 0:  # a lone backslash: what it escapes is out of reach
            break
        at, within = at + passed, inside
    return None, ScanState(at, within)
