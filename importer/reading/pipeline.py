"""Make a span of one bounded read of one file: lines, turns, chunks, and the commit to write once they are stored.

    Pending ──► open, find the checkpoint, verify ──► slice of lines ──► format ──► redact ──► chunk fold ──► Span

A file that has uncommitted spans in flight is read on from its cursor; everything else starts from its checkpoint.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import msgspec

from importer import formats
from importer.chunking import fold
from importer.chunking.fold import Folding
from importer.protocol import failpoints
from importer.protocol.fates import Fate
from importer.protocol.records import Checkpoint, Commit, FileStat, HeadPrint, Reason, Span, Tally
from importer.reading import drift, fates, reader, recognition, tail
from importer.reading.gather import Reading, SliceFold, context_of, with_facts
from importer.reading.known_facts import KnownFacts
from importer.reading.reader import OpenFile
from importer.reading.silence import silence
from importer.sources import files
from importer.sources.databases import tables
from importer.sources.queue import Pending
from importer.sources.selection import ProjectFilter
from importer.state.checkpoints import Checkpoints
from importer.state.schema import FIRST_LINES

UNKNOWN_FORMAT = ""  # stands in the checkpoint of a file whose first bytes told no format yet
GONE = "gone"  # between the look and the read, which is daily business
QUIET = {GONE, "unchanged"}  # reasons that are no trouble
MARK_CHARS = 12  # of a hash: tells two files apart that end in the same open chunk


@dataclass(frozen=True, slots=True)
class Read:
    """The result of one look at a file: a span or the reason for none, and whether there is `more` to read at once.

    `behind`: an earlier span of the file still waits for its receipt, so this one must not overtake it.
    """

    span: Span | None = None
    more: bool = False
    behind: bool = False
    reason: str = ""


@dataclass(slots=True)
class Cursor:
    """The place that reading has reached in a file, ahead of its checkpoint while spans are in flight.

    `mark` is the `scanned_to` of the last slice, which no checkpoint keeps: while it is needed the cursor stays, and
    `committed` says that its span is settled all the same.
    """

    checkpoint: Checkpoint
    mark: object = None
    committed: bool = False


class ResumeState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A checkpoint's context: the format's, the fold's, and how far a packed file was unpacked."""

    parse: msgspec.Raw
    fold: Folding
    unpacked: int = 0


_states = msgspec.json.Decoder(ResumeState)
_encode = msgspec.json.Encoder().encode


