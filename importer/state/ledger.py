"""Small things that must outlive a crash: batches under way and who is suspect, totals, tombstones, single facts.

    sending ──► stored: `settle`, with the commit      no chunk is suspect any more
            ──► failed: `settled`                      no chunk is blamed, none cleared
            ──► died:   `died`                         the chunks to blame get one death more
            ──► the daemon is killed too: `leftovers`  the next run says `died` for it

The record is written before a batch is sent, because a chunk may take the daemon down with its worker.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

from importer.protocol.records import Suspect, Tally
from importer.state.database import Database

__all__ = ["Ledger", "SentBatch", "Suspect", "Taken", "add", "add_tally", "clear", "settle"]

TALLY = tuple(field.name for field in fields(Tally))
_ADD = "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"
STORE_COUNTERS = ("lines", "messages", "chunks", "skipped", "quarantined", "unknown")
MOST_NAMED = 4_000  # counters; names of versions and kinds come from files
_BLAME = """
INSERT INTO suspects VALUES (?, 1, ?, ?)
ON CONFLICT (id) DO UPDATE SET deaths = deaths + 1, alone = alone + excluded.alone, at = excluded.at
"""


@dataclass(frozen=True, slots=True)
class SentBatch:
    """Batch that was with the worker: its chunk ids, whether one chunk went `alone`, when (UTC seconds)."""

    batch: int
    ids: tuple[str, ...]
    alone: bool
    at: float


class Taken(NamedTuple):
    """A file, as it will be committed, that a batch takes open chunks from; `opened` are those it stores, as JSON."""

    path: bytes
    device: int
    inode: int
    opened: str


class Ledger:
    """Small tables of one state. `clock` gives UTC seconds.

    What only helps (attempts, suspects, totals that belong to no batch) is written without a sync of the disk; what a
    person has asked for, and single facts, with one.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self.database, self._clock = database, clock

    def sending(self, batch: int, ids: Sequence[str], *, alone: bool = False, takes: Iterable[Taken] = ()) -> None:
        """Record a batch before it is sent, and the files that it takes open chunks from.

        Survives a kill of either process; costs no sync of the disk.
        """
        with self.database.transaction(durable=False) as connection:
            row = (batch, "\n".join(ids), alone, self._clock())
            connection.executemany(
                "INSERT OR REPLACE INTO taken VALUES (?, ?, ?, ?, ?)", [(*one, batch) for one in takes]
            )
            # or replace: a batch that is sent again keeps its number
            connection.execute("INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?)", row)

    def settled(self, batch: int) -> None:
        """Delete the record of a batch that came back without a death and without a commit: no chunk is blamed."""
        with self.database.transaction(durable=False) as connection:
            connection.execute("DELETE FROM attempts WHERE batch = ?", (batch,))

    def died(self, batch: int, ids: Sequence[str] | None = None) -> dict[str, Suspect]:
        """Blame `ids` (None: all that was sent) for a worker's death on the batch, and return their records now."""
        with self.database.transaction(durable=False) as connection:
            attempt = _attempt(connection, batch)
            blamed = (attempt.ids if attempt else ()) if ids is None else ids
            alone = (attempt.alone if attempt else False) or len(blamed) == 1
            connection.executemany(_BLAME, [(chunk, alone, self._clock()) for chunk in blamed])
            connection.execute("DELETE FROM attempts WHERE batch = ?", (batch,))
            return {chunk: suspect for chunk in blamed if (suspect := _suspect(connection, chunk))}

    def clear_suspects(self, ids: Iterable[str]) -> None:
        """Take these chunks off the record: workers die with harmless text too."""
        with self.database.transaction(durable=False) as connection:
            clear(connection, ids)

    def leftovers(self) -> list[SentBatch]:
        """Return the batches that were under way when the last run ended without settling them."""
        rows = self.database.rows("SELECT batch, ids, alone, at FROM attempts ORDER BY batch")
        return [_sent_batch(*row) for row in rows]

    def taken(self) -> list[Taken]:
        """Return the files that batches took from which were never committed."""
        return [Taken(*row) for row in self.database.rows("SELECT path, device, inode, opened FROM taken")]

    def give_back(self, paths: Iterable[bytes]) -> None:
        """Have these files looked at once more; all that were taken from are dealt with then."""
        with self.database.transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO again VALUES (?)", [(path,) for path in paths])
            connection.execute("DELETE FROM taken")

    def suspects(self) -> dict[str, Suspect]:
        """Return every chunk that was with a dying worker and has not been stored or set aside since."""
        return {row[0]: Suspect(*row[1:]) for row in self.database.rows("SELECT id, deaths, alone FROM suspects")}

    def counters(self) -> dict[str, int]:
        """Return all running totals by name, those of the tally included."""
        return dict(self.database.rows("SELECT name, value FROM counters"))

    def totals(self) -> Tally:
        """Return lines and bytes by outcome since the state began."""
        counters = self.counters()
        return Tally(**{name: counters.get(name, 0) for name in TALLY})

    def count(self, counters: Mapping[str, int]) -> None:
        """Add to running totals that belong to no batch, such as spawns and crashes."""
        with self.database.transaction(durable=False) as connection:
            add(connection, counters)

    def add_tombstone(self, kind: str, value: str) -> None:
        """Remember that `value` (a project, conversation, path or before) was forgotten and must stay away."""
        with self.database.transaction() as connection:
            put_tombstone(connection, kind, value, self._clock())

    def remove_tombstone(self, kind: str, value: str) -> None:
        """Delete a tombstone, so that its value may come back."""
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM tombstones WHERE kind = ? AND value = ?", (kind, os.fsencode(value)))

    def tombstones(self) -> list[tuple[str, str, float]]:
        """Return `(kind, value, at)` of everything forgotten on purpose, oldest first."""
        rows = self.database.rows("SELECT kind, value, at FROM tombstones ORDER BY at, kind, value")
        return [(kind, os.fsdecode(value), at) for kind, value, at in rows]

    def named(self) -> dict[str, int]:
        """Return the totals whose names have parts, such as `store/codex/messages`."""
        return dict(self.database.rows("SELECT name, value FROM counters WHERE name LIKE '%/%'"))

    def stores(self) -> dict[str, dict[str, int]]:
        """Return how many files each format has, and what was read of them since the state began."""
        sql = "SELECT format, count(*) FROM files WHERE folder IS NOT NULL AND gone_at IS NULL GROUP BY format"
        found: dict[str, dict[str, int]] = {}
        for name, files in self.database.rows(f"{sql} HAVING format <> ''"):
            found[name] = {"files": files, **dict.fromkeys(STORE_COUNTERS, 0)}
        for name, number in self.named().items():
            kind, _, rest = name.partition("/")
            store, _, what = rest.rpartition("/")
            if kind == "store" and what in STORE_COUNTERS:
                found.setdefault(store, {"files": 0, **dict.fromkeys(STORE_COUNTERS, 0)})[what] = number
        return dict(sorted(found.items()))

    def meta(self, name: str) -> str:
        """Return a single fact by name; "" when it was never written."""
        rows = self.database.rows("SELECT value FROM meta WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else ""

    def facts(self, prefix: str) -> list[str]:
        """Return the single facts whose names begin so, in order of their names."""
        sql = "SELECT value FROM meta WHERE substr(name, 1, ?) = ? ORDER BY name"
        return [str(value) for (value,) in self.database.rows(sql, (len(prefix), prefix))]

    def remember(self, **facts: str) -> None:
        """Write single facts by name."""
        with self.database.transaction() as connection:
            put_facts(connection, facts)

    def drop_facts(self, *names: str) -> None:
        """Delete single facts by name."""
        with self.database.transaction() as connection:
            connection.executemany("DELETE FROM meta WHERE name = ?", [(name,) for name in names])


def put_tombstone(connection: sqlite3.Connection, kind: str, value: str, at: float) -> None:
    """Write a tombstone inside a transaction."""
    connection.execute("INSERT OR REPLACE INTO tombstones VALUES (?, ?, ?)", (kind, os.fsencode(value), at))


def put_facts(connection: sqlite3.Connection, facts: Mapping[str, str]) -> None:
    """Write single facts by name inside a transaction."""
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(facts.items()))


