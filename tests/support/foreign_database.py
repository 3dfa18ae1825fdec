"""SQLite databases as other programs write them, for tests, and what the importer makes of them.

A sample in the corpus is the script of a database (`opencode.db.sql`).
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

from importer.protocol.records import FileStat
from importer.sources import files, scan
from importer.sources.databases import tables
from importer.sources.scan import Root

SCRIPT = ".sql"


def build(script: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Make a sample's database in a folder, closed and without a log."""
    path = folder / script.name.removesuffix(SCRIPT)
    connection = sqlite3.connect(path)
    connection.executescript(script.read_text())
    connection.close()
    return path


def members(path: pathlib.Path) -> list[FileStat]:
    """Return the conversations that a look finds in a database."""
    found = scan.scan(Root(bytes(path)), lambda _: True)
    return [stat for folder in found for stat in folder.files if stat.path.startswith(bytes(path) + b"/")]


def told(path: pathlib.Path) -> bytes:
    """Return the lines of all conversations of a database, one after the other."""
    return b"".join(_lines(stat.path) for stat in members(path))


def _lines(path: bytes) -> bytes:
    opened = files.open_file(path)
    while isinstance(opened, files.Gone) and opened.more:
        opened = files.open_file(path)
    assert isinstance(opened, files.OpenedFile), opened
    try:
        return os.pread(opened.fd, opened.stat.size, 0)
    finally:
        os.close(opened.fd)
        tables.KNOWN.release()


@functools.cache
def told_of_script(script: pathlib.Path) -> bytes:
    """Return the lines of a sample."""
    with tempfile.TemporaryDirectory() as folder:
        return told(build(script, pathlib.Path(folder)))


def everything_in(folder: pathlib.Path, *, changed: bool = True) -> dict[str, tuple[int, int, int, bytes]]:
    """Return all files of a folder with their stamps and bytes; access times, and others if wanted, are left out."""
    return {path.name: _picture(path, changed=changed) for path in sorted(folder.iterdir())}


def _picture(path: pathlib.Path, *, changed: bool) -> tuple[int, int, int, bytes]:
    seen = path.stat()
    return seen.st_mtime_ns, seen.st_ctime_ns if changed else 0, seen.st_ino, path.read_bytes()


_OWNER = """
import json, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.stdin:
    print(json.dumps(connection.execute(line).fetchall()), flush=True)
"""


class Owner:
    """A process that has a database open, as the program that it belongs to; `run` gives what a statement returns."""

    def __init__(self, path: pathlib.Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _OWNER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, *statements: str) -> object:
        """Run statements, each on one line, and return the rows of the last one."""
        assert self.process.stdin is not None and self.process.stdout is not None
        found: object = None
        for statement in statements:
            self.process.stdin.write(" ".join(statement.split()) + "\n")
            self.process.stdin.flush()
            found = json.loads(self.process.stdout.readline())
        return found

    def close(self) -> None:
        """End as programs do: the log is written back and deleted."""
        self.process.communicate(timeout=30)

    def crash(self) -> None:
        """End without a chance to close anything."""
        self.process.kill()
        self.process.communicate(timeout=30)

    def __enter__(self) -> Owner:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.crash()
