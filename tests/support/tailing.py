"""A reader of one file as the daemon has it: a checkpoint, a look at the file, the lines that came."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace

from importer.protocol.records import Checkpoint, FileStat, HeadPrint, Line, Reason
from importer.reading import tail
from importer.sources import files


@dataclass
class Tailer:
    """Reads a path whenever told; `lines` are those delivered since the current generation began."""

    path: bytes
    max_bytes: int = 64
    max_line_bytes: int = 1 << 20
    max_lines: int = 3
    checkpoint: Checkpoint | None = None
    lines: tuple[Line, ...] = ()
    mark: tail.ScanMark | None = field(default=None, repr=False)

    def visit(self, times: tuple[int, int] | None = None, slices: int = 1 << 30) -> Reason | str:
        """Read at most so many slices; return why reading began where it began, or why the file is gone.

        `times` stand in for the file's mtime and ctime, where a test cannot wait for the clock of the file system.
        """
        now_ns = time.time_ns()
        opened = files.open_file(self.path)
        if isinstance(opened, files.Gone):
            return opened.reason
        stat = files.settled(opened.stat, now_ns)
        if times:
            stat = replace(stat, mtime_ns=times[0], ctime_ns=times[1])
        try:
            return self._read(opened.fd, stat, slices)
        finally:
            os.close(opened.fd)

    def _read(self, fd: int, stat: FileStat, slices: int) -> Reason:
        begin = tail.start(stat, self.checkpoint, fd)
        if begin.reason not in (Reason.UNCHANGED, Reason.RESUME):
            self.checkpoint, self.lines, self.mark = self._fresh(stat), (), None
        if begin.reason is not Reason.UNCHANGED:
            while slices > 0 and self._more(fd, stat):
                slices -= 1
        return begin.reason

    def _fresh(self, stat: FileStat) -> Checkpoint:
        generation = self.checkpoint.generation + 1 if self.checkpoint else 0
        empty = HeadPrint(0, tail.digest(b""))
        return Checkpoint(self.path, stat.device, stat.inode, generation, 0, empty, empty.digest, 0, 0, 0, "test")

    def _more(self, fd: int, stat: FileStat) -> bool:
        """Read one slice; return True if there may be another."""
        known = self.checkpoint
        limits = (self.max_bytes, self.max_line_bytes, self.mark)
        part = tail.read_slice(fd, known.offset, *limits, expected=known.tail_digest, max_lines=self.max_lines)
        if part.torn:
            return False
        self.lines += part.lines
        self.mark = part.scanned_to
        self.checkpoint = replace(
            known,
            offset=part.offset,
            head=part.head,
            tail_digest=part.tail_digest,
            size=stat.size,
            mtime_ns=stat.mtime_ns,
            ctime_ns=stat.ctime_ns,
        )
        return not part.at_end


def write(path: bytes, content: bytes, mode: str = "wb") -> None:
    with open(path, mode) as file:
        file.write(content)


def lines(count: int, word: bytes = b"line", first: int = 0) -> bytes:
    """Return numbered lines of 20 bytes."""
    return b"".join(b"%-12s%07d\n" % (word, number) for number in range(first, first + count))


def raws(tailer: Tailer) -> bytes:
    return b"".join(line.raw + b"\n" for line in tailer.lines)
