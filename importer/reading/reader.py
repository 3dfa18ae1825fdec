"""One bounded read of a file, whatever it is: complete lines, the units of a document, or lines that are packed.

What kind a file is of, is asked of its first bytes at every read, for a rewrite may change it. All three give a
`tail.Slice`; behind this module, only its `passed` tells that a file is packed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from importer import formats
from importer.formats import Document, Format
from importer.protocol.records import Checkpoint, FileStat
from importer.reading import document, tail, zstd
from importer.reading.gather import Reading
from importer.reading.zstd import Unpacking

SETTLED_NS = 10 * 10**9  # what is half-written and was left alone for so long will not be finished


@dataclass(frozen=True, slots=True)
class Place:
    """Where to read on: an offset, the `scanned_to` of the slice before, and the digest expected before the offset.

    `mark` belongs to the kind of file that gave it; any other kind ignores it. `unpacked` is the offset in place of the
    other in a packed file.
    """

    offset: int
    mark: object = None
    expected: bytes | None = None
    unpacked: int = 0


@dataclass(frozen=True, slots=True)
class Slices:
    """Reads slices of files. Remembers only packed files that are under way, see `Unpacking`."""

    _unpacking: Unpacking = field(default_factory=Unpacking)

    def read(
        self, fd: int, stat: FileStat, reader: Format, reading: Reading, place: Place, *, settled: bool = True
    ) -> tail.Slice:
        """The lines or units from a place on; `settled` says that nobody is writing any more. Raises OSError."""
        bounds = (reading.slice_bytes, reading.max_line_bytes)
        if zstd.is_packed(fd):
            if place.offset == stat.size:  # unpacking all of it again would show nothing new
                return tail.Slice((), place.unpacked, True, None, *zstd.vouch(fd, stat.size), passed=stat.size)
            return self._unpacking.read_slice(fd, stat, place.unpacked, *bounds, settled=settled)
        units = _declared(fd, reader)
        if units is not None:
            limits = document.Limits(*bounds, settled=settled)
            return document.read_slice(fd, stat, place.offset, units, limits, mark=place.mark)
        mark = place.mark if isinstance(place.mark, tail.Mark) else None
        return tail.read_slice(
            fd, place.offset, *bounds, mark, expected=place.expected, whole=formats.is_record, settled=settled
        )


def shortened(fd: int, part: tail.Slice, offset: int) -> tail.Slice:
    """The slice up to `offset`, the end of one of its lines, for a caller that stopped there. Raises OSError."""
    shorten = tail.shortened if part.passed is None else zstd.shortened
    return shorten(fd, part, offset)


def head(fd: int) -> bytes:
    """What a format is recognised by: the first `formats.HEAD_BYTES`, unpacked. Raises OSError."""
    if zstd.is_packed(fd):
        return zstd.head(fd, formats.HEAD_BYTES)
    return os.pread(fd, formats.HEAD_BYTES, 0)


def rewritten(fd: int, stat: FileStat, known: Checkpoint, reader: Format) -> bool:
    """Whether a document or packed file changed since its checkpoint: they are written whole, so all may be new."""
    changed = (known.size, known.mtime_ns) != (stat.size, stat.mtime_ns)
    return changed and (zstd.is_packed(fd) or _declared(fd, reader) is not None)


def settled(stat: FileStat, now_ns: int) -> bool:
    """Whether a file was left alone for a while; `now_ns` is UTC."""
    return stat.ctime_ns != 0 and now_ns - stat.ctime_ns > SETTLED_NS


def _declared(fd: int, reader: Format) -> Document | None:
    """How the file falls into units if it is a document, None if it is lines."""
    if not hasattr(reader, "DOCUMENT"):  # most formats know lines alone, and need no look at the file
        return None
    return formats.document(reader, os.pread(fd, formats.HEAD_BYTES, 0))
