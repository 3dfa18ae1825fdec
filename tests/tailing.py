"""A reader of one file as the daemon has it: a checkpoint, a look at the file, the lines that came."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace

from importer import opening, tail
from importer.records import Checkpoint, HeadPrint, Line, Reason


@dataclass
class Tailer:
    """Reads a path whenever told. `lines` are those delivered since the current generation began.

    `ctime_ns` is a logical clock: real ones move in steps of milliseconds, which is not what is tested here.
    """

    path: bytes
    max_bytes: int = 64
    max_line_bytes: int = 1 << 20
    max_lines: int = 3
    checkpoint: Checkpoint | None = None
    lines: list[Line] = field(default_factory=list)

    def visit(self, ctime_ns: int = 0, slices: int = 1 << 30) -> Reason | str:
        """Read at most so many slices; the reason for beginning where it began, or why the file is gone."""
        opened = opening.open_file(self.path)
        if isinstance(opened, opening.Gone):
            return opened.reason
        try:
            stat = opened.stat if not ctime_ns else replace(opened.stat, ctime_ns=ctime_ns, mtime_ns=ctime_ns)
            return self._read(replace(opened, stat=stat), slices)
        finally:
            os.close(opened.fd)

    def _read(self, opened: opening.Opened, slices: int) -> Reason:
        begin = tail.start(opened.stat, self.checkpoint, opened.fd)
        if begin.reason is Reason.UNCHANGED:
            return begin.reason
        if begin.reason is not Reason.RESUME or self.checkpoint is None:
            self.lines = []
            self.checkpoint = self._fresh(opened)
        mark = None
        while slices > 0:
            part = tail.read_slice(
                opened.fd,
                self.checkpoint.offset,
                self.max_bytes,
                self.max_line_bytes,
                mark,
                expected=self.checkpoint.tail_digest,
                max_lines=self.max_lines,
            )
            assert not part.torn
            mark = part.scanned_to
            self._take(part, opened)
            slices -= 1
            if part.at_end:
                break
        return begin.reason

    def _fresh(self, opened: opening.Opened) -> Checkpoint:
        former = self.checkpoint
        empty = HeadPrint(0, tail.digest(b""))
        at = opened.stat
        generation = former.generation + 1 if former else 0
        return Checkpoint(self.path, at.device, at.inode, generation, 0, empty, empty.digest, 0, 0, 0, "test")

    def _take(self, part: tail.Slice, opened: opening.Opened) -> None:
        assert self.checkpoint is not None
        self.lines += part.lines
        self.checkpoint = replace(
            self.checkpoint,
            offset=part.offset,
            head=part.head,
            tail_digest=part.tail_digest,
            size=opened.stat.size,
            mtime_ns=opened.stat.mtime_ns,
            ctime_ns=opened.stat.ctime_ns,
        )
