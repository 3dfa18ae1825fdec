"""Read packed files: lines compressed with Zstandard, as Codex keeps conversations it has archived.

Offsets of lines count unpacked bytes, as `zstd -dc FILE` writes them. A checkpoint can only vouch for packed bytes, of
which one read takes in more than it gives out; how far the lines went stands in its context beside it (`unpacked`).
To go on there the file is unpacked from its start and what was read is passed over, unless that is still under way.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field

from importer.protocol.records import FileStat, HeadPrint, Line
from importer.protocol.system import zstandard
from importer.reading import tail

MAGIC = b"\x28\xb5\x2f\xfd"
READ_BYTES = 64 * 1024  # packed
BLOCK_BYTES = 256 * 1024  # unpacked
WINDOW_LOG = 23  # what unpacking may remember, 8 MB: any level up to 19 does with it
ENDLESS_BYTES = 256 * 1024 * 1024  # a line so long ends the file, for it is no conversation: 0.3 s
DENSE_BYTES = 64 * 1024 * 1024  # from here on, what is packed must not be much denser than text can be
DENSEST = 250  # as for ZIP archives; text gives 3 to 20, a file of one repeated line thousands
TOO_DENSE = "it is packed more densely than conversations are"
KEPT = 2  # under way at the same time, some 3 MB each
DAMAGED = "what is packed is damaged from here on"
ENDLESS = "a line without an end"

Key = tuple[int, int, int, int]


def is_packed(fd: int) -> bool:
    """Return True if the file is a Zstandard frame. Raises OSError."""
    return os.pread(fd, len(MAGIC), 0) == MAGIC


def head(fd: int, size_bytes: int) -> bytes:
    """Unpack the first bytes, or as many as there are. Raises OSError."""
    stream = UnpackedStream(fd)
    while len(stream.ahead) < size_bytes and stream.more():
        pass
    return bytes(stream.ahead[:size_bytes])


@dataclass(slots=True)
class _Source:
    """The packed bytes that the library reads. The descriptor is another one at each visit."""

    fd: int
    at: int = 0

    def read(self) -> bytes:
        """Read the next packed bytes."""
        block = os.pread(self.fd, READ_BYTES, self.at)
        self.at += len(block)
        return block


class _Frames:
    """What is packed in a file, which may be several frames in a row, as after `cat a.zst b.zst`."""

    def __init__(self, source: _Source) -> None:
        self._source = source
        self._unpacker = zstandard.unpacker(WINDOW_LOG)

    def read(self, most_bytes: int) -> bytes:
        """Unpack some bytes; b"" at the end, or where the rest is not written yet. Raises the library's ZstdError."""
        while True:
            if self._unpacker.eof:
                packed = self._unpacker.unused_data or self._source.read()
                self._unpacker = zstandard.unpacker(WINDOW_LOG) if packed else self._unpacker
            else:
                packed = self._source.read() if self._unpacker.needs_input else b""
            if not packed and (self._unpacker.eof or self._unpacker.needs_input):
                return b""
            if block := self._unpacker.decompress(packed, most_bytes):
                return bytes(block)


class UnpackedStream:
    """A file being unpacked: `ahead` are the bytes from the offset `at` on, which were not used up yet.

    `problem` says why it ended before the end of the file.
    """

    def __init__(self, fd: int) -> None:
        self.source = _Source(fd)
        self.at = 0
        self.ahead = bytearray()
        self.problem = ""
        self._error: type[Exception] = zstandard.library().ZstdError
        self._reader = _Frames(self.source)

    def more(self) -> bool:
        """Unpack one more block; return False at the end."""
        if self.problem:
            return False
        try:
            block = self._reader.read(BLOCK_BYTES)
        except self._error as error:
            self.problem = f"{DAMAGED}: {error}"
            block = self._before_damage()
        self.ahead += block
        return bool(block)

    def check_density(self) -> None:
        """Have the file end here if it is packed more densely than text can be."""
        if self.at + len(self.ahead) > max(DENSE_BYTES, DENSEST * self.source.at):
            self.problem = self.problem or TOO_DENSE

    def _before_damage(self) -> bytes:
        """Unpack what is whole of a damaged block: the library drops it, so it is read again byte by byte."""
        reader, found = _Frames(_Source(self.source.fd)), bytearray()
        left = self.at + len(self.ahead)
        with suppress(self._error):  # raised where the damage is
            while left and (passed := reader.read(min(left, BLOCK_BYTES))):
                left -= len(passed)
            while byte := reader.read(1):
                found += byte
        return bytes(found)

    def advance(self, offset: int) -> None:
        """Drop all bytes before `offset`."""
        while self.at + len(self.ahead) < offset:
            self.at += len(self.ahead)
            self.ahead.clear()
            if not self.more():
                return
        del self.ahead[: offset - self.at]
        self.at = offset

    def pass_line(self) -> Line:
        """Skip the line that begins ahead, however long, without keeping it."""
        start, sample = self.at, bytes(self.ahead[: tail.SAMPLE_BYTES])
        while (newline := self.ahead.find(b"\n")) < 0:
            self.at += len(self.ahead)
            self.ahead.clear()
            if self.at - start > ENDLESS_BYTES:
                self.problem = ENDLESS
            if not self.more():
                return Line(start, self.at, sample, oversized=True)
        self.advance(self.at + newline + 1)
        return Line(start, self.at, sample, oversized=True)


