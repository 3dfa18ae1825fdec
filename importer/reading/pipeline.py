"""One bounded read of one file becomes a span: lines, turns, chunks, and the commit their storing pays for.

    Pending ──► open, find the checkpoint, verify ──► slice of lines ──► format ──► redact ──► chunk fold ──► Span

A file that has uncommitted spans in flight is read on from its cursor; everything else starts from its checkpoint.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

import msgspec

from importer import formats
from importer.chunking import fold as chunk
from importer.chunking.fold import Folding
from importer.protocol import failpoints
from importer.protocol.records import Checkpoint, Commit, FileStat, HeadPrint, Reason, Span, Tally
from importer.reading import reader, tail
from importer.reading.gather import Gathering, Reading
from importer.sources import files
from importer.sources.queue import Pending
from importer.sources.selection import Wanted
from importer.state.checkpoints import Checkpoints

UNKNOWN_FORMAT = ""  # stands in the checkpoint of a file whose first bytes told no format yet
GONE = "gone"  # between the look and the read, which is daily business
QUIET = {GONE, "unchanged"}  # reasons that are no trouble
MARK_CHARS = 12  # of a hash: tells two files apart that end in the same open chunk


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
    """Where reading stands in a file, ahead of its checkpoint while spans are in flight.

    `mark` is the `scanned_to` of the last slice, which no checkpoint keeps: while it is needed the cursor stays, and
    `committed` says that its span is settled all the same.
    """

    checkpoint: Checkpoint
    mark: object = None
    committed: bool = False


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a checkpoint's context holds: the format's and the fold's, and how far a packed file was unpacked."""

    parse: msgspec.Raw
    fold: Folding
    unpacked: int = 0


_states = msgspec.json.Decoder(State)
_encode = msgspec.json.Encoder().encode


