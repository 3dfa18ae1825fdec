"""The state of an engine at one moment, as a frozen value: status, metrics, progress and the memory guard read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from importer.delivery.delivery import Delivery
from importer.delivery.outage import STORE
from importer.delivery.progress import Run, WorkerStats
from importer.delivery.supervisor import Worker
from importer.protocol.records import Commit, Tally
from importer.protocol.worker_settings import WorkerSettings
from importer.sources.queue import Pending
from importer.sources.reconcile import Reconcile
from importer.sources.scan import Root


@dataclass(frozen=True, slots=True)
class LivingWorker:
    """The worker process that runs now.

    `started_s` is monotonic. `files` and `batches` are those it has stored; it is ended after `lifetime_files`, 0 means
    never. `questions` wait for its answer. `points` stood in the store when it started.

    Of several, the one at `place` 0 stores; `load` batches are to be embedded by it, and it did so last at `used_s`.
    """

    pid: int
    started_s: float
    files: int
    batches: int
    lifetime_files: int
    questions: int
    points: int
    place: int = 0
    load: int = 0
    used_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that the rest of the daemon may know of an engine.

    `waiting` are the files to read, `in_flight` the commits of the batches without a receipt. `overflowed` says that
    more files are behind than `waiting` can hold; `listed_files` is how many the last look found in all. `is_reading`
    says that files are being read that stand in neither. `pressed` is why the memory governor has paused the import, ""
    for not. `idle_since_s` is monotonic, the end of the last batch or question. `settings` is the worker's first frame.
    `listing_errors` are the folders that the last look could not list, with the system's reasons. `others` are the
    living workers that only embed.
    """

    roots: tuple[Root, ...]
    waiting: tuple[Pending, ...]
    in_flight: tuple[Commit, ...]
    overflowed: bool
    listed_files: int
    is_reading: bool
    is_busy: bool
    is_stopping: bool
    is_unfinished: bool
    is_store_away: bool
    pressed: str
    idle_since_s: float
    run: Run
    stats: WorkerStats
    worker: LivingWorker | None
    settings: WorkerSettings
    listing_errors: Mapping[bytes, str]
    others: tuple[LivingWorker, ...] = ()

    @property
    def errors(self) -> Mapping[bytes, str]:
        """The paths that could not be listed or read, with the system's reasons."""
        return {**self.listing_errors, **self.run.errors}

    @property
    def tally_in_flight(self) -> Tally:
        """What was read and is with the worker: a receipt commits it, after a crash it is read again."""
        return sum((commit.tally for commit in self.in_flight), Tally())


def take(
    roots: tuple[Root, ...],
    delivery: Delivery,
    reconcile: Reconcile,
    run: Run,
    *,
    is_reading: bool,
    is_listing: bool,
    is_stopping: bool,
    pressed: str,
    idle_since_s: float,
) -> Snapshot:
    """Return the snapshot of an engine that consists of these parts; `is_listing` says that it looks for files."""
    supervisor, queue = delivery.supervisor, reconcile.queue
    return Snapshot(
        roots=roots,
        waiting=tuple(queue.waiting()),
        in_flight=tuple(commit for flight in delivery.unsettled() for commit in flight.batch.commits),
        overflowed=queue.overflowed,
        listed_files=reconcile.files,
        is_reading=is_reading,
        is_busy=delivery.busy,
        is_stopping=is_stopping,
        is_unfinished=delivery.busy or bool(queue) or queue.overflowed or is_listing or is_reading,
        is_store_away=delivery.outage.away == STORE,
        pressed=pressed,
        idle_since_s=idle_since_s,
        run=replace(run, errors=dict(run.errors)),
        stats=replace(supervisor.stats, recycles=supervisor.stats.recycles.copy()),
        worker=_living(supervisor.worker),
        settings=supervisor.launch.settings,
        listing_errors=dict(reconcile.errors),
        others=_others(delivery),
    )


def _others(delivery: Delivery) -> tuple[LivingWorker, ...]:
    """Return the living workers that only embed, in the order of their places."""
    pool, found = delivery.pool, list[LivingWorker]()
    for at, one in enumerate(pool.others, 1) if pool is not None else ():
        if pool is not None and (living := _living(one.worker)) is not None:
            load, used_s = pool.load(at, delivery.queue), pool.used_s(at)
            found.append(replace(living, place=at, load=load, used_s=used_s))
    return tuple(found)


def _living(worker: Worker | None) -> LivingWorker | None:
    """Return what may be known of a worker."""
    if worker is None:
        return None
    return LivingWorker(
        pid=worker.child.pid,
        started_s=worker.born_s,
        files=worker.files,
        batches=worker.batches,
        lifetime_files=worker.lifetime_files,
        questions=worker.child.waiting,
        points=worker.ready.points,
    )