class Pipeline:
    """Reads files one slice at a time. `now_ns` is UTC nanoseconds, `final` is told in `SliceReader`."""

    def __init__(
        self,
        reading: Reading,
        checkpoints: Checkpoints,
        *,
        now_ns: Callable[[], int] = time.time_ns,
        final: bool = False,
    ) -> None:
        self.reading = reading
        self._checkpoints = checkpoints
        self._now_ns = now_ns
        self._slices = reader.SliceReader(final)
        self._cursors: dict[tuple[int, int], Cursor] = {}
        self._facts = KnownFacts(checkpoints)
        self.on_unwanted: Callable[[str, Sequence[str]], Reading] = lambda _source, _conversations: self.reading

    def read(self, pending: Pending) -> Read:
        """Read one slice of one file. Never raises for what the file system answers."""
        failpoints.hit("read")
        now_ns = self._now_ns()
        opened = files.open_file(pending.path)
        if isinstance(opened, files.Gone):
            if opened.transient:
                return self._refused(pending.path, opened.reason)
            return Read(more=opened.more, reason=GONE)
        try:
            stat = files.settled(opened.stat, now_ns)
            return self._read(OpenFile(opened.fd, stat, reader.settled(stat, now_ns)), pending)
        except OSError as error:
            return Read(reason=error.strerror or str(error))
        finally:
            os.close(opened.fd)

    def settled(self, commit: Commit) -> None:
        """Note a written commit: a cursor at the same place is dropped, as the checkpoint says the same now."""
        written = commit.checkpoint
        self._facts.settled(commit)
        key = (written.device, written.inode)
        cursor = self._cursors.get(key)
        if cursor is None or _place(cursor.checkpoint) != _place(written):
            return
        if cursor.mark is None:
            del self._cursors[key]
        else:
            cursor.committed = True

    def _read(self, file: OpenFile, pending: Pending) -> Read:
        """Tell what the file needs: nothing, its new path noted, another look once it changes, or a slice read.

        Raises OSError.
        """
        cursor = self._cursors.get((file.stat.device, file.stat.inode))
        known, mark = (cursor.checkpoint, cursor.mark) if cursor else (self._known(file.stat), None)
        if known is not None and files.is_twin(known, file.stat):
            # a scan gives one name of a file, not always the same one
            file = replace(file, stat=replace(file.stat, path=known.path))
        start = tail.start(file.stat, known, file.fd)
        if start.reason is Reason.UNCHANGED:
            return self._renamed(known, file.stat)
        if known is None or start.reason is not Reason.RESUME or _rewritten(file, known):
            known, mark = self._begin(file, known), None
        if known.format == UNKNOWN_FORMAT:
            if not fates.is_worth_a_look(known, file.stat, pending.format):
                return self._renamed(known, file.stat)
            known = fates.judge(file.fd, file.stat, known, pending.format, self.reading.max_line_bytes)
        if known.fate:
            refused = known.fate == Fate.REFUSED
            return Read(Span((), (), Commit(known, Tally())), reason=known.reason if refused else "")
        return self._slice(file, known, mark, self.reading.selection.judge(file.stat.path, pending.root))

    def drop_cursors(self) -> None:
        """Forget all cursors, so that reading goes on from the checkpoints; call it when nothing is in flight."""
        self._cursors.clear()
        self._facts.clear()

    def _known(self, stat: FileStat) -> Checkpoint | None:
        """Find a file's checkpoint, by identity first: a rename keeps it, a path may have passed to another file."""
        by_identity = self._checkpoints.by_identity(stat.device, stat.inode)
        return by_identity or self._checkpoints.by_path(stat.path)

    def _begin(self, file: OpenFile, former: Checkpoint | None) -> Checkpoint:
        """Return the checkpoint at offset 0 of a new file, or of a new generation of a known one."""
        stat, empty = file.stat, HeadPrint(0, tail.digest(b""))
        folding = fold.begin(_mark(stat), former=bool(self._checkpoints.meta(FIRST_LINES)))
        if former is not None and former.context:
            folding = self._follow(file, former, folding)
        generation = former.generation + bool(former.format) if former else 0
        context = _encode(ResumeState(msgspec.Raw(b"null"), folding))
        return Checkpoint(
            *(stat.path, stat.device, stat.inode, generation, 0, empty, empty.digest),
            *(0, 0, 0, UNKNOWN_FORMAT, context),
        )

    def _follow(self, file: OpenFile, former: Checkpoint, fresh: Folding) -> Folding:
        """Return the fold of a new generation, which releases what the former one left open.

        A new file that took over the inode of a deleted one does not: what the deleted one said stays.
        """
        before = _states.decode(former.context).fold
        if former.path != file.stat.path and not self._same_head(file.fd, former):
            return fold.succeed(before, fresh)
        if before.leads == fold.FIRST_LINE:  # it goes on by that rule, and `consistency.leads` is to move it
            self._checkpoints.remember(**{FIRST_LINES: "yes"})
        # What is taken back in a database was said all the same.
        return fold.restart(before, keeps=tables.split(file.stat.path) is not None)

    def _same_head(self, fd: int, former: Checkpoint) -> bool:
        """Return True if the file begins as the former one did, as far as that was read; never if nothing of it was."""
        return former.head.length > 0 and tail.head_print(fd, former.head.length) == former.head

    def _renamed(self, known: Checkpoint | None, stat: FileStat) -> Read:
        """Return a span without chunks for a file with only a new path: it is written in turn with other commits."""
        if known is None or known.path == stat.path:
            return Read(reason="unchanged")
        moved = replace(known, path=stat.path)
        return Read(Span((), (), Commit(moved, Tally())))

    def _refused(self, path: bytes, reason: str) -> Read:
        """Remember a file that cannot be opened, unless something is known of it, which stays as it was."""
        try:
            stat = files.look(path)
        except (OSError, ValueError):
            return Read(reason=GONE)
        if self._known(stat) is not None:
            return Read(reason=reason)
        return Read(Span((), (), Commit(fates.unopened(stat, reason), Tally())), reason=reason)

    def _slice(self, file: OpenFile, known: Checkpoint, mark: object, wanted: ProjectFilter) -> Read:
        """Read a slice and fold its lines; a file that is rewritten meanwhile gives nothing and is read again."""
        state, stat = _states.decode(known.context), file.stat
        position = reader.Position(known.offset, mark, known.tail_digest, state.unpacked)
        part = self._slices.read(file, formats.load(known.format), self.reading, position)
        if part.torn:
            return Read(more=True, reason="rewritten while it was read")
        gathered = self._gather(known, state, part, wanted)
        if fresh_wishes := self._unwanted(gathered):  # from here on they are forgotten: what was folded of them goes
            self.reading = self.on_unwanted(gathered.source.NAME, fresh_wishes)
            gathered = self._gather(known, state, part, wanted)
        if gathered.offset != part.offset:
            part = reader.shortened(file.fd, part, gathered.offset)
        if part.torn:
            return Read(more=True, reason="rewritten while it was read")
        settled = file.settled or self._slices.final
        if not gathered.version:  # most tools name theirs at the beginning of a file alone
            named = recognition.version_of(file.fd) if known.offset else ""
            gathered.version = named or drift.month_of(self._now_ns())
        complete = part.at_end and not part.waiting and gathered.finish(settled=settled)
        gathered.surface(at_end=complete)
        silence(gathered, self._facts.told)
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
            open_ids=fold.open_ids(gathered.folding),
        )
        return self._span(fresh, gathered, part.scanned_to, more=not part.at_end)

    def _gather(self, known: Checkpoint, state: ResumeState, part: tail.Slice, wanted: ProjectFilter) -> SliceFold:
        """Fold the slice's lines until all are folded or the span has chunks enough."""
        source = formats.load(known.format)
        context = context_of(source, known.path, state.parse)
        gathered = SliceFold(self.reading, source, known.path, context, state.fold, part.offset, wanted)
        for line in part.lines:
            gathered.feed(line)
            if gathered.full:
                break
        return gathered

    def _unwanted(self, gathered: SliceFold) -> list[str]:
        """Return the conversations that asked not to be indexed, are not forgotten yet and were not insisted on."""
        path, source, insisted = gathered.path, gathered.source.NAME, self.reading.insisted
        asked = [name for name in sorted(gathered.unwanted) if insisted.isdisjoint({(source, name), ("", name)})]
        return [one for one in asked if not self.reading.forgotten(path, {"source": source, "conversation_id": one})]

    def _span(self, fresh: Checkpoint, gathered: SliceFold, mark: object, *, more: bool) -> Read:
        """Move the cursor and return the span. It is `behind` while the span before it is not committed."""
        former = self._cursors.get(key := (fresh.device, fresh.inode))
        behind = former is not None and not former.committed
        self._cursors[key] = Cursor(fresh, mark)
        source = gathered.source.NAME
        facts = self._facts.add(source, gathered.told, gathered.said.values())
        said, counters = tuple(gathered.said.values()), gathered.counters
        commit = Commit(fresh, gathered.tally, tuple(gathered.rejects), facts, said, counters)
        span = Span(with_facts(gathered.chunks, source, self._facts.told), tuple(gathered.releases), commit)
        return Read(span, more=more, behind=behind)


def _mark(stat: FileStat) -> str:
    """Return what tells this file from its copies; it stays the same if the state is lost, or a rename unseen."""
    return sha256(b"%d" % stat.inode).hexdigest()[:MARK_CHARS]


def _rewritten(file: OpenFile, known: Checkpoint) -> bool:
    """Return True if the file must be read from its start although its digests hold; see `reader`."""
    what = (file.fd, file.stat, known)
    return known.format != UNKNOWN_FORMAT and (
        reader.rewritten(*what, formats.load(known.format))
        or reader.goes_on(*what, _states.decode(known.context).parse)
    )


def _context(gathered: SliceFold, *, packed: bool) -> bytes:
    """Return what to resume from, as JSON: it must not depend on this process."""
    parse = msgspec.Raw(_encode(gathered.context))
    return _encode(ResumeState(parse, gathered.folding, gathered.offset if packed else 0))


def _place(checkpoint: Checkpoint) -> tuple[int, int, bytes]:
    """Return what tells a file's spans apart; spans of a packed file may end at one offset."""
    return checkpoint.generation, checkpoint.offset, checkpoint.context