class Pipeline:
    """Reads files one slice at a time. `now_ns` is UTC nanoseconds."""

    def __init__(self, reading: Reading, checkpoints: Checkpoints, *, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.reading = reading
        self._checkpoints = checkpoints
        self._now_ns = now_ns
        self._slices = reader.Slices()
        self._cursors: dict[tuple[int, int], Cursor] = {}

    def read(self, pending: Pending) -> Read:
        """One slice of one file. Never raises for what the file system answers."""
        failpoints.hit("read")
        now_ns = self._now_ns()
        opened = files.open_file(pending.path)
        if isinstance(opened, files.Gone):
            return Read(reason=opened.reason if opened.transient else GONE)
        try:
            stat = files.settled(opened.stat, now_ns)
            return self._read(opened.fd, stat, pending, settled=reader.settled(stat, now_ns))
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

    def _read(self, fd: int, stat: FileStat, pending: Pending, *, settled: bool) -> Read:
        """Which way it goes: unchanged or renamed, begun anew, of no known format, or a slice. Raises OSError."""
        cursor = self._cursors.get((stat.device, stat.inode))
        known = cursor.checkpoint if cursor else self._known(stat)
        if known is not None and _is_twin(known, stat):
            stat = replace(stat, path=known.path)  # a scan gives one name of a file, not always the same one
        start = tail.start(stat, known, fd)
        if start.reason is Reason.UNCHANGED:
            return self._renamed(known, stat)
        if known is None or start.reason is not Reason.RESUME or _rewritten(fd, stat, known):
            known = self._begin(fd, stat, known)
            cursor = None
        if known.format == UNKNOWN_FORMAT:
            known = replace(known, format=self._format(fd, pending))
        if known.format == UNKNOWN_FORMAT:
            return self._unrecognised(stat, known)
        wanted = self.reading.selection.judge(stat.path, pending.root)
        return self._slice(fd, stat, known, cursor, wanted, settled=settled)

    def drop_cursors(self) -> None:
        """Reads on from the checkpoints alone; call it when nothing is in flight."""
        self._cursors.clear()

    def _known(self, stat: FileStat) -> Checkpoint | None:
        """The stream this file is, by identity first: a rename keeps it, a path may have passed to another file."""
        by_identity = self._checkpoints.by_identity(stat.device, stat.inode)
        return by_identity or self._checkpoints.by_path(stat.path)

    def _begin(self, fd: int, stat: FileStat, former: Checkpoint | None) -> Checkpoint:
        """Offset 0 of a new file, or of a new generation that releases what the former one left open.

        An inode that a deleted file's has passed to is a new file: what the deleted one said stays.
        """
        empty = HeadPrint(0, tail.digest(b""))
        same = former is not None and (former.path == stat.path or self._same_head(fd, former))
        folding = Folding(mark=_mark(stat))
        if former is not None and former.context:
            before = _states.decode(former.context).fold
            folding = chunk.restart(before) if same else chunk.succeed(before, folding.mark)
        generation = former.generation + 1 if former else 0
        context = _encode(State(msgspec.Raw(b"null"), folding))
        return Checkpoint(
            *(stat.path, stat.device, stat.inode, generation, 0, empty, empty.digest),
            *(0, 0, 0, UNKNOWN_FORMAT, context),
        )

    def _same_head(self, fd: int, former: Checkpoint) -> bool:
        """Whether the file begins as the former one did, as far as that was read; never if nothing of it was."""
        return former.head.length > 0 and tail.head_print(fd, former.head.length) == former.head

    def _format(self, fd: int, pending: Pending) -> str:
        """The root's format, or what the first bytes tell. Once it is known, the checkpoint keeps it."""
        if pending.format != "auto":
            return pending.format
        return formats.detect(reader.head(fd)) or UNKNOWN_FORMAT

    def _renamed(self, known: Checkpoint | None, stat: FileStat) -> Read:
        """A new path alone is a span too, without chunks: it is written in turn with the other commits."""
        if known is None or known.path == stat.path:
            return Read(reason="unchanged")
        moved = replace(known, path=stat.path)
        return Read(Span((), (), Commit(moved, Tally())))

    def _unrecognised(self, stat: FileStat, known: Checkpoint) -> Read:
        """Remember that there was nothing to recognise, so that only a change brings the file back."""
        seen = replace(known, size=stat.size, mtime_ns=stat.mtime_ns, ctime_ns=stat.ctime_ns)
        return Read(Span((), (), Commit(seen, Tally())), reason="format not recognised")

    def _slice(
        self, fd: int, stat: FileStat, known: Checkpoint, cursor: Cursor | None, wanted: Wanted, *, settled: bool
    ) -> Read:
        """Reads and folds; of a file that is written meanwhile nothing is given."""
        state = _states.decode(known.context)
        place = reader.Place(known.offset, cursor.mark if cursor else None, known.tail_digest, state.unpacked)
        part = self._slices.read(fd, stat, formats.load(known.format), self.reading, place, settled=settled)
        if part.torn:
            return Read(more=True, reason="rewritten while it was read")
        gathered = self._gather(known, state, part, wanted)
        if gathered.offset != part.offset:
            part = reader.shortened(fd, part, gathered.offset)
        if part.torn:
            return Read(more=True, reason="rewritten while it was read")
        complete = part.at_end and not part.waiting
        gathered.surface(at_end=complete)
        fresh = replace(
            known,
            path=stat.path,
            offset=gathered.offset if part.passed is None else part.passed,
            head=part.head,
            tail_digest=part.tail_digest,
            size=stat.size,
            mtime_ns=stat.mtime_ns,
            ctime_ns=stat.ctime_ns if complete else 0,  # 0: the next look finds it unfinished
            context=_context(gathered, packed=part.passed is not None),
            open_ids=chunk.open_ids(gathered.folding),
        )
        return self._span(fresh, gathered, part.scanned_to, more=not part.at_end)

    def _gather(self, known: Checkpoint, state: State, part: tail.Slice, wanted: Wanted) -> Gathering:
        """Feeds the slice's lines until it is through or the span has chunks enough."""
        reader = formats.load(known.format)
        fresh = bytes(state.parse) == b"null"
        context = reader.begin(known.path) if fresh else msgspec.json.decode(state.parse, type=reader.Context)
        gathered = Gathering(self.reading, reader, known.path, context, state.fold, part.offset, wanted)
        for line in part.lines:
            gathered.feed(line)
            if gathered.full:
                break
        return gathered

    def _span(self, fresh: Checkpoint, gathered: Gathering, mark: object, *, more: bool) -> Read:
        """Moves the cursor and gives the span. It is `behind` while the one before it is not committed."""
        key = (fresh.device, fresh.inode)
        former = self._cursors.get(key)
        behind = former is not None and not former.committed
        self._cursors[key] = Cursor(fresh, mark)
        commit = Commit(fresh, gathered.tally, tuple(gathered.rejects))
        span = Span(tuple(gathered.chunks), tuple(gathered.releases), commit)
        return Read(span, more=more, behind=behind)


def _mark(stat: FileStat) -> str:
    """What tells this file from its copies: the same again after the state was lost, or a rename nobody saw."""
    return sha256(b"%d" % stat.inode).hexdigest()[:MARK_CHARS]


def _rewritten(fd: int, stat: FileStat, known: Checkpoint) -> bool:
    """Whether the file must be read from its start although its digests hold; see `reader.rewritten`."""
    return known.format != UNKNOWN_FORMAT and reader.rewritten(fd, stat, known, formats.load(known.format))


def _context(gathered: Gathering, *, packed: bool) -> bytes:
    """What to resume from, as JSON: it must not depend on this process."""
    parse = msgspec.Raw(_encode(gathered.context))
    return _encode(State(parse, gathered.folding, gathered.offset if packed else 0))


def _place(checkpoint: Checkpoint) -> tuple[int, int, bytes]:
    """What tells a file's spans apart; those of a packed one may end at one offset."""
    return checkpoint.generation, checkpoint.offset, checkpoint.context


def _is_twin(known: Checkpoint, stat: FileStat) -> bool:
    """Whether the known file is this very one under another name that still stands: a hard link."""
    if known.path in (stat.path, b"") or (known.device, known.inode) != (stat.device, stat.inode):
        return False
    try:
        there = os.lstat(known.path)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (stat.device, stat.inode)
