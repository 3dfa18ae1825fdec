"""Journals: files that tell a whole conversation anew at each change, alone or with others that lie around them.

    chatSessions/<session>.jsonl                  lines that tell how a document changes, compacted now and then
    storage/session/<project>/<session>.json      leads to a file for each message, and for each part of one

Lines that were read say nothing of what stands there later, so all of it is told by its format (`replayed`) at each
change, as a database's rows are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from typing import Any

from importer import formats
from importer.formats._journal import Journal
from importer.protocol.system.plain import plain
from importer.sources.databases.queries import DatabaseListing, Member

NAME = b"chat"  # of the one conversation in a journal
JOURNAL_BYTES = 512 * 1024 * 1024  # a larger one is no chat, but what tools have put into it
LINE_BYTES = 256 * 1024 * 1024
PIECE_BYTES = 32 * 1024 * 1024
MOST_NAMES = 200_000
HEAD_BYTES = 256


class JournalFiles:
    """A journal's main file, and what lies around it: see `importer.formats._journal`."""

    def __init__(self, path: bytes) -> None:
        self.path = path
        self._folder = os.path.dirname(path)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of the main file. Raises OSError."""
        with open(self.path, "rb", opener=plain) as file:
            yield from iter(lambda: file.readline(LINE_BYTES), b"")

    def read(self, name: str) -> bytes:
        """Return what a file holds; b"" where there is none that can be read, or it is too long."""
        try:
            with open(self._place(name), "rb", opener=plain) as file:
                raw = file.read(PIECE_BYTES + 1)
        except OSError:
            return b""
        return raw if len(raw) <= PIECE_BYTES else b""

    def names(self, name: str) -> list[str]:
        """Return what is in a folder, sorted."""
        with suppress(OSError):
            return [os.fsdecode(one) for one in sorted(os.listdir(self._place(name)))[:MOST_NAMES]]
        return []

    def stamps(self, name: str) -> str:
        """Return what changes with a file or a folder; "" where there is none."""
        try:
            found = os.stat(self._place(name))
        except OSError:
            return ""
        return f"{found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"

    def newest_ns(self, name: str) -> int:
        """Return the time of a file's or a folder's last change, 0 where there is none."""
        with suppress(OSError):
            return os.stat(self._place(name)).st_mtime_ns
        return 0

    def _place(self, name: str) -> bytes:
        return os.path.join(self._folder, os.fsencode(name))


@lru_cache(maxsize=1)
def _journals(names: tuple[str, ...]) -> tuple[tuple[str, Journal], ...]:
    """Return the forms of journal that there are, by the names of their formats."""
    found = ((name, getattr(formats.load(name), "JOURNAL", None)) for name in names)
    return tuple((name, form) for name, form in found if form is not None)


def _form(path: bytes) -> tuple[str, Journal] | None:
    """Return the form of a file that is called like a journal, with its format; None for any other."""
    return next((one for one in _journals(formats.names()) if one[1].called(path)), None)


def is_called_journal(path: bytes) -> bool:
    """Return True if a file is called like a journal, and lies where journals do."""
    return _form(path) is not None


def is_journal(path: bytes) -> bool:
    """Return True if a file is called like a journal and begins like one. Raises OSError."""
    form = _form(path)
    if form is None:
        return False
    with open(path, "rb", opener=plain) as file:
        return form[1].opens(file.read(HEAD_BYTES))


def listing_of(path: bytes) -> DatabaseListing:
    """Return the one conversation of a journal, by the stamps of its files. Raises OSError."""
    name, form = _form(path) or ("", None)
    if form is None:
        return DatabaseListing()
    found, pieces = os.stat(path), JournalFiles(path)
    beside = list(form.beside(pieces))
    stamps = [pieces.stamps(one) for one in (os.path.basename(os.fsdecode(path)), *beside)]
    newest_ns = max(found.st_mtime_ns, *map(pieces.newest_ns, beside), 0)
    version = int.from_bytes(sha256("\n".join(stamps).encode()).digest()[:6], "big")
    return DatabaseListing(name, None, members={NAME: Member("", max(1, newest_ns // 10**6), version)})


def units_of(path: bytes) -> Iterator[Any]:
    """Yield what the conversation says that a journal ends with. Raises OSError."""
    form = _form(path)
    if os.stat(path).st_size > JOURNAL_BYTES:
        yield f"a journal of more than {JOURNAL_BYTES} bytes"
    elif form is not None:
        yield from formats.load(form[0]).replayed(JournalFiles(path))  # type: ignore[attr-defined]
