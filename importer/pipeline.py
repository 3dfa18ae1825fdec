"""One bounded read of one file becomes a span: lines, turns, chunks, and the commit their storing pays for.

    Pending ──► open, find the checkpoint, verify ──► slice of lines ──► format ──► redact ──► chunk fold ──► Span

A file that has uncommitted spans in flight is read on from its cursor; everything else starts from its checkpoint.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from importer import chunk, formats, opening, tail
from importer.agenda import Pending
from importer.checkpoints import Checkpoints
from importer.chunk import Cutting, Folding, Origin
from importer.formats import Format, Options
from importer.records import (
    Checkpoint,
    Chunk,
    Commit,
    FileStat,
    HeadPrint,
    Line,
    Reason,
    Reject,
    Release,
    Span,
    Tally,
    Turn,
)
from importer.redact import mask

UNKNOWN_FORMAT = ""  # stands in the checkpoint of a file whose first bytes told no format yet
SAMPLE_CHARS = 80


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read; units stand in the names. `forgotten` says which chunks' metadata must not be imported."""

    cutting: Cutting
    host: str
    options: Options = Options()
    redact: bool = True
    max_line_bytes: int = tail.LINE_BYTES
    slice_bytes: int = tail.SLICE_BYTES
    max_chunks: int = 128
    forgotten: Callable[[bytes, Any], bool] = lambda _path, _metadata: False


@dataclass(frozen=True, slots=True)
class Read:
    """What one look at a file gave: a span or nothing (and why), and whether there is `more` to read at once.

    `behind`: an earlier span of the file still waits for its receipt, so this one must not overtake it.
    """

    span: Span | None = None
    more: bool = False
    behind: bool = False
    reason: str = ""


@dataclass(slots=True)
class Cursor:
    """Where reading stands in a file, ahead of its checkpoint while spans are in flight."""

    checkpoint: Checkpoint
    mark: tail.Mark | None = None
    committed: bool = False


@dataclass(slots=True)
class Folded:
    """What is gathered while a slice's lines are folded."""

    context: Any
    folding: Folding
    offset: int
    chunks: list[Chunk] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    tally: Tally = Tally()


class State(msgspec.Struct, frozen=True):
    """What a checkpoint's context holds: the format's and the fold's."""

    parse: msgspec.Raw
    fold: Folding


_states = msgspec.json.Decoder(State)
_encode = msgspec.json.Encoder().encode