@dataclass(slots=True)
class Unpacker:
    """Reads packed files, a few of them without beginning anew for each slice."""

    _streams: OrderedDict[Key, UnpackedStream] = field(default_factory=OrderedDict)

    def read_slice(
        self, fd: int, stat: FileStat, offset: int, max_bytes: int, max_line_bytes: int, *, settled: bool
    ) -> tail.Slice:
        """Read the lines from the unpacked `offset` on, as `tail.read_slice` reads them. Raises OSError.

        Once the file is settled, its last line needs no newline.
        """
        stream = self._take(fd, stat, offset)
        found = _lines(stream, max_bytes, max_line_bytes)
        waiting = found.half and not settled
        lines = found.lines[:-1] if waiting else found.lines
        # the size itself says that all is read; until then it must be less, however far the reader has got
        passed = stat.size if found.ended and not waiting else min(stream.source.at, stat.size - 1)
        vouched = vouch(fd, passed)
        now = os.fstat(fd)
        if (now.st_size, now.st_mtime_ns) != (stat.size, stat.mtime_ns):
            return tail.Slice((), offset, True, None, *vouched, torn=True)
        end = lines[-1].end if lines else offset
        return tail.Slice(lines, end, found.ended, None, *vouched, waiting=waiting, passed=passed)

    def _take(self, fd: int, stat: FileStat, offset: int) -> UnpackedStream:
        """Return the file's stream, moved to an offset."""
        key = (stat.device, stat.inode, stat.size, stat.mtime_ns)  # of a file that changed, it is another
        stream = self._streams.pop(key, None)
        if stream is None or stream.at > offset:
            stream = UnpackedStream(fd)
        stream.source.fd = fd
        stream.advance(offset)
        self._streams[key] = stream
        while len(self._streams) > KEPT:
            self._streams.popitem(last=False)
        return stream


def vouch(fd: int, passed: int) -> tuple[HeadPrint, bytes]:
    """Return the digests of the packed bytes before an offset, for a checkpoint. Raises OSError."""
    return tail.head_print(fd, passed), tail.tail_digest(fd, passed)


def shortened(fd: int, part: tail.Slice, offset: int) -> tail.Slice:
    """Cut a slice at `offset`, the end of one of its lines. Raises OSError."""
    kept = tuple(line for line in part.lines if line.end <= offset)
    passed = max(0, (part.passed or 0) - 1)  # not all of the file, even if all of it was read
    return tail.Slice(kept, offset, False, None, *vouch(fd, passed), passed=passed)


@dataclass(frozen=True, slots=True)
class _UnpackedLines:
    """Lines found and not yet passed; `ended`: they are the file's last, and the last one may be `half` there."""

    lines: tuple[Line, ...]
    ended: bool
    half: bool = False


def _lines(stream: UnpackedStream, max_bytes: int, max_line_bytes: int) -> _UnpackedLines:
    """Find the lines within so many bytes, or one longer line."""
    ended, newline = False, stream.ahead.find(b"\n")
    while not ended and (newline < 0 or len(stream.ahead) < max_bytes):
        if newline < 0 and len(stream.ahead) > max_line_bytes:
            return _UnpackedLines((stream.pass_line(),), ended=False)
        begin = len(stream.ahead)
        stream.check_density()
        ended = not stream.more()
        newline = stream.ahead.find(b"\n", begin) if newline < 0 else newline
    *complete, rest = bytes(stream.ahead).split(b"\n", tail.SLICE_LINES)
    lines, end = [], stream.at
    for raw in complete:
        oversized = len(raw) > max_line_bytes
        lines.append(Line(end, end := end + len(raw) + 1, raw[: tail.SAMPLE_BYTES] if oversized else raw, oversized))
    ended = ended and b"\n" not in rest
    half = ended and bool(rest or stream.problem)
    if half:
        sample = rest[: tail.SAMPLE_BYTES] if stream.problem else rest
        lines.append(Line(end, end + len(rest), sample, problem=stream.problem))
    return _UnpackedLines(tuple(lines), ended, half)
