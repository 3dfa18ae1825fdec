"""Quarantine of bad lines and chunks: set aside, shown, tried again or dropped.

A line is known by path, offset and reason, a chunk by its id: the same one again is the same row, tried once more.

    open      a person should look
    retrying  its file is being read again; gone once its file is past it, open again if it fails again

Rows are written with the commit that passes over them, so a line is never passed over without its row. Nothing here
reads a file: to try a row again is to make its file be read again, and the import does the rest.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from importer.protocol.records import Checkpoint, Reject
from importer.state.checkpoint_rows import split
from importer.state.database import Database

_PUT = """
INSERT INTO quarantine (key, path, offset, length, stage, reason, sample, chunk, at, attempts, status)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 'open')
ON CONFLICT (key) DO UPDATE SET
  path = excluded.path, offset = excluded.offset, length = excluded.length, stage = excluded.stage,
  reason = excluded.reason, sample = excluded.sample, at = excluded.at, attempts = attempts + 1, status = 'open'
"""
_PAGE = """
SELECT id, path, offset, length, stage, reason, sample, chunk, at, attempts, status
FROM quarantine WHERE id > ? ORDER BY id LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Row of the quarantine: people name it by `id`; `at` is the last time it failed (UTC seconds)."""

    id: int
    reject: Reject
    at: float
    attempts: int
    status: str


class Quarantine:
    """Quarantine of one state."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, ids: Iterable[int] | None = None) -> int:
        """Return how many lines and chunks are set aside, of these rows or of all."""
        if ids is None:
            return int(self._database.rows("SELECT count(*) FROM quarantine")[0][0])
        sql = "SELECT count(*) FROM quarantine WHERE id = ?"
        return sum(int(self._database.rows(sql, (number,))[0][0]) for number in set(ids))

    def page(self, *, after: int = 0, limit: int = 100) -> list[Quarantined]:
        """Return up to `limit` rows with an id above `after`, in order of id."""
        return [_row(row) for row in self._database.rows(_PAGE, (after, limit))]

    def retry(self, ids: Iterable[int] | None = None) -> tuple[bytes, ...]:
        """Mark rows (None: all) to be tried again and their files to be read from the start; return the paths.

        Reading again embeds nothing that is stored already. Unknown ids are ignored.
        """
        with self._database.transaction() as connection:
            paths: set[bytes] = set()
            for row in self._chosen(connection, ids):
                connection.execute("UPDATE quarantine SET status = 'retrying' WHERE id = ?", (row[0],))
                paths.add(row[1])
            for path in paths:
                reread(connection, path)
        return tuple(sorted(paths))

    def drop(self, ids: Iterable[int] | None = None) -> int:
        """Delete rows (None: all) and return how many there were. The lines stay passed over."""
        with self._database.transaction() as connection:
            if ids is None:
                return connection.execute("DELETE FROM quarantine").rowcount
            chosen = [(number,) for number in ids]
            return connection.executemany("DELETE FROM quarantine WHERE id = ?", chosen).rowcount

    def _chosen(self, connection: sqlite3.Connection, ids: Iterable[int] | None) -> list[tuple[int, bytes]]:
        """Return `(id, path)` of the rows, None for all."""
        if ids is None:
            return connection.execute("SELECT id, path FROM quarantine").fetchall()
        sql = "SELECT id, path FROM quarantine WHERE id = ?"
        return [row for number in ids for row in connection.execute(sql, (number,))]


def put(connection: sqlite3.Connection, rejects: Sequence[Reject], at: float) -> None:
    """Set these aside inside a transaction, or count one attempt more for those that already are."""
    rows = (
        (_key(r), r.path, r.offset, r.length, r.stage, _text(r.reason), _text(r.sample), r.chunk_id, at)
        for r in rejects
    )
    connection.executemany(_PUT, rows)


def settle(connection: sqlite3.Connection, checkpoint: Checkpoint) -> None:
    """Delete, inside a transaction and after `put`, rows tried again that lie behind the checkpoint: they succeeded.

    So has everything, or is no more, in a file that was read to its end (a packed one counts other offsets). A chunk
    is known to lie nowhere in particular, so it waits for that.
    """
    connection.execute(
        "DELETE FROM quarantine WHERE path = ? AND status = 'retrying' AND (? OR chunk = '' AND offset + length <= ?)",
        (checkpoint.path, checkpoint.offset == checkpoint.size, checkpoint.offset),
    )


def move(connection: sqlite3.Connection, former: bytes, path: bytes) -> None:
    """Move, inside a transaction, the rows of a file that has another path now."""
    sql = "SELECT id, offset, length, stage, reason, sample, chunk FROM quarantine WHERE path = ?"
    for number, *facts in connection.execute(sql, (former,)).fetchall():
        key = _key(Reject(path, *facts))
        connection.execute("UPDATE OR REPLACE quarantine SET path = ?, key = ? WHERE id = ?", (path, key, number))


def silence(connection: sqlite3.Connection, path: bytes) -> None:
    """Blank, inside a transaction, the beginnings of the lines of a file that are shown to people."""
    connection.execute("UPDATE quarantine SET sample = '' WHERE path = ?", (path,))


def mask(connection: sqlite3.Connection, masked: Callable[[str], str]) -> None:
    """Mask, inside a transaction, the beginnings of lines and what was said of them."""
    rows = connection.execute("SELECT id, sample, reason FROM quarantine").fetchall()
    news = [(masked(sample), masked(reason), number) for number, sample, reason in rows]
    connection.executemany("UPDATE quarantine SET sample = ?, reason = ? WHERE id = ?", news)


def reread(connection: sqlite3.Connection, path: bytes) -> None:
    """Make the file's proof fail, inside a transaction, so that it is read again as a new generation.

    Digests of one byte equal none of 16; times of 0 keep an unchanged file from being passed over without a look.
    """
    folder, name = split(path)
    connection.execute(
        "UPDATE files SET mtime_ns = 0, ctime_ns = 0, tail_digest = x'00', head_digest = x'00'"
        " WHERE folder = ? AND name = ?",
        (folder, name),
    )
    connection.execute("INSERT OR IGNORE INTO again VALUES (?)", (path,))


def _key(reject: Reject) -> bytes:
    """Return what makes two rejects the same. A chunk's id says nothing of a file, so all its copies are one row."""
    if reject.chunk_id:
        return b"chunk\0" + reject.chunk_id.encode()
    return b"line\0%s\0%d\0%s" % (reject.path, reject.offset, reject.reason.encode(errors="replace"))


def _text(value: str) -> str:
    """Return text as SQLite can hold it: UTF-8 has no room for the lone surrogates of a damaged line."""
    return value.encode(errors="replace").decode()


def _row(row: tuple[Any, ...]) -> Quarantined:
    """Return the value of a row of `_PAGE`."""
    number, path, offset, length, stage, reason, sample, chunk, at, attempts, status = row
    return Quarantined(number, Reject(path, offset, length, stage, reason, sample, chunk), at, attempts, status)