def add(connection: sqlite3.Connection, counters: Mapping[str, int]) -> None:
    """Add to the running totals, inside a transaction."""
    connection.executemany(_ADD, [(name, value) for name, value in counters.items() if value])


def add_named(connection: sqlite3.Connection, counters: Iterable[tuple[str, int]]) -> None:
    """Add to totals whose names come from files, inside a transaction; there are no more than MOST_NAMED of them.

    Each name is written once, however many files of a batch count towards it.
    """
    sums = Counter[str]()
    for name, value in counters:
        sums[name] += value
    room = MOST_NAMED - connection.execute("SELECT count(*) FROM counters").fetchone()[0] if sums else 0
    for name, value in sums.items():
        new = connection.execute("SELECT 1 FROM counters WHERE name = ?", (name,)).fetchone() is None
        if not new or room > 0:
            connection.execute(_ADD, (name, value))
            room -= new


def add_tally(connection: sqlite3.Connection, tally: Tally) -> None:
    """Add to the totals of lines and bytes, inside a transaction."""
    add(connection, {name: getattr(tally, name) for name in TALLY})


def clear(connection: sqlite3.Connection, ids: Iterable[str]) -> None:
    """Delete, inside a transaction, the records of chunks that are stored or set aside."""
    connection.executemany("DELETE FROM suspects WHERE id = ?", [(chunk,) for chunk in ids])


def settle(connection: sqlite3.Connection, batch: int) -> None:
    """Delete, inside the transaction that commits a batch, its record and those of its chunks."""
    connection.execute("DELETE FROM taken WHERE batch = ?", (batch,))
    attempt = _attempt(connection, batch)
    if attempt:
        clear(connection, attempt.ids)
        connection.execute("DELETE FROM attempts WHERE batch = ?", (batch,))


def _attempt(connection: sqlite3.Connection, batch: int) -> SentBatch | None:
    """Return the record of a batch that is with the worker, None when it was never sent or is settled."""
    row = connection.execute("SELECT batch, ids, alone, at FROM attempts WHERE batch = ?", (batch,)).fetchone()
    return _sent_batch(*row) if row else None


def _sent_batch(batch: int, ids: str, alone: int, at: float) -> SentBatch:
    """Return the batch of a row; ids are UUIDs, one a line. A batch of releases alone has none."""
    return SentBatch(batch, tuple(ids.split("\n")) if ids else (), bool(alone), at)


def _suspect(connection: sqlite3.Connection, chunk: str) -> Suspect | None:
    """Return the record of a chunk, None for a clean one."""
    row = connection.execute("SELECT deaths, alone FROM suspects WHERE id = ?", (chunk,)).fetchone()
    return Suspect(*row) if row else None
