"""Tell where today's redaction masks something in files, without importing them: of a conversation in what was said,
of any other text in its lines.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from importer import formats
from importer.chunking.redact import find, mask_facts
from importer.protocol.records import Turn
from importer.reading import reader, recognition
from importer.reading.gather import Reading
from importer.sources import files

BLOCK_BYTES = 8 * 1024 * 1024  # of a plain text that are looked at together: a key block stands in several lines
NAMES = ("project", "cwd", "git_branch")


class FoundSecret(NamedTuple):
    """A secret in a file: the number of the line (of a document, of the unit) it stands in, its kind, its length."""

    line: int
    kind: str
    chars: int


def below(path: bytes) -> Iterator[bytes]:
    """Yield the files at and below a path in order; links are not followed."""
    if not os.path.isdir(path):
        yield path
        return
    for base, folders, names in os.walk(path):
        folders.sort()
        yield from (os.path.join(base, name) for name in sorted(names) if not os.path.islink(os.path.join(base, name)))


def secrets_in(path: bytes, reading: Reading, unread: Callable[[str], None]) -> Iterator[FoundSecret]:
    """Yield what would be masked in a file; `unread` is told why one cannot be read."""
    opened = files.open_file(path)
    while isinstance(opened, files.Gone) and opened.more:
        opened = files.open_file(path)
    if isinstance(opened, files.Gone):
        unread(opened.reason)
        return
    try:
        name = recognition.recognise(opened.fd, reading.max_line_bytes)
        file = reader.OpenFile(opened.fd, opened.stat)
        yield from _in_turns(file, formats.load(name), reading) if name else _in_text(opened.fd)
    except OSError as error:
        unread(error.strerror or str(error))
    finally:
        os.close(opened.fd)


def _in_turns(file: reader.OpenFile, source: formats.Format, reading: Reading) -> Iterator[FoundSecret]:
    """Yield what stands in the turns of a conversation's file."""
    slices, context, number = reader.SliceReader(final=True), source.begin(file.stat.path), 0
    place = reader.Position(0)
    while True:
        part = slices.read(file, source, reading, place)
        for line in part.lines:
            number += 1
            if line.oversized or line.problem:
                continue
            fed = source.feed(context, line.raw, reading.options)
            context = fed.context
            for turn in fed.turns:
                yield from _in_turn(turn, number)
        if part.at_end or part.torn:
            return
        at = part.offset
        place = reader.Position(at, part.scanned_to, unpacked=at)


def _in_turn(turn: Turn, number: int) -> Iterator[FoundSecret]:
    """Yield what is masked in a turn: its text and title, and the tokens in its names."""
    for text in (turn.text, turn.facts.title):
        for span in find(text):
            yield FoundSecret(number, span.kind, span.end - span.start)
    now = mask_facts(turn.facts)
    pairs: list[tuple[Any, Any]] = [(getattr(turn.facts, name), getattr(now, name)) for name in NAMES]
    for name, masked in (*pairs, *zip(turn.facts.files, now.files, strict=True)):
        if name != masked:
            yield FoundSecret(number, "name", len(name))


def _in_text(fd: int) -> Iterator[FoundSecret]:
    """Yield what stands in a plain text, a block of whole lines at a time; a binary file has none."""
    at, first, rest = 0, 1, b""
    while block := os.pread(fd, BLOCK_BYTES, at):
        if at == 0 and b"\0" in block[:BLOCK_BYTES]:
            return
        at += len(block)
        whole, newline, rest = (rest + block).rpartition(b"\n")
        if newline:
            yield from _in_lines(whole.decode("utf-8", "replace"), first)
            first += whole.count(b"\n") + 1
    yield from _in_lines(rest.decode("utf-8", "replace"), first)


def _in_lines(text: str, first: int) -> Iterator[FoundSecret]:
    """Yield the secrets of a text whose first line has the number `first`."""
    seen, at = first, 0
    for span in find(text):
        seen, at = seen + text.count("\n", at, span.start), span.start
        yield FoundSecret(seen, span.kind, span.end - span.start)
