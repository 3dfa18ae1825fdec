"""Fold a known file once more, from its first line to its committed offset: the chunks the store should have.

Nothing is written and nothing is remembered: the same pure pieces that imported the file give the same chunks again,
one slice at a time. The end of what was committed is surfaced, as it was when it was imported. Projects that are not
selected are folded too: the caller judges by `Reading.selection`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from importer import formats
from importer.chunking.fold import Folding
from importer.protocol.conversations import NOTHING
from importer.protocol.records import Checkpoint, Chunk, ConversationFacts, FileStat, Reason
from importer.reading import reader, tail
from importer.reading.gather import Reading, SliceFold, context_of, with_facts
from importer.reading.pipeline import UNKNOWN_FORMAT, ResumeState
from importer.sources import files
from importer.state.checkpoints import Checkpoints

_states = msgspec.json.Decoder(ResumeState)


class Unread(Exception):
    """File that is not what its checkpoint says: `gone`, or else to be read again by the next import."""

    def __init__(self, reason: str, *, gone: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone


def known_files(checkpoints: Checkpoints) -> Iterator[tuple[int, Checkpoint]]:
    """Return every file with a checkpoint and a format, by the number of its row, a page of rows at a time.

    The path is b"" of one that another file has taken the path of; it cannot be read any more.
    """
    return (found for found in checkpoints.all_files() if found[1].format != UNKNOWN_FORMAT)


def fold_state(checkpoint: Checkpoint) -> Folding:
    """Return what the chunk fold remembered at the committed offset; empty when that is lost."""
    return _states.decode(checkpoint.context).fold if checkpoint.context else Folding()


def _unpacked(checkpoint: Checkpoint) -> int:
    """Return how far a packed file was read, in unpacked bytes; 0 for any other."""
    return _states.decode(checkpoint.context).unpacked if checkpoint.context else 0


class Refold:
    """Chunks of one file, by iterating. Raises Unread. `folding` is the state after all that was folded.

    `leads` is the rule to cut by, as in `Folding`; that of the file without it.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        reading: Reading,
        told: Callable[[str, str], ConversationFacts] = lambda _source, _name: NOTHING,
        leads: int | None = None,
    ) -> None:
        self._checkpoint, self._reading, self._told = checkpoint, reading, told
        known = fold_state(checkpoint)
        self.folding = Folding(mark=known.mark, leads=known.leads if leads is None else leads)

    def __iter__(self) -> Iterator[tuple[Chunk, ...]]:
        """Yield the chunks of each slice in turn, what stands open at the end last."""
        known = self._checkpoint
        opened = files.open_file(known.path, known.device, known.inode)
        while isinstance(opened, files.Gone) and opened.more:
            opened = files.open_file(known.path, known.device, known.inode)
        if isinstance(opened, files.Gone):
            raise Unread(opened.reason, gone=not os.path.lexists(known.path))
        try:
            start = tail.start(opened.stat, known, opened.fd)
            if start.reason not in {Reason.UNCHANGED, Reason.RESUME}:
                raise Unread(f"the file was {start.reason}")
            if reader.rewritten(opened.fd, opened.stat, known, formats.load(known.format)):
                raise Unread("the document was written again")
            yield from self._slices(opened.fd, opened.stat)
        except OSError as error:
            raise Unread(error.strerror or str(error)) from error
        finally:
            os.close(opened.fd)

    def _slices(self, fd: int, stat: FileStat) -> Iterator[tuple[Chunk, ...]]:
        """Read as the importer does, but never surface in between: outgrown forms are not expected anywhere."""
        known, reading = self._checkpoint, self._reading
        format = formats.load(known.format)
        context: Any = format.begin(known.path)
        source, unpacked = reader.SliceReader(), _unpacked(known)
        end = unpacked or known.offset
        offset: int = 0
        mark: object = None
        while offset < end:
            place = reader.Position(0, unpacked=offset) if unpacked else reader.Position(offset, mark)
            part = source.read(reader.OpenFile(fd, stat), format, reading, place)
            if part.torn or (part.at_end and part.offset < end):
                raise Unread("the file changed while it was read")
            gathered = self._gathering(context, offset)
            for line in part.lines:
                if line.start < end:  # a slice may reach behind the committed offset
                    gathered.feed(line)
            context, self.folding = gathered.context, gathered.folding
            offset, mark = part.offset, part.scanned_to
            yield self._with_facts(gathered)
        last = self._gathering(context, offset)
        last.finish(settled=getattr(self._end(), "ended", False))
        last.surface(at_end=True)
        self.folding = last.folding
        yield self._with_facts(last)

    def _end(self) -> Any:
        """Return the format's context at the committed offset."""
        known = self._checkpoint
        parse = _states.decode(known.context).parse if known.context else b"null"
        return context_of(formats.load(known.format), known.path, parse)

    def _with_facts(self, gathered: SliceFold) -> tuple[Chunk, ...]:
        """Return the chunks as they are stored: they tell what is known of their conversations, forgotten ones go."""
        known, forgotten = self._checkpoint, self._reading.forgotten
        told = with_facts(gathered.chunks, known.format, self._told)
        return tuple(chunk for chunk in told if not forgotten(known.path, chunk.metadata))

    def _gathering(self, context: Any, offset: int) -> SliceFold:
        """Return the fold as it stands, ready for the lines from `offset` on."""
        known = self._checkpoint
        return SliceFold(self._reading, formats.load(known.format), known.path, context, self.folding, offset)
