"""History of memory and of the endings of workers, each in a bounded ring.

Samples are kept twice: by the second for an hour, and for thirty days as the worst of every ten minutes, so that a
peak weeks ago still shows in the curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from importer.state.database import Database

FINE_S, COARSE_S = 1, 600
RINGS = {FINE_S: 3600, COARSE_S: 4320}  # step in seconds: slots
KEEP_RECYCLES = 1000


class Moment(NamedTuple):
    """Memory in one second, or the worst of a step: `at` is UTC seconds, the rest bytes, 0 where unknown."""

    at: float
    worker_anon_bytes: int = 0
    worker_swap_bytes: int = 0
    worker_file_bytes: int = 0
    daemon_rss_bytes: int = 0
    available_bytes: int = 0
    cgroup_bytes: int = 0


class WorkerEnding(NamedTuple):
    """End of a worker: `reason` of the recycle or crash, `anon_bytes` its anonymous memory and swap then."""

    at: float
    reason: str
    pid: int
    files: int
    anon_bytes: int
    lived_s: float


# the slot still holds what was measured one round of the ring ago
_LAST_ROUND = "DELETE FROM samples WHERE step_s = ? AND slot = ? AND CAST(at / step_s AS INTEGER) != ?"
# within a step the most that was taken counts, and the least that was left
_WORST = """
INSERT INTO samples (step_s, slot, at, worker_anon_bytes, worker_swap_bytes, worker_file_bytes, daemon_rss_bytes,
  available_bytes, cgroup_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (step_s, slot) DO UPDATE SET
  at = excluded.at,
  worker_anon_bytes = max(worker_anon_bytes, excluded.worker_anon_bytes),
  worker_swap_bytes = max(worker_swap_bytes, excluded.worker_swap_bytes),
  worker_file_bytes = max(worker_file_bytes, excluded.worker_file_bytes),
  daemon_rss_bytes = max(daemon_rss_bytes, excluded.daemon_rss_bytes),
  available_bytes = coalesce(
    min(nullif(available_bytes, 0), nullif(excluded.available_bytes, 0)), max(available_bytes, excluded.available_bytes)
  ),
  cgroup_bytes = max(cgroup_bytes, excluded.cgroup_bytes)
"""
_CURVE = """
SELECT at, worker_anon_bytes, worker_swap_bytes, worker_file_bytes, daemon_rss_bytes, available_bytes, cgroup_bytes
FROM samples WHERE step_s = ? AND at > ? ORDER BY at
"""


class History:
    """Two rings of one state. They serve display alone, so no write is synced."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rings = dict(RINGS)

    def keep(self, seconds: int) -> None:
        """Keep that many of the newest samples by the second, in place of an hour's."""
        self._rings[FINE_S] = seconds
        with self._database.transaction(durable=False) as connection:
            connection.execute("DELETE FROM samples WHERE step_s = ? AND slot >= ?", (FINE_S, seconds))

    def measured(self, moments: Sequence[Moment]) -> None:
        """Write samples to both rings. One write for ten seconds is often enough, and lets disks sleep."""
        with self._database.transaction(durable=False) as connection:
            for step, slots in self._rings.items():
                for moment in moments:
                    number = int(moment.at // step)
                    connection.execute(_LAST_ROUND, (step, number % slots, number))
                    connection.execute(_WORST, (step, number % slots, *moment))

    def curve(self, *, since: float = 0.0, step_s: int = FINE_S) -> list[Moment]:
        """Return what was measured after `since`, in order of time."""
        return [Moment(*row) for row in self._database.rows(_CURVE, (step_s, since))]

    def ended(self, ending: WorkerEnding) -> None:
        """Write how a worker ended; the newest `KEEP_RECYCLES` stay."""
        with self._database.transaction(durable=False) as connection:
            sql = "INSERT INTO recycles (at, reason, pid, files, anon_bytes, lived_s) VALUES (?, ?, ?, ?, ?, ?)"
            newest = connection.execute(sql, ending).lastrowid or 0
            connection.execute("DELETE FROM recycles WHERE id <= ?", (newest - KEEP_RECYCLES,))

    def endings(self, limit: int = KEEP_RECYCLES) -> list[WorkerEnding]:
        """Return the newest endings, newest first."""
        sql = "SELECT at, reason, pid, files, anon_bytes, lived_s FROM recycles ORDER BY id DESC LIMIT ?"
        return [WorkerEnding(*row) for row in self._database.rows(sql, (limit,))]
