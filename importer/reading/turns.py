"""Read all turns of one file, whole and in order, as an import reads them: for a person who opens a conversation.

Nothing is remembered and no state is asked; a last line without its newline counts when it is a whole record. Memory is
bounded as in an import: one slice at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from os import close
from typing import Any

from importer import formats
from importer.chunking.fold import Folding
from importer.chunking.metadata import short
from importer.formats import Format
from importer.protocol.records import Turn
from importer.reading import reader
from importer.reading.gather import Reading, SliceFold
from importer.reading.tail import Slice
from importer.sources import files


class UnreadableFile(Exception):
    """A file that is gone, or that cannot be read now."""


@dataclass(slots=True)
class _TurnFold(SliceFold):
    """A fold that keeps the turns that it accepts, masked as it masks them."""

    accepted: list[Turn] = field(default_factory=list)

    def _hear(self, turn: Turn, project: str) -> None:
        """Keep a turn with text."""
        facts = replace(turn.facts, project=project)
        self.accepted.append(replace(turn, conversation_id=short(turn.conversation_id), facts=facts))


def turns_of(path: bytes, format_name: str, reading: Reading) -> Iterator[Turn]:
    """Yield the turns of the file at `path`, of all its conversations.

    Raises Unreadable, also between two turns when the file is written anew meanwhile.
    """
    source = formats.load(format_name)
    context: Any = source.begin(path)
    folding, offset = Folding(), 0
    for part in _parts(path, source, reading):
        gathered = _TurnFold(reading, source, path, context, folding, offset)
        for line in part.lines:
            gathered.feed(line)
        if part.at_end:
            gathered.finish(settled=True)
        yield from gathered.accepted
        context, folding, offset = gathered.context, gathered.folding, part.offset


def lines_of(path: bytes, format_name: str, reading: Reading) -> Iterator[bytes]:
    """Yield the lines of the file at `path`, or the units of a document or database, that can be read.

    Raises Unreadable.
    """
    for part in _parts(path, formats.load(format_name), reading):
        yield from (line.raw for line in part.lines if not (line.oversized or line.problem))


def _parts(path: bytes, source: Format, reading: Reading) -> Iterator[Slice]:
    """Yield a file slice by slice. Raises Unreadable."""
    opened = files.open_file(path)
    while isinstance(opened, files.Gone) and opened.more:  # a member of an archive is being unpacked
        opened = files.open_file(path)
    if isinstance(opened, files.Gone):
        raise UnreadableFile(opened.reason)
    try:
        yield from _slices(reader.OpenFile(opened.fd, opened.stat), source, reading)
    except OSError as error:
        raise UnreadableFile(error.strerror or str(error)) from error
    finally:
        close(opened.fd)


def _slices(file: reader.OpenFile, source: Format, reading: Reading) -> Iterator[Slice]:
    """Yield the slices of an open file. Raises OSError and Unreadable."""
    slices, position = reader.SliceReader(final=True), reader.Position(0)
    while True:
        part = slices.read(file, source, reading, position)
        if part.torn:
            raise UnreadableFile("it was written anew while it was read")
        yield part
        if part.at_end:
            return
        position = (
            reader.Position(part.offset, part.scanned_to)
            if part.passed is None
            else reader.Position(0, unpacked=part.offset)
        )