class Pipeline:
    """Reads files one slice at a time. `now_ns` is UTC nanoseconds."""

    def __init__(
        self, reading: Reading, checkpoints: Checkpoints, *, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.reading = reading
        self._checkpoints = checkpoints
        self._now_ns = now_ns
        self._cursors: dict[tuple[int, int], Cursor] = {}

    def read(self, pending: Pending) -> Read:
        """One slice of one file. Never raises for what the file system answers."""
        now_ns = self._now_ns()
        opened = opening.open_file(pending.path)
        if isinstance(opened, opening.Gone):
            return Read(reason=opened.reason)
        try:
            stat = opening.settled(opened.stat, now_ns)
            return self._read(opened.fd, stat, pending)
        except OSError as error:
            return Read(reason=error.strerror or str(error))
        finally:
            os.close(opened.fd)

    def settled(self, commit: Commit) -> None:
        """A commit was written. A cursor that stands there is dropped, for the checkpoint says the same now."""
        written = commit.checkpoint
        key = (written.device, written.inode)
        cursor = self._cursors.get(key)
        if cursor is None or _place(cursor.checkpoint) != _place(written):
            return
        if cursor.mark is None:
            del self._cursors[key]
        else:
            cursor.committed = True

    def _read(self, fd: int, stat: FileStat, pending: Pending) -> Read:
        cursor = self._cursors.get((stat.device, stat.inode))
        known = cursor.checkpoint if cursor else self._known(stat)
        if known is not None and _is_twin(known, stat):
            return Read(reason="another name of a known file")
        start = tail.start(stat, known, fd)
        if start.reason is Reason.UNCHANGED:
            return self._renamed(known, stat)
        if known is None or start.reason is not Reason.RESUME:
            known = self._begin(stat, known)
            cursor = None
        if known.format == UNKNOWN_FORMAT:
            known = replace(known, format=self._format(fd, pending))
        if known.format == UNKNOWN_FORMAT:
            return self._unrecognised(stat, known)
        return self._slice(fd, stat, known, cursor)

    def _known(self, stat: FileStat) -> Checkpoint | None:
        """The stream this file is, by identity first: a rename keeps it, a path may have passed to another file."""
        by_identity = self._checkpoints.by_identity(stat.device, stat.inode)
        return by_identity or self._checkpoints.by_path(stat.path)

    def _begin(self, stat: FileStat, former: Checkpoint | None) -> Checkpoint:
        """Offset 0 of a new file, or of a new generation that releases what the former one left open."""
        empty = HeadPrint(0, tail.digest(b""))
        folding = chunk.restart(self._state(former).fold) if former and former.context else Folding()
        generation = former.generation + 1 if former else 0
        context = _encode(State(msgspec.Raw(b"null"), folding))
        return Checkpoint(
            *(stat.path, stat.device, stat.inode, generation, 0, empty, empty.digest),
            *(0, 0, 0, UNKNOWN_FORMAT, context),
        )

    def _state(self, checkpoint: Checkpoint) -> State:
        return _states.decode(checkpoint.context)

    def _format(self, fd: int, pending: Pending) -> str:
        if pending.format != "auto":
            return pending.format
        return formats.detect(os.pread(fd, formats.HEAD_BYTES, 0)) or UNKNOWN_FORMAT

    def _renamed(self, known: Checkpoint | None, stat: FileStat) -> Read:
        if known is None or known.path == stat.path:
            return Read(reason="unchanged")
        moved = replace(known, path=stat.path)
        return Read(Span((), (), Commit(moved, Tally())))

    def _unrecognised(self, stat: FileStat, known: Checkpoint) -> Read:
        """Remember that there was nothing to recognise, so that only a change brings the file back."""
        seen = replace(known, size=stat.size, mtime_ns=stat.mtime_ns, ctime_ns=stat.ctime_ns)
        return Read(Span((), (), Commit(seen, Tally())), reason="format not recognised")

    def _slice(self, fd: int, stat: FileStat, known: Checkpoint, cursor: Cursor | None) -> Read:
        reading = self.reading
        part = tail.read_slice(
            *(fd, known.offset, reading.slice_bytes, reading.max_line_bytes, cursor.mark if cursor else None),
            expected=known.tail_digest,
        )
        if part.torn:
            return Read(more=True, reason="rewritten while it was read")
        reader = formats.load(known.format)
        folded = self._fold(reader, known, part.lines)
        whole = folded.offset == part.offset
        at_end = part.at_end and whole
        self._surface(folded, known, at_end)
        head, digest = part.head, part.tail_digest
        if not whole:
            head, digest = tail.head_print(fd, folded.offset), tail.tail_digest(fd, folded.offset)
        fresh = replace(
            known,
            path=stat.path,
            offset=folded.offset,
            head=head,
            tail_digest=digest,
            size=stat.size,
            mtime_ns=stat.mtime_ns if at_end else 0,  # 0: the next look finds it unfinished
            ctime_ns=stat.ctime_ns if at_end else 0,
            context=_encode({"parse": folded.context, "fold": folded.folding}),
            open_ids=chunk.open_ids(folded.folding),
        )
        return self._span(fresh, folded, part.scanned_to if whole else None, more=not at_end)

    def _span(self, fresh: Checkpoint, folded: Folded, mark: tail.Mark | None, *, more: bool) -> Read:
        key = (fresh.device, fresh.inode)
        former = self._cursors.get(key)
        behind = former is not None and not former.committed
        self._cursors[key] = Cursor(fresh, mark)
        releases = tuple(r for r in folded.releases if not self._held_elsewhere(r, fresh))
        span = Span(tuple(folded.chunks), releases, Commit(fresh, folded.tally, tuple(folded.rejects)))
        return Read(span, more=more, behind=behind)

    def _held_elsewhere(self, release: Release, fresh: Checkpoint) -> bool:
        """Whether a copy of the same conversation still ends in this very chunk."""
        here = (fresh.device, fresh.inode)
        others = (c.checkpoint.open_ids for key, c in self._cursors.items() if key != here)
        return any(release.id in ids for ids in others) or self._checkpoints.open_elsewhere(release.id, fresh.path)

    def _fold(self, reader: Format, known: Checkpoint, lines: tuple[Line, ...]) -> Folded:
        state = self._state(known)
        context = (
            reader.begin(known.path)
            if bytes(state.parse) == b"null"
            else msgspec.json.decode(state.parse, type=reader.Context)
        )
        folded = Folded(context, state.fold, known.offset)
        origin = Origin(known.format, self.reading.host)
        for line in lines:
            self._line(folded, reader, known.path, line, origin)
            if len(folded.chunks) >= self.reading.max_chunks:
                break
        return folded

    def _line(self, folded: Folded, reader: Format, path: bytes, line: Line, origin: Origin) -> None:
        size = line.end - line.start
        folded.offset = line.end
        if line.oversized:
            reason = f"a line of {size} bytes, more than {self.reading.max_line_bytes}"
            folded.rejects.append(Reject(path, line.start, size, "read", reason, _sample(line.raw)))
            folded.tally += Tally(lines_quarantined=1, bytes_quarantined=size)
            return
        fed = reader.feed(folded.context, line.raw, self.reading.options)
        folded.context = fed.context
        said = sum([self._turn(folded, path, turn, origin) for turn in fed.turns])
        for problem in fed.problems:
            folded.rejects.append(Reject(path, line.start, size, "parse", problem, _sample(line.raw)))
        folded.tally += _outcome(size, said, fed.unknown, bool(fed.problems))

    def _turn(self, folded: Folded, path: bytes, turn: Turn, origin: Origin) -> bool:
        """Feeds one turn; whether it brought text that was not there yet."""
        if self.reading.redact and (turn.text or turn.facts.title):
            turn = replace(turn, text=mask(turn.text), facts=replace(turn.facts, title=mask(turn.facts.title)))
        step = chunk.feed(folded.folding, turn, self.reading.cutting, origin)
        self._take(folded, path, step)
        return step.accepted and bool(turn.text)

    def _surface(self, folded: Folded, known: Checkpoint, at_end: bool) -> None:
        origin = Origin(known.format, self.reading.host)
        step = chunk.surface(folded.folding, self.reading.cutting, origin, at_end=at_end)
        self._take(folded, known.path, step)

    def _take(self, folded: Folded, path: bytes, step: chunk.Step) -> None:
        folded.folding = step.folding
        folded.chunks += [c for c in step.chunks if not self.reading.forgotten(path, c.metadata)]
        folded.releases += step.releases


def _place(checkpoint: Checkpoint) -> tuple[int, int]:
    return checkpoint.generation, checkpoint.offset


def _is_twin(known: Checkpoint, stat: FileStat) -> bool:
    """Whether the known file is this very one under another name that still stands: a hard link."""
    if known.path in (stat.path, b"") or (known.device, known.inode) != (stat.device, stat.inode):
        return False
    try:
        there = os.lstat(known.path)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (stat.device, stat.inode)


def _outcome(size: int, said: int, unknown: int, broken: bool) -> Tally:
    """The one outcome of a line: broken wins over stored, stored over skipped."""
    if broken:
        return Tally(lines_quarantined=1, bytes_quarantined=size, messages=said, unknown=unknown)
    if said:
        return Tally(lines_stored=1, bytes_stored=size, messages=said, unknown=unknown)
    return Tally(lines_skipped=1, bytes_skipped=size, unknown=unknown)


def _sample(raw: bytes) -> str:
    return mask(raw[: 4 * SAMPLE_CHARS].decode("utf-8", "replace"))[:SAMPLE_CHARS]
