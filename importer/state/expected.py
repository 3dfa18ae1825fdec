"""Expected content of the store, kept on disk while it is compared: a million points take 100 MB there, 4 MB of memory.

forms          each chunk that a file gives: prints of text and metadata, the holder while it stands open, whether it
               is spare
conversations  those that files are in now, and those of files that are gone or rewritten
seen           ids that were found in the store
mend, erase    ids to be imported again; ids to be deleted (before that, where both)
retell         ids to be imported again whose stored text is right: they need other metadata, and no embedding
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Self

from importer.protocol import prints
from importer.protocol.records import Chunk

# neither journal nor sync: after a crash the file is thrown away, not repaired
_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -4096;
CREATE TABLE forms (
  id BLOB, file INTEGER, holder TEXT, text TEXT, facts TEXT, conversation TEXT, rewritten INTEGER,
  spare INTEGER, PRIMARY KEY (id, file, holder)
) WITHOUT ROWID;
CREATE TABLE conversations (name TEXT PRIMARY KEY, kept INTEGER) WITHOUT ROWID;
CREATE TABLE seen (id BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE mend (id BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE erase (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE retell (id BLOB PRIMARY KEY) WITHOUT ROWID;
"""
_MISSING = "SELECT DISTINCT id FROM forms WHERE NOT spare AND id NOT IN (SELECT id FROM seen)"
_FILES = "SELECT DISTINCT file FROM forms WHERE NOT spare AND id IN (SELECT id FROM mend) ORDER BY file"


class Form(NamedTuple):
    """Chunk as one file gives it; `holder` "" for a closed one. Of a rewritten file only the text is sure.

    One that is `spare` need not be in the store: its project is not selected (any more).
    """

    holder: str
    text: str
    facts: str
    conversation: str
    rewritten: bool
    spare: bool = False


class Expected:
    """Tables in a scratch file that is deleted with them: `with Expected(folder) as expected:`.

    First every file is added, then every point of the store is held against them: `whole` and `missing` are right only
    when the files are through.
    """

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, "verify.sqlite3")
        self._remove()
        os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        self._connection = sqlite3.connect(self._path, isolation_level=None)
        self._connection.executescript(_SCHEMA)
        self._connection.execute("BEGIN")  # never committed: the tables are not needed afterwards

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._remove()

    def add(
        self,
        file: int,
        chunks: Iterable[Chunk],
        *,
        rewritten: bool,
        wanted: Callable[[str], bool] = lambda _project: True,
    ) -> None:
        """Add chunks that a file gives; those of a project that is not wanted are spare."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO forms VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(_key(chunk.id), file, chunk.holder, prints.text_print(chunk.text)),
                    *(prints.facts_print(chunk.metadata), chunk.metadata.get("conversation_id", ""), rewritten),
                    not wanted(chunk.metadata.get("project", "")),
                )
                for chunk in chunks
            ],
        )

    def drop(self, file: int) -> None:
        """Delete what a file gave that could not be read to the end."""
        self._connection.execute("DELETE FROM forms WHERE file = ?", (file,))

    def forms(self, point: str) -> list[Form]:
        """Return what files give under an id."""
        sql = "SELECT holder, text, facts, conversation, rewritten, spare FROM forms WHERE id = ?"
        return [Form(*row) for row in self._connection.execute(sql, (_key(point),))]

    def count(self) -> int:
        """Return how many different ids there must be."""
        return int(self._connection.execute("SELECT count(DISTINCT id) FROM forms WHERE NOT spare").fetchone()[0])

    def add_conversations(self, conversations: Iterable[str], *, kept: bool) -> None:
        """Add conversations of a file; `kept` for a file that is gone or says something else than once."""
        sql = "INSERT INTO conversations VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET kept = max(kept, excluded.kept)"
        self._connection.executemany(sql, [(name, kept) for name in conversations])

    def whole(self, conversation: str) -> bool:
        """Return True if all that was ever said in the conversation still stands in files, as far as is known."""
        row = self._connection.execute("SELECT kept FROM conversations WHERE name = ?", (conversation,)).fetchone()
        return row is not None and not row[0]

    def saw(self, points: Iterable[str]) -> None:
        """Note ids that were found in the store."""
        rows = [(_key(point),) for point in points]
        self._connection.executemany("INSERT OR IGNORE INTO seen VALUES (?)", rows)

    def missing(self) -> Iterator[str]:
        """Yield the ids that files give and that were not found."""
        for (key,) in self._connection.execute(_MISSING):
            yield str(uuid.UUID(bytes=key))

    def mend(self, points: Iterable[str]) -> None:
        """Note ids to be imported again."""
        rows = [(_key(point),) for point in points]
        self._connection.executemany("INSERT OR IGNORE INTO mend VALUES (?)", rows)

    def mend_missing(self) -> None:
        """Note all missing ids as to be imported again."""
        self._connection.execute(f"INSERT OR IGNORE INTO mend {_MISSING}")

    def to_mend(self, point: str) -> bool:
        """Return True if the id is to be imported again."""
        return bool(self._connection.execute("SELECT 1 FROM mend WHERE id = ?", (_key(point),)).fetchone())

    def retell(self, points: Iterable[str]) -> None:
        """Note ids to be imported again, of which only the metadata are wrong."""
        rows = [(_key(point),) for point in points]
        self._connection.executemany("INSERT OR IGNORE INTO retell VALUES (?)", rows)

    def to_retell(self, points: Iterable[str]) -> list[str]:
        """Return those of the ids whose metadata are to be written over, each once: of several files, one does it."""
        sql = "DELETE FROM retell WHERE id = ?"  # returns nothing, but how many rows there were
        return [point for point in points if self._connection.execute(sql, (_key(point),)).rowcount]

    def files_to_mend(self) -> list[int]:
        """Return the rows of the files that give those ids."""
        return [file for (file,) in self._connection.execute(_FILES)]

    def erase(self, points: Iterable[str]) -> None:
        """Note ids to be deleted."""
        self._connection.executemany("INSERT OR IGNORE INTO erase VALUES (?)", [(point,) for point in points])

    def spare_extra(self) -> int:
        """Keep, of the ids to be deleted, only those that are imported again; return how many are spared."""
        # -1 is no limit (SQLite)
        spared = [point for point in self.to_erase(-1) if not self.to_mend(point)]
        self._connection.executemany("DELETE FROM erase WHERE id = ?", [(point,) for point in spared])
        return len(spared)

    def to_erase(self, limit: int, after: str = "") -> list[str]:
        """Return up to `limit` of the ids to be deleted, in order, behind `after`."""
        sql = "SELECT id FROM erase WHERE id > ? ORDER BY id LIMIT ?"
        return [point for (point,) in self._connection.execute(sql, (after, limit))]

    def _remove(self) -> None:
        """Delete the scratch file, also one that a killed run left."""
        if os.path.lexists(self._path):
            os.unlink(self._path)


def _key(point: str) -> bytes:
    """Return the 16 bytes of a UUID; of any other id bytes that are no 16 long."""
    try:
        return uuid.UUID(point).bytes
    except ValueError:
        return b"id " + point.encode(errors="replace")[:40].ljust(20)
