"""The form of a conversation that is told as a whole at each change: one that is replayed, or lies in several files.

What such a file said before says nothing of what it says later: it is compacted, cut back, or only leads to others. So
all of it is told again, as the rows of a database are, and what was told before is known by its digest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import msgspec

from importer.formats._shared import salvage

MARK = b"\xef\xbb\xbf"  # of byte order, which some editors write
BLANKS = b" \t\r\n\0"


class JournalPieces(Protocol):
    """The main file of such a conversation, and what lies around it; names are relative to the main file's folder."""

    @property
    def path(self) -> bytes:
        """Where the main file is."""

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of the main file; one that is too long comes in parts. Raises OSError."""

    def read(self, name: str) -> bytes:
        """Return what a file holds as far as one may be long; b"" where there is none."""

    def names(self, name: str) -> list[str]:
        """Return what is in a folder, sorted; nothing where there is none."""


def opens_object(head: bytes) -> bool:
    """Return True for the beginning of a JSON object, perhaps behind blanks."""
    return head.removeprefix(MARK).lstrip(BLANKS).startswith(b"{")


def records(pieces: JournalPieces) -> Iterator[Any]:
    """Yield the record of each line, damaged ones as far as they can be saved; a text for what cannot be read."""
    for raw in pieces.lines():
        try:
            yield msgspec.json.decode(raw)
        except (ValueError, RecursionError):  # the slow path, also for blank lines
            whole = salvage.whole(raw)
            yield from map(msgspec.json.decode, whole.parts)
            yield from (f"a line that cannot be read: {problem}" for problem in whole.problems)


def nothing_beside(_: JournalPieces) -> Iterable[str]:
    """Return no names: what lies around the main file changes with it, or does not matter."""
    return ()


class Journal(msgspec.Struct, frozen=True):
    """How to know such a file, by its path and its first bytes, and what around it changes the conversation.

    `beside` gives the names of files and folders whose size and time count as the main file's own do.
    """

    called: Callable[[bytes], bool]
    opens: Callable[[bytes], bool]
    beside: Callable[[JournalPieces], Iterable[str]] = nothing_beside
