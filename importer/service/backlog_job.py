"""Paths that `backlog` hands to a running daemon: it looks at them now, imports them, and tells how far it is.

backlog PATH ── "import" ──► begin: a look at these roots ──► agenda … batches ──► counted where they are its files
             ◄─ "progress" ─ told(number), until `done`
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from importer.delivery.engine import Engine
from importer.delivery.progress import Run, summary
from importer.errors import ImporterError, UsageError
from importer.log import logger
from importer.protocol.records import Batch, Receipt
from importer.sources.scan import Root

log = logger()

REMEMBERED = 16  # finished ones, for whoever asks late
LOOK_S = 0.2


@dataclass(slots=True)
class BacklogJob:
    """One hand-over. `left` is how many of its files wait or are in flight, `found` how many there are, `errors` what
    could not be listed or read. `seconds` is 0 until it is done; `failed` is raised for whoever asks.
    """

    roots: tuple[Root, ...]
    run: Run = field(default_factory=Run)
    found: int = 0
    left: int = 0
    done: bool = False
    seconds: float = 0.0
    failed: ImporterError | None = None
    errors: dict[bytes, str] = field(default_factory=dict)

    def mine(self, path: bytes) -> bool:
        """Whether a file is one of those handed over."""
        return any(root.holds(path) for root in self.roots)


class BacklogJobs:
    """All that was handed over to this daemon.

    `looking` keeps its looks and the daemon's own apart; `held_by()` says why nothing moves just now, "" when it does;
    `measure()` takes a sample of the memory in use, for an import may be over before the next one is due.
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
        engine.observers.append(self._observe)

    async def begin(self, roots: list[dict[str, Any]]) -> dict[str, Any]:
        """Answers at once with the number to ask for; `roots` are the fields of `Root`, paths as text."""
        given = tuple(_root(fields) for fields in roots)
        number = max(self._jobs, default=0) + 1  # the newest job is never dropped, so no number comes twice
        self._jobs[number] = job = BacklogJob(given)
        for old in [one for one, former in self._jobs.items() if former.done][:-REMEMBERED]:
            del self._jobs[old]
        task = asyncio.ensure_future(self._follow(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return {"number": number}

    async def told(self, number: int) -> dict[str, Any]:
        """How far it is; when `done`, its whole summary. Raises what ended it, UsageError for a number never given."""
        job = self._jobs.get(number)
        if job is None:
            raise UsageError(f"nothing was handed over under number {number}", hint="was the daemon restarted?")
        if job.failed is not None:
            raise job.failed
        engine = self._engine
        record = engine.delivery.supervisor.stats
        seconds = job.seconds or time.monotonic() - job.run.started_s
        return {
            "done": job.done,
            "found": job.found,
            "left": job.left,
            "holding": self._held_by(),
            "worker_rss_bytes": record.rss_bytes,
            "errors": {os.fsdecode(path): reason for path, reason in job.errors.items()},
            "in_quarantine": engine.checkpoints.quarantine.count(),
            "summary": summary(job.run, record, seconds, stopped=engine.stopping),
        }

    def _observe(self, batch: Batch, receipt: Receipt) -> None:
        """A batch may hold files of several jobs, and of none."""
        for job in self._jobs.values():
            if not job.done:
                job.run.add(batch, receipt, job.mine)

    async def _follow(self, job: BacklogJob) -> None:
        """The task of one job. What it fails with is kept for whoever asks."""
        try:
            await self._import(job)
        except ImporterError as error:  # for whoever asks; the daemon goes on
            job.failed = error
        except Exception as error:  # a bug of ours: whoever asks must not wait for ever
            log.exception("handover.failed")
            job.failed = ImporterError(f"the daemon failed: {type(error).__name__}: {error}", hint="see its log")
        job.errors |= {path: reason for path, reason in self._engine.run.errors.items() if job.mine(path)}
        job.seconds = time.monotonic() - job.run.started_s
        job.done = True

    async def _import(self, job: BacklogJob) -> None:
        """Looks, waits until none of its files is left, and looks again when there were more than can wait at once."""
        engine = self._engine
        more = True
        while more:
            async with self._looking:
                job.found = await engine.reconcile(job.roots)
                more = engine.agenda.overflowed
                job.errors |= engine.looker.errors
            await self._through(job)
        self._measure()
        job.run.total = engine.run.total if engine.run.total >= 0 else await engine.delivery.supervisor.ask("count")

    async def _through(self, job: BacklogJob) -> None:
        """Until none of its files is left."""
        while self._count_left(job):  # noqa: ASYNC110  (batches end for many reasons; nobody waits for this in earnest)
            await asyncio.sleep(LOOK_S)

    def _count_left(self, job: BacklogJob) -> bool:
        """Whether any file of it waits, is being read or is in flight; how many, as far as can be seen."""
        engine = self._engine
        waiting = {pending.path for pending in engine.agenda.waiting()}
        flying = {commit.checkpoint.path for flight in engine.delivery.unsettled() for commit in flight.batch.commits}
        job.left = sum(map(job.mine, waiting | flying))
        return bool(job.left) or engine.packing


def _root(fields: dict[str, Any]) -> Root:
    """The root that another process described; a missing pattern list means none."""
    include, exclude = tuple(fields.get("include", ())), tuple(fields.get("exclude", ()))
    return Root(os.fsencode(fields["path"]), fields["format"], include, exclude)
