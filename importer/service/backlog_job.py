"""Paths that `backlog` hands to a running daemon: it looks at them now, imports them first, and tells how far it is.

backlog PATH ── "import" ──► start: a look at these roots ──► queue … batches ──► counted where they are its files
             ◄─ "progress" ─ progress(number), until `done`
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from importer.consistency import forget
from importer.delivery.engine import Engine
from importer.delivery.progress import Run, summary
from importer.errors import ImporterError, UsageError
from importer.log import logger
from importer.protocol.foreign.arguments import converted
from importer.protocol.outcome import Receipt
from importer.protocol.records import Batch
from importer.sources import census
from importer.sources.census import Census
from importer.sources.scan import Root

log = logger()

REMEMBERED = 16  # finished jobs, for a question that comes late


@dataclass(slots=True)
class BacklogJob:
    """One import that was asked for over the socket.

    `found` is how many files its roots hold, `left` how many of them wait or are in flight, `errors` what could not be
    listed or read, `counted` its files by fate, at its end. `seconds` is 0 until it is done. `failed` is raised by the
    next question about it.
    """

    roots: tuple[Root, ...]
    run: Run = field(default_factory=Run)
    found: int = 0
    left: int = 0
    done: bool = False
    seconds: float = 0.0
    failed: ImporterError | None = None
    errors: dict[bytes, str] = field(default_factory=dict)
    counted: Census = field(default_factory=Census)

    def owns(self, path: bytes) -> bool:
        """Return whether a file lies below one of the roots of this job."""
        return any(root.holds(path) for root in self.roots)


class BacklogJobs:
    """All jobs of this daemon.

    `looking` keeps their looks and the daemon's own apart; `held_by()` says why nothing moves just now, "" when it
    does; `measure()` takes a sample of the memory in use, for an import may be over before the next one is due.
    """

    def __init__(
        self, engine: Engine, looking: asyncio.Lock, held_by: Callable[[], str], measure: Callable[[], object]
    ) -> None:
        self._engine = engine
        self._looking = looking
        self._held_by = held_by
        self._measure = measure
        self._jobs: dict[int, BacklogJob] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        engine.on_stored(self._count)

    async def start(self, roots: list[dict[str, Any]]) -> dict[str, Any]:
        """Return at once the number to ask for. `roots` are the fields of `Root`, paths as text."""
        given = tuple(_root(fields) for fields in roots)
        number = max(self._jobs, default=0) + 1  # the newest job is never dropped, so no number comes twice
        self._jobs[number] = job = BacklogJob(given)
        for old in [one for one, former in self._jobs.items() if former.done][:-REMEMBERED]:
            del self._jobs[old]
        task = asyncio.ensure_future(self._follow(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return {"number": number}

    async def progress(self, number: int) -> dict[str, Any]:
        """Return how far a job is; when `done`, its whole summary.

        Raises what ended it, and UsageError for a number that was never given.
        """
        job = self._jobs.get(number)
        if job is None:
            raise UsageError(f"nothing was handed over under number {number}", hint="was the daemon restarted?")
        if job.failed is not None:
            raise job.failed
        seen = self._engine.snapshot()
        seconds = job.seconds or time.monotonic() - job.run.started_s
        told = summary(job.run, seen.stats, seconds, stopped=seen.is_stopping)
        left_out = forget.left_out(self._engine.checkpoints)
        return {
            "done": job.done,
            "found": job.found,
            "left": job.left,
            "holding": self._held_by(),
            "worker_rss_bytes": seen.stats.rss_bytes,
            "errors": {os.fsdecode(path): reason for path, reason in job.errors.items()},
            "in_quarantine": self._engine.checkpoints.quarantine.count(),
            "summary": {**told, **job.counted.fields(), "conversations_left_out": left_out},
        }

    def _count(self, batch: Batch, receipt: Receipt) -> None:
        """Count a stored batch for the jobs it has files of: of several, or of none."""
        for job in self._jobs.values():
            if not job.done:
                job.run.add(batch, receipt, job.owns)

    async def _follow(self, job: BacklogJob) -> None:
        """Import one job to its end. What it fails with is kept for the next question; the daemon goes on."""
        try:
            await self._import(job)
        except ImporterError as error:
            job.failed = error
        except Exception as error:  # a bug of ours: the command that waits must not wait for ever
            log.exception("handover.failed")
            job.failed = ImporterError(f"the daemon failed: {type(error).__name__}: {error}", hint="see its log")
        job.errors |= {path: reason for path, reason in self._engine.run.errors.items() if job.owns(path)}
        job.seconds = time.monotonic() - job.run.started_s
        job.done = True

    async def _import(self, job: BacklogJob) -> None:
        """Look, wait until no file of the job is left, and look again when there were more than can wait at once."""
        engine = self._engine
        more = True
        while more:
            async with self._looking:
                job.found = await engine.reconcile(job.roots, named=True)
                seen = engine.snapshot()
            more = seen.overflowed
            job.errors |= seen.listing_errors
            while self._has_left(job):
                await engine.moved()
        self._measure()
        job.run.total = await engine.points()
        job.counted = census.take(job.roots, engine.checkpoints)

    def _has_left(self, job: BacklogJob) -> bool:
        """Count the files of the job that wait or are in flight; return whether any is left or is being read."""
        seen = self._engine.snapshot()
        paths = {one.path for one in seen.waiting} | {commit.checkpoint.path for commit in seen.in_flight}
        job.left = sum(map(job.owns, paths))
        return bool(job.left) or seen.is_reading


@dataclass(frozen=True, slots=True)
class _RootAsked:
    """A root as another process describes it: its path as text, and no patterns unless it names some."""

    path: str
    format: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


def _root(fields: dict[str, Any]) -> Root:
    """Return the root that another process described. Raises UsageError."""
    asked = converted(fields, _RootAsked)
    try:
        path = os.fsencode(asked.path)
    except UnicodeEncodeError as error:  # half of a surrogate pair, which no path has
        raise UsageError(f"malformed question: {error}") from error
    return Root(path, asked.format, asked.include, asked.exclude)
