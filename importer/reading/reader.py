"""One bounded read of a file of any kind: complete lines, the units of a document, or lines that are packed.

The kind is asked of the first bytes at every read, for a rewrite may change it. All three kinds give a `tail.Slice`;
behind this module, only its `passed` tells that a file is packed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import msgspec

from importer import formats
from importer.formats import Document, Format
from importer.formats._shared import json_text
from importer.protocol.records import Checkpoint, FileStat
from importer.reading import document, recognition, tail, zstd
from importer.reading.gather import Reading, context_of
from importer.reading.zstd import Unpacker

KEPT_FORMS = 64  # files whose form is remembered
AHEAD_BYTES = 64  # of what came behind a text: they tell whether a new line or paragraph begins
SETTLED_NS = 10 * 10**9  # what is half-written and was left alone for so long will not be finished


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that is open for reading, as it was found. The caller closes `fd`; `stat` was taken of it.

    `settled`: no program has written to it for a while, so what is half-written will not be finished.
    """

    fd: int
    stat: FileStat
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Position:
    """The place to read on from: an offset, the `scanned_to` of the slice before, and the digest before the offset.

    `mark` belongs to the kind of file that gave it; any other kind ignores it. A packed file is read on from
    `unpacked`, an offset in its unpacked bytes.
    """

    offset: int
    mark: object = None
    expected: bytes | None = None
    unpacked: int = 0


@dataclass(frozen=True, slots=True)
class SliceReader:
    """Reads one slice of any file. Remembers packed files that are half read (`Unpacker`), and forms of files.

    `final`: no later look comes back soon, so a last line that is a whole record or text is taken without its newline.
    """

    final: bool = False
    _unpacker: Unpacker = field(default_factory=Unpacker)
    _forms: dict[tuple[str, FileStat], Document | None] = field(default_factory=dict)

    def read(self, file: OpenFile, source: Format, reading: Reading, position: Position) -> tail.Slice:
        """Read the lines or units from a position on. Raises OSError."""
        fd, stat, settled = file.fd, file.stat, file.settled
        bounds = (reading.slice_bytes, reading.max_line_bytes)
        if zstd.is_packed(fd):
            if position.offset == stat.size:  # unpacking all of it again would show nothing new
                return tail.Slice((), position.unpacked, True, None, *zstd.vouch(fd, stat.size), passed=stat.size)
            return self._unpacker.read_slice(fd, stat, position.unpacked, *bounds, settled=settled)
        units = self._form(file, source)
        if units is not None:
            limits = document.UnitLimits(*bounds, settled=settled)
            return document.read_slice(fd, stat, position.offset, units, limits, mark=position.mark)
        mark = position.mark if isinstance(position.mark, tail.ScanMark) else None
        return tail.read_slice(
            *(fd, position.offset, *bounds, mark),
            expected=position.expected,
            whole=bool if hasattr(source, "ending") else formats.is_record,
            settled=settled or self.final,
        )

    def _form(self, file: OpenFile, source: Format) -> Document | None:
        """Return how a file falls into units; looked for once, however many slices it has."""
        key = (source.NAME, file.stat)
        if key not in self._forms:
            if len(self._forms) >= KEPT_FORMS:
                self._forms.clear()
            self._forms[key] = _declared(file.fd, source)
        return self._forms[key]


def shortened(fd: int, part: tail.Slice, offset: int) -> tail.Slice:
    """Cut a slice at `offset`, the end of one of its lines, for a caller that stopped there. Raises OSError."""
    shorten = tail.shortened if part.passed is None else zstd.shortened
    return shorten(fd, part, offset)


def rewritten(fd: int, stat: FileStat, known: Checkpoint, source: Format) -> bool:
    """Return True for a document or packed file that changed since its checkpoint: it is written whole, all may be new.

    Raises OSError.
    """
    changed = (known.size, known.mtime_ns) != (stat.size, stat.mtime_ns)
    return changed and (zstd.is_packed(fd) or _declared(fd, source) is not None)


def goes_on(fd: int, stat: FileStat, known: Checkpoint, parse: bytes | msgspec.Raw) -> bool:
    """Return True if what has come behind a text belongs to a line or paragraph that was taken for whole at its end.

    `parse` is the format's context there. Raises OSError.
    """
    source = formats.load(known.format)
    judge = getattr(source, "goes_on", None)
    if judge is None or not 0 < known.offset < stat.size:
        return False
    context = context_of(source, known.path, parse)
    around = os.pread(fd, 1 + AHEAD_BYTES, known.offset - 1)
    before, ahead = around[:1], around[1:]
    if before == b"\n":
        return bool(judge(context, ahead))
    late = ahead.removeprefix(b"\r").startswith(b"\n")
    return not late or bool(judge(context, ahead.partition(b"\n")[2]))


def settled(stat: FileStat, now_ns: int) -> bool:
    """Return True for a file that was left alone for SETTLED_NS; `now_ns` is UTC."""
    return stat.ctime_ns != 0 and now_ns - stat.ctime_ns > SETTLED_NS


def _declared(fd: int, source: Format) -> Document | None:
    """Return how the file falls into units if it is a document, None if it is lines."""
    if not hasattr(source, "DOCUMENT"):  # most formats know lines alone, and need no look at the file
        return None
    head = os.pread(fd, formats.HEAD_BYTES, 0)
    found = formats.document(source, head)
    if found is None and len(head) == formats.HEAD_BYTES and json_text.unfinished(head):
        return formats.document(source, head, recognition.outline_of(fd, head))
    return found
