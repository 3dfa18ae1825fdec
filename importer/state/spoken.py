"""The table of what was said where: which conversations are in which file, how many turns, and when.

A row is one conversation in one file, as of the file's present generation; forks and copies are rows of their own. Rows
stay when their file is deleted, as the points do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from importer.protocol.conversations import counted
from importer.protocol.records import Commit, Said
from importer.state.database import Database

PAGE_ROWS = 500
PARTIAL = "spoken_is_partial"  # a fact of the state, which a migration writes
_READ = """
SELECT generation, turns, first, last, project, title, opening FROM spoken
WHERE source = ? AND conversation = ? AND path = ?
"""
_TOLD = """
SELECT s.conversation, s.source, s.path, s.turns, s.first, s.last,
  coalesce(nullif(c.project, ''), s.project), coalesce(nullif(c.title, ''), nullif(s.title, ''), s.opening)
FROM spoken s LEFT JOIN conversations c ON c.source = s.source AND c.conversation = s.conversation
"""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One conversation in one file; times are RFC 3339, "" where the file tells none.

    `title` is the last one that was told, else how its first prompt begins.
    """

    conversation: str
    source: str
    path: bytes
    turns: int
    first: str
    last: str
    project: str
    title: str


def put(connection: sqlite3.Connection, commit: Commit) -> None:
    """Add, inside a transaction, what the lines of a commit hold; a new generation of its file counts from zero."""
    known = commit.checkpoint
    for said in commit.said:
        place = (known.format, said.conversation_id, known.path)
        row = connection.execute(_READ, place).fetchone()
        now = counted(Said(said.conversation_id, *row[1:]), said) if row and row[0] == known.generation else said
        values = (known.generation, now.turns, now.first, now.last, now.project, now.title, now.opening)
        connection.execute("INSERT OR REPLACE INTO spoken VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*place, *values))


def move(connection: sqlite3.Connection, former: bytes, path: bytes) -> None:
    """Move, inside a transaction, the rows of a file that has another path now."""
    connection.execute("UPDATE OR REPLACE spoken SET path = ? WHERE path = ?", (path, former))


class SpokenTable:
    """The rows, for reading; empty beside a state of an older version, which the next import migrates."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def is_whole(self) -> bool:
        """Whether it knows all that was imported: a state that was migrated lacks what was read before."""
        return self._is_there() and not self._database.rows("SELECT 1 FROM meta WHERE name = ?", (PARTIAL,))

    def of_conversation(self, conversation: str) -> list[Spoken]:
        """Return the files that hold a conversation, the one that holds most of it first."""
        rows = self._rows(f"{_TOLD} WHERE s.conversation = ? ORDER BY s.turns DESC, s.path", (conversation,))
        return [Spoken(*row) for row in rows]

    def with_prefix(self, prefix: str, most: int) -> list[str]:
        """Return the ids of conversations that begin so, at most so many."""
        sql = "SELECT DISTINCT conversation FROM spoken WHERE conversation >= ? AND conversation < ? LIMIT ?"
        return [name for (name,) in self._rows(sql, (prefix, prefix + "\U0010ffff", most))]

    def newest_first(self, since: str = "", until: str = "") -> Iterator[Spoken]:
        """Yield what was said in a time, "" for no bound, by its last time; a page of rows at a time.

        A conversation comes once for each file that holds it.
        """
        bounds = "WHERE s.last >= ? AND (? = '' OR s.first BETWEEN '0' AND ?)"
        order = f"ORDER BY s.last DESC, s.conversation, s.source, s.path LIMIT {PAGE_ROWS}"
        rows = self._rows(f"{_TOLD} {bounds} {order}", (since, until, until))
        while rows:
            yield from (Spoken(*row) for row in rows)
            end = Spoken(*rows[-1])  # an OFFSET would read all before it again, for each page
            at = (end.last, end.last, end.conversation, end.source, end.path)
            beyond = "AND s.last <= ? AND (s.last < ? OR (s.conversation, s.source, s.path) > (?, ?, ?))"
            rows = self._rows(f"{_TOLD} {bounds} {beyond} {order}", (since, until, until, *at))

    def _rows(self, sql: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """Return the rows of a query, none where the table is not there yet."""
        return self._database.rows(sql, parameters) if self._is_there() else []

    def _is_there(self) -> bool:
        """Return True if the state has the table."""
        return bool(self._database.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'spoken'"))


def drop(
    connection: sqlite3.Connection, names: Iterable[tuple[str, str]], begun: Iterable[tuple[str, str]] = ()
) -> None:
    """Delete, inside a transaction, the rows of conversations, and how those began that are forgotten up to a time.

    They are named by source ("" for any) and id.
    """
    delete = "DELETE FROM spoken WHERE conversation = ? AND ? IN ('', source)"
    connection.executemany(delete, [(name, source) for source, name in names])
    blank = "UPDATE spoken SET opening = '', title = '' WHERE conversation = ? AND ? IN ('', source)"
    connection.executemany(blank, [(name, source) for source, name in begun])


def clear(connection: sqlite3.Connection) -> None:
    """Delete all rows, inside a transaction: every file is read again, so that nothing is lacking then."""
    connection.execute("DELETE FROM spoken")
    connection.execute("DELETE FROM meta WHERE name = ?", (PARTIAL,))
