"""The thread that writes to the store, so that one batch is stored while the next is embedded.

A store's error does not end the thread: it is told of its batch, and the next one is tried.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from importer.protocol import failpoints
from importer.protocol.records import ConversationFacts
from importer.worker.retell import retell
from importer.worker.stores import Ownership, Point, Store


@dataclass(frozen=True, slots=True)
class WriteJob:
    """One durable write: new points, others that stand otherwise now, deletions. `ids` are all ids it touches.

    `again` of the points are in the store already, on some replica at least.
    """

    number: int
    points: tuple[Point, ...]
    standing: Mapping[str, Ownership]
    deletes: tuple[str, ...]
    ids: frozenset[str]
    known: int = 0
    again: int = 0
    tokens: int = 0
    embed_s: float = 0.0
    news: tuple[tuple[str, ConversationFacts], ...] = ()


@dataclass(slots=True)
class StoreWriter:
    """Writes one job at a time, in order. `stored(job, seconds)` or `failed(job, error)` is called on its thread.

    The queue holds a single job. With the one being written and the one being embedded at most three batches have their
    vectors in memory, and a slow store slows down the embedding.
    """

    store: Store
    stored: Callable[[WriteJob, float], None]
    failed: Callable[[WriteJob, Exception], None]
    _jobs: queue.Queue[WriteJob | None] = field(default_factory=lambda: queue.Queue(maxsize=1))
    _pending: dict[int, WriteJob] = field(default_factory=dict)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="storing", daemon=True)
        self._thread.start()

    def submit(self, job: WriteJob) -> None:
        """Queue a write; wait while one is being written and another queued."""
        # Before `put`: a job done at once must find its entry to take out.
        self._pending[job.number] = job
        self._jobs.put(job)

    def settle(self, ids: frozenset[str] | None = None) -> None:
        """Wait until no queued write touches any of `ids` (None: until all is written).

        Called by the thread that submits, so nothing new comes meanwhile. A queue can only be waited for as a whole; it
        is short.
        """
        if any(ids is None or job.news or ids & job.ids for job in self._queued()):
            self._jobs.join()

    def touched(self, ids: frozenset[str]) -> frozenset[str]:
        """Return those of `ids` that a queued write touches, news apart: what the store has of them is not settled."""
        return ids & frozenset[str]().union(*(job.ids for job in self._queued()))

    @property
    def tells_news(self) -> bool:
        """Whether a queued write tells news, which may change any point that is stored."""
        return any(job.news for job in self._queued())

    def _queued(self) -> list[WriteJob]:
        """Return the writes that are not done: a copy, for the storing thread takes entries out."""
        return list(self._pending.values())

    def stop(self) -> None:
        """Write what is queued and end the thread."""
        self._jobs.put(None)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        """Write jobs until None; each item is marked done, None as well, for `settle` joins on the queue."""
        while (job := self._jobs.get()) is not None:
            self._write(job)
            self._pending.pop(job.number, None)
            self._jobs.task_done()
        self._jobs.task_done()

    def _write(self, job: WriteJob) -> None:
        """Write one job and report how it went. Raises what the report raises, which ends the thread."""
        started = time.monotonic()
        try:
            failpoints.hit("upsert.before")
            self.store.write(job.points, job.standing, job.deletes)
            failpoints.hit("upsert.after")
            if job.news:
                failpoints.hit("retell")
            for source, facts in job.news:
                retell(self.store, source, facts)
        except Exception as error:  # of any kind: unreported, the daemon would wait for ever
            self.failed(job, error)
        else:
            self.stored(job, time.monotonic() - started)
