"""The ledger of one sync: which points were brought to a store, in a small database of its own beside the state.

It holds ids and prints and no text. Losing it costs traffic, not points: everything is looked up in the target again.
How the last rounds went is a fact of the state, where `status` and the metrics read it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import NamedTuple

from importer.protocol.system.plain import plain
from importer.state.database import Database
from importer.state.ledger import Ledger

_TABLES = """
CREATE TABLE IF NOT EXISTS sent (
    id TEXT PRIMARY KEY, print TEXT NOT NULL, holders TEXT NOT NULL, round INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latest (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS away (id TEXT PRIMARY KEY) WITHOUT ROWID;
"""
MOST_LATEST = 32  # of the points that were sent last
WHOLE, PURGED, LOST = "whole", "purged", "lost"  # what a target is: has all, without what was deleted there, put back
_JOIN = "\n"  # between holders: stands in none


class Sent(NamedTuple):
    """What is known of a point that was sent: its print, and the holders that it had."""

    print: str
    holders: tuple[str, ...]


class SentPoints:
    """The ledger at `path`; a ledger of another `target` (its collection was made anew) begins empty again."""

    def __init__(self, path: str, target: str) -> None:
        os.close(plain(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
        connection = sqlite3.connect(path, isolation_level=None)
        self._database = Database(path, connection)
        with self._database.translating(writing=True):
            connection.executescript(_TABLES)
        if self._about("target") != target:
            with self._database.transaction() as rows:
                rows.execute("DELETE FROM sent")
                rows.execute("DELETE FROM latest")
                rows.execute("DELETE FROM away")
                rows.execute("INSERT OR REPLACE INTO about VALUES ('target', ?)", (target,))
        self.round = int(self._about("round") or 0) + 1
        self._purges = 0  # as the target tells in this round

    def __enter__(self) -> SentPoints:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.connection.close()

    def of(self, ids: Sequence[str]) -> dict[str, Sent]:
        """Return what is known of those of the points that were sent."""
        marks = ", ".join("?" * len(ids))
        rows = self._database.rows(f"SELECT id, print, holders FROM sent WHERE id IN ({marks})", tuple(ids))  # noqa: S608
        return {id: Sent(print, _parted(joined)) for id, print, joined in rows}

    def judge(self, lost: Sequence[str], there: int, purges: int) -> str:
        """Return what the target is by what it tells: WHOLE, PURGED or LOST.

        `lost` of the points that were sent last are not there, and it has as many points as are `there`. How often
        points were deleted there on purpose tells a target that was put back from an older copy from one of which
        something was deleted.
        """
        ((expected,),) = self._database.rows("SELECT (SELECT count(*) FROM sent) - (SELECT count(*) FROM away)")
        known, self._purges = int(self._about("purges") or 0), purges
        if self._about("standing") == LOST:  # a round that was cut off has brought some of it: the last, for example
            return LOST
        if not lost and there >= expected:
            return WHOLE
        if purges > known:
            return PURGED
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO about VALUES ('standing', ?)", (LOST,))
        return LOST

    def stay_away(self, ids: Iterable[str]) -> None:
        """Note points that were deleted there on purpose: they are not sent again."""
        with self._database.transaction(durable=False) as connection:
            connection.executemany("INSERT OR IGNORE INTO away VALUES (?)", [(id,) for id in ids])

    def away(self, ids: Sequence[str]) -> set[str]:
        """Return those of the points that were deleted there on purpose."""
        marks = ", ".join("?" * len(ids))
        return {id for (id,) in self._database.rows(f"SELECT id FROM away WHERE id IN ({marks})", tuple(ids))}  # noqa: S608

    def pages(self, limit: int) -> Iterator[list[str]]:
        """Yield all points that were sent, in pages."""
        after = ""
        while rows := self._database.rows("SELECT id FROM sent WHERE id > ? ORDER BY id LIMIT ?", (after, limit)):
            yield [id for (id,) in rows]
            after = rows[-1][0]

    def last(self) -> list[str]:
        """Return the points that were sent last, of those that must be there."""
        asked = "SELECT DISTINCT id FROM latest JOIN sent USING (id) WHERE id NOT IN (SELECT id FROM away)"
        return [id for (id,) in self._database.rows(asked)]

    def note(self, points: Iterable[tuple[str, str, Sequence[str]]], sent: Iterable[str] = ()) -> None:
        """Note points as sent, and as seen in this round; those that were `sent` just now are the latest."""
        rows = [(id, print, _JOIN.join(holders), self.round) for id, print, holders in points]
        with self._database.transaction(durable=False) as connection:
            connection.executemany("INSERT OR REPLACE INTO sent VALUES (?, ?, ?, ?)", rows)
            connection.executemany("INSERT INTO latest (id) VALUES (?)", [(id,) for id in sent])
            old = "number <= (SELECT max(number) FROM latest) - ?"
            connection.execute(f"DELETE FROM latest WHERE {old}", (MOST_LATEST,))  # noqa: S608

    def unseen(self, limit: int) -> dict[str, tuple[str, ...]]:
        """Return points that this round has not come by, with the holders that they were sent with."""
        rows = self._database.rows("SELECT id, holders FROM sent WHERE round <> ? LIMIT ?", (self.round, limit))
        return {id: _parted(joined) for id, joined in rows}

    def drop(self, ids: Mapping[str, object]) -> None:
        """Take points out of the ledger."""
        with self._database.transaction(durable=False) as connection:
            for table in ("sent", "away"):
                connection.executemany(f"DELETE FROM {table} WHERE id = ?", [(id,) for id in ids])  # noqa: S608

    def end_round(self) -> None:
        """Note that this round came by all points, and what the target told at its beginning."""
        rows = [("round", str(self.round)), ("purges", str(self._purges)), ("standing", WHOLE)]
        with self._database.transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", rows)

    def _about(self, name: str) -> str:
        """Return a fact of the ledger, "" where it is not known."""
        rows = self._database.rows("SELECT value FROM about WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else ""


def _parted(joined: str) -> tuple[str, ...]:
    """Return the holders of a row."""
    return tuple(joined.split(_JOIN)) if joined else ()


FACT = "sync:"  # what the facts of syncs are called, each followed by what tells its target
KEPT_S = 30 * 86_400  # a sync that was not tried for as long is over


class SyncReport(NamedTuple):
    """How a sync goes on: its last whole round, and the last try that failed since then (0.0 for none).

    Times are UTC seconds; `sent_total` counts all rounds, `every_s` is 0 for a sync that is done by hand. Of those that
    were sent, `again` had been lost there.
    """

    to: str
    collection: str
    every_s: float = 0.0
    at: float = 0.0
    points: int = 0
    sent: int = 0
    changed: int = 0
    removed: int = 0
    refused: int = 0
    held: int = 0
    seconds: float = 0.0
    sent_total: int = 0
    rounds: int = 0
    failed_at: float = 0.0
    why: str = ""
    again: int = 0

    def is_late(self, now: float) -> bool:
        """Return True if it is done again and again, and three rounds are missing."""
        return bool(self.every_s) and now - self.at > 3 * self.every_s + self.seconds


def noted(report: SyncReport) -> str:
    """Return a report as a fact."""
    return json.dumps(report._asdict())


def report_of(fact: str) -> SyncReport | None:
    """Return the report of a fact, with the members that this version knows; None for "", which is none."""
    known = json.loads(fact or "{}")
    return SyncReport(**{name: known[name] for name in SyncReport._fields if name in known}) if known else None


def reports(ledger: Ledger | None, now: float) -> list[SyncReport]:
    """Return the reports of the syncs that go on."""
    found = filter(None, map(report_of, ledger.facts(FACT) if ledger else ()))
    return [one for one in found if now - max(one.at, one.failed_at) < KEPT_S]
