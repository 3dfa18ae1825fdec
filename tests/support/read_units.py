"""The units of a document, or the lines of a file, from bytes: as the importer reads them, in one slice or in many."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator
from contextlib import contextmanager

import zstandard
from foreign_database import SCRIPT, told, told_of_script

from importer import formats
from importer.chunking.fold import Cutting
from importer.protocol.records import Line
from importer.reading import reader, zstd
from importer.reading.gather import Reading
from importer.sources import files
from importer.sources.databases import journals


@contextmanager
def in_memory(raw: bytes) -> Iterator[int]:
    """Open a file that has no name."""
    fd = os.memfd_create("units")
    try:
        os.write(fd, raw)
        yield fd
    finally:
        os.close(fd)


def units(name: str, raw: bytes, *, settled: bool = True, slice_bytes: int = 1 << 20, **limits: int) -> list[Line]:
    """Return every unit there is, for any size of the slices."""
    reading = Reading(Cutting(1000, 200), "host", slice_bytes=slice_bytes, **limits)
    with in_memory(raw) as fd:
        stat = files.file_stat(b"", os.fstat(fd))
        found: list[Line] = []
        source, offset, mark, at_end = reader.SliceReader(), 0, None, False
        while not at_end:
            position = reader.Position(offset, mark, None, offset)
            part = source.read(reader.OpenFile(fd, stat, settled), formats.load(name), reading, position)
            assert not part.torn
            assert part.at_end or part.lines or part.scanned_to is not None, "no progress"
            assert part.lines or part.scanned_to != mark or part.at_end, "no progress"
            found += part.lines
            offset, mark, at_end = part.offset, part.scanned_to, part.at_end
        return found


def content(path: str) -> bytes:
    """Return what a file holds, unpacked; of a database's script or a journal, the lines that are told of it."""
    if path.endswith(SCRIPT):
        return told_of_script(pathlib.Path(path))
    if journals.is_journal(os.fsencode(path)):
        return told(pathlib.Path(path))
    with open(path, "rb") as file:
        raw = file.read()
    return zstandard.ZstdDecompressor().decompress(raw) if raw.startswith(zstd.MAGIC) else raw


def raws(name: str, raw: bytes) -> list[bytes]:
    """Return what the format is fed of a file; a last line without its newline is left out."""
    return [line.raw for line in units(name, raw)]
