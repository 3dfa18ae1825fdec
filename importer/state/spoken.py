"""The tables of what was said where: which conversations are in which file, how many turns, and when; and prompts.

A row is one conversation in one file, as of the file's present generation; forks and copies are rows of their own. Rows
stay when their file is deleted, as the points do.

Prompts are kept by hashes, of formats that repeat each other's: a prompt history, and the transcripts that it is of.
Those of transcripts stay also when all files are read again: what was said is in the store, of files that are gone too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from importer.protocol.conversations import counted
from importer.protocol.records import Commit, SpokenCounts
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

LINE_BYTES = 6  # of a line's id that are kept
SLACK_MS = 5_000  # between the times that a history and a transcript give a prompt
SINCE = "prompts_since"  # a fact: UTC seconds before which transcripts were imported whose prompts have no rows
_IS_KNOWN = """
SELECT EXISTS (SELECT 1 FROM spoken WHERE source = :original AND conversation = :name)
OR EXISTS (SELECT 1 FROM prompts WHERE source = :original AND conversation = :name)
OR EXISTS (SELECT 1 FROM prompts WHERE source = :original AND mark = :mark
 AND at_ms BETWEEN :at - :slack AND :at + :slack)
"""
_IN_ITS_TIME = """
SELECT 1 FROM spoken WHERE source = :original AND project = :project AND first != ''
AND strftime('%s', first) * 1000 <= :at + :slack AND (strftime('%s', last) + 1) * 1000 >= :at - :slack LIMIT 1
"""
_WHOLE = """
SELECT DISTINCT h.conversation FROM prompts h WHERE h.source = :shadow AND (
 EXISTS (SELECT 1 FROM spoken s WHERE s.source = :original AND s.conversation = h.conversation)
 OR EXISTS (SELECT 1 FROM prompts t WHERE t.source = :original AND t.conversation = h.conversation))
"""
_SINGLE = """
SELECT h.conversation, h.at_ms, h.mark FROM prompts h WHERE h.source = :shadow AND EXISTS (
 SELECT 1 FROM prompts t WHERE t.source = :original AND t.mark = h.mark
 AND t.at_ms BETWEEN h.at_ms - :slack AND h.at_ms + :slack)
"""
_RECOUNT = """
UPDATE spoken SET turns = (SELECT count(*) FROM prompts p WHERE p.source = :shadow AND p.conversation = :name)
WHERE source = :shadow AND conversation = :name
"""


class Repeated(NamedTuple):
    """A prompt that another format knows; `at_ms` None for all of its conversation."""

    conversation: str
    at_ms: int | None = None
    mark: bytes = b""


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
        now = (
            counted(SpokenCounts(said.conversation_id, *row[1:]), said) if row and row[0] == known.generation else said
        )
        values = (known.generation, now.turns, now.first, now.last, now.project, now.title, now.opening)
        connection.execute("INSERT OR REPLACE INTO spoken VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*place, *values))
        if said.lines:
            _add_lines(connection, known.format, said)
        prompts = [(known.format, said.conversation_id, *one) for one in said.prompts]
        connection.executemany("INSERT OR IGNORE INTO prompts VALUES (?, ?, ?, ?)", prompts)


def _add_lines(connection: sqlite3.Connection, source: str, said: SpokenCounts) -> None:
    """Add, inside a transaction, the lines of a conversation that are not known yet."""
    place = (source, said.conversation_id)
    row = connection.execute("SELECT ids FROM lines WHERE source = ? AND conversation = ?", place).fetchone()
    ids: bytes = row[0] if row else b""
    known = {ids[at : at + LINE_BYTES] for at in range(0, len(ids), LINE_BYTES)}
    ids += b"".join([one for one in dict.fromkeys(map(line_id, said.lines)) if one not in known])
    connection.execute(
        "INSERT INTO lines VALUES (?, ?, ?) ON CONFLICT (source, conversation) DO UPDATE SET ids = excluded.ids",
        (*place, ids),
    )


def line_id(leaf: str) -> bytes:
    """Return the end of a line's id in few bytes: its digits, of an odd one a hash."""
    try:
        found = bytes.fromhex(leaf)
    except ValueError:
        found = b""
    return (
        found if len(found) == LINE_BYTES else blake2b(leaf.encode("utf-8", "replace"), digest_size=LINE_BYTES).digest()
    )


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

    def with_line(self, source: str, leaf: str) -> str:
        """Return the conversation that has a line first, "" for none."""
        wanted = line_id(leaf)
        sql = "SELECT conversation, ids FROM lines WHERE source = ? AND instr(ids, ?) > 0 ORDER BY rowid"
        rows = self._database.rows(sql, (source, wanted)) if self._is_there("lines") else []
        return next((name for name, ids in rows if _has(ids, wanted)), "")

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

    def is_repeated(self, original: str, conversation: str, prompt: tuple[int, bytes], project: str) -> bool:
        """Return True if a prompt is in a conversation of the format `original`: its session's, or one of its time."""
        if not self._is_there("prompts"):
            return False
        at, mark = prompt
        asked = {"original": original, "name": conversation, "mark": mark, "at": at, "slack": SLACK_MS}
        if self._database.rows(_IS_KNOWN, asked)[0][0]:
            return True
        since = self._database.rows("SELECT value FROM meta WHERE name = ?", (SINCE,))
        if not since or not 0 < at < 1000 * int(since[0][0]):
            return False
        return bool(self._database.rows(_IN_ITS_TIME, {**asked, "project": project}))

    def repeated(self, shadow: str, original: str) -> list[Repeated]:
        """Return what is stored of a format and has become known of its original since: whole conversations first."""
        if not self._is_there("prompts"):
            return []
        asked = {"shadow": shadow, "original": original, "slack": SLACK_MS}
        whole = [Repeated(name) for (name,) in self._database.rows(_WHOLE, asked)]
        return whole or [Repeated(*row) for row in self._database.rows(_SINGLE, asked)]

    def settle(self, shadow: str, done: Repeated) -> None:
        """Delete what is not stored any more."""
        one = (shadow, done.conversation, done.at_ms, done.at_ms, done.mark)
        named = {"shadow": shadow, "name": done.conversation}
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM prompts WHERE source = ? AND conversation = ? AND (? IS NULL OR (at_ms = ? AND mark = ?))",
                one,
            )
            connection.execute(_RECOUNT, named)
            connection.execute(
                "DELETE FROM spoken WHERE source = :shadow AND conversation = :name AND turns = 0", named
            )

    def _rows(self, sql: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """Return the rows of a query, none where the table is not there yet."""
        return self._database.rows(sql, parameters) if self._is_there() else []

    def _is_there(self, table: str = "spoken") -> bool:
        """Return True if the state has the table."""
        return bool(self._database.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)))


def _has(ids: bytes, wanted: bytes) -> bool:
    """Return True if an id is one of these, not only the end of one and the beginning of the next."""
    at = ids.find(wanted)
    while at >= 0 and at % LINE_BYTES:
        at = ids.find(wanted, at + 1)
    return at >= 0


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
    typed = "DELETE FROM prompts WHERE conversation = ? AND ? IN ('', source)"
    connection.executemany(typed, [(name, source) for source, name in names])
    of_lines = "DELETE FROM lines WHERE conversation = ? AND ? IN ('', source)"
    connection.executemany(of_lines, [(name, source) for source, name in names])


def clear(connection: sqlite3.Connection) -> None:
    """Delete all rows, inside a transaction: every file is read again, so that nothing is lacking then."""
    connection.execute("DELETE FROM spoken")
    connection.execute("DELETE FROM meta WHERE name = ?", (PARTIAL,))
