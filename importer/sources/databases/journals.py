"""Replay journals: files of JSON lines that tell how a document changes, as VS Code keeps its chats since 1.109.

A journal is compacted now and then and shrinks, so lines that were read say nothing of what stands there later: all of
it is replayed at each change, by its format (`replayed`), and the document's units are told as a database's rows are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from importer import formats
from importer.sources.databases.queries import Listing, Member

FOLDERS = (b"chatSessions", b"emptyWindowChatSessions", b"transferredChatSessions")
NAME = b"chat"  # of the one conversation in a journal
JOURNAL_BYTES = 512 * 1024 * 1024  # a larger one is no chat, but what tools have put into it
LINE_BYTES = 256 * 1024 * 1024
SHEET_BYTES = 64 * 1024
MARKS = (b'{"kind":0,', b'{"kind": 0,')


def is_called_journal(path: bytes) -> bool:
    """Return True if a file is called like a journal, and lies where journals do."""
    folder, _, name = path.rpartition(b"/")
    return name.endswith(b".jsonl") and folder.rpartition(b"/")[2] in FOLDERS


def is_journal(path: bytes) -> bool:
    """Return True if a file is called like a journal and begins like one. Raises OSError."""
    if not is_called_journal(path):
        return False
    with open(path, "rb") as file:
        return file.read(16).startswith(MARKS)


def listing_of(path: bytes) -> Listing:
    """Return the one conversation of a journal, by the stamps of the file. Raises OSError."""
    found = os.stat(path)
    stamps = f"{found.st_ino} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"
    version = int.from_bytes(sha256(stamps.encode()).digest()[:6], "big")
    return Listing(_format(), None, members={NAME: Member("", max(1, found.st_mtime_ns // 10**6), version)})


def units_of(path: bytes) -> Iterator[Any]:
    """Yield what the document says that a journal ends with. Raises OSError."""
    if os.stat(path).st_size > JOURNAL_BYTES:
        yield f"a journal of more than {JOURNAL_BYTES} bytes"
        return
    with open(path, "rb") as file:
        lines = iter(lambda: file.readline(LINE_BYTES), b"")
        yield from formats.load(_format()).replayed(lines, _sheet(path))  # type: ignore[attr-defined]


def _format() -> str:
    """Return the name of the format that keeps journals."""
    return next(name for name in formats.names() if hasattr(formats.load(name), "replayed"))


def _sheet(path: bytes) -> bytes:
    """Return the sheet that names the folder of a window, b"" without one."""
    place = os.path.join(os.path.dirname(os.path.dirname(path)), b"workspace.json")
    try:
        with open(place, "rb") as file:
            return file.read(SHEET_BYTES)
    except OSError:
        return b""
