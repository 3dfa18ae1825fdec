"""Guard of memory: it looks every second and does what the governor decides. It never blocks the import."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from importer.delivery.engine import Engine
from importer.delivery.policy import Recycle
from importer.delivery.snapshot import Snapshot
from importer.errors import StateUnwritable
from importer.log import logger
from importer.memory import governor
from importer.memory.forecasting import META, Forecasts
from importer.memory.governor import Action, Do, GovernorState, Thresholds, WorkerState
from importer.memory.pool_guard import Beside, PoolGuard
from importer.memory.probes import Probes, Sample
from importer.protocol.system.capabilities import has, libc
from importer.state.history import History, Moment, WorkerEnding

log = logger()

ALONE_S = 10.0  # between two looks while there is no worker
HISTORY_S = 10  # seconds of samples written at once: one small transaction


@dataclass(slots=True)
class Guard:
    """Watch over the memory of one engine. `leave(reason)` is called when the daemon itself has grown too large.

    `forecasts` bound the token budget besides; without them the governor's own counts. `beside` watches over workers
    that only embed.
    """

    engine: Engine
    thresholds: Thresholds
    history: History | None = None
    leave: Callable[[str], None] = lambda _reason: None
    sample_s: float = 1.0
    probes: Probes = field(default_factory=Probes)
    clock: Callable[[], float] = time.monotonic
    state: GovernorState = field(default_factory=GovernorState)
    sample: Sample | None = None
    forecasts: Forecasts | None = None
    beside: PoolGuard | None = None
    _moments: list[Moment] = field(default_factory=list)
    _told: str = ""  # of the forecasts, as the state was told last
    _remembered: int = -1  # points, as the state was told last
    _asked: set[asyncio.Task[object]] = field(default_factory=set)

    async def run(self) -> None:
        """Look until cancelled: every `sample_s` at a worker, seldom without one, so that idling costs little."""
        try:
            while True:
                self.look()
                if self.engine.snapshot().worker is not None:
                    await asyncio.sleep(self.sample_s)
                else:
                    await self.engine.wait_for_worker(ALONE_S)
        finally:
            self.flush()

    def look(self) -> Action:
        """Take one sample, decide, and act."""
        seen = self.engine.snapshot()
        sample = self.sample = self.probes.sample(seen.worker.pid if seen.worker else None)
        beside = self.beside.look(seen, sample) if self.beside else Beside()
        self._note(sample, beside)
        action, self.state = governor.decide(sample, self._worker_state(seen), self.thresholds, self.state)
        for warning in action.warnings:
            log.warning("memory.warned", reason=warning)
        self._act(action)
        budget = self.forecasts.paced(action.budget_tokens) if self.forecasts else action.budget_tokens
        self.engine.pace(action.delay_s, beside.within(budget))
        return action

    def _worker_state(self, seen: Snapshot) -> WorkerState | None:
        """Return what the governor must know of the worker, None without one; idle since its last batch or question."""
        worker = seen.worker
        if worker is None:
            return None
        now_s = self.clock()
        busy = seen.is_busy or bool(worker.questions)
        idle_s = 0.0 if busy or seen.waiting else now_s - max(seen.idle_since_s, worker.started_s)
        age_s = now_s - worker.started_s
        return WorkerState(worker.pid, age_s, worker.batches, worker.files, worker.lifetime_files, busy, idle_s)

    def _act(self, action: Action) -> None:
        """Do what the action says. A recycle is left to the engine, which ends a worker between two batches."""
        engine = self.engine
        if action.do is Do.NOTHING:
            return
        if action.do is Do.KILL:
            engine.kill_worker()
        elif action.do is Do.RECYCLE:
            engine.end_worker(Recycle(action.reason))  # it is said at every look, and logged when it is done
            return
        elif action.do is Do.TRIM:
            self._trim()
        elif action.do is Do.COLLECT:
            collect()
        elif action.do is Do.LEAVE:
            self.leave(action.reason)
        elif action.do in {Do.PAUSE, Do.RESUME}:
            engine.press(action.reason if action.do is Do.PAUSE else "")
        log.warning(f"memory.{action.do}", reason=action.reason)

    def _trim(self) -> None:
        """Ask the worker to trim, beside the import; the task is held until its answer, which no one awaits."""
        task = asyncio.ensure_future(self.engine.trim())
        self._asked.add(task)
        task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[object]) -> None:
        """Take the exception, which asyncio would complain about otherwise."""
        self._asked.discard(task)
        if not task.cancelled():
            task.exception()  # a worker that died meanwhile is the delivery's business

    def _note(self, sample: Sample, beside: Beside) -> None:
        """Note peaks for `status` and the summary, and one moment for the history."""
        stats = self.engine.stats
        if sample.worker is not None:
            others = (beside.rss_bytes, beside.judged_bytes)
            stats.note_worker(sample.worker.rss_bytes, sample.worker.judged_bytes, others)
        if sample.daemon is not None:
            stats.note_daemon(sample.daemon.rss_bytes)
        self._moments.append(_moment(sample))
        if len(self._moments) * self.sample_s >= HISTORY_S:
            self.flush()

    def flush(self) -> None:
        """Write the samples, and how workers ended since. A full disk costs history, nothing else."""
        try:
            self._flush()
        except StateUnwritable as error:
            log.debug("history.lost", reason=error.message)

    def _flush(self) -> None:
        """Write them or raise StateUnwritable; they are dropped then, since a disk may stay full for weeks."""
        endings = self.engine.stats.take_endings()
        moments, self._moments = self._moments, []
        if self.history is not None:
            self.history.measured(moments)
            for ending in endings:
                self.history.ended(WorkerEnding(*ending))
        self._remember()

    def _remember(self) -> None:
        """Write how many points there are and what the model takes, so that it is known after a restart."""
        told = self.forecasts.told() if self.forecasts else ""
        if told not in ("", self._told):
            self.engine.checkpoints.remember(**{META: told})
            self._told = told
        total = self.engine.run.total
        if total not in (-1, self._remembered):
            self.engine.checkpoints.remember(points=str(total))
            self._remembered = total


def collect() -> None:
    """Free what Python and the allocator keep. `malloc_trim` is glibc's alone; elsewhere it is passed over."""
    gc.collect()
    trim = libc("malloc_trim")
    if has("glibc-malloc") and trim is not None:
        trim(0)


def _moment(sample: Sample) -> Moment:
    """Return a sample as the history keeps it: an unknown number counts 0."""
    worker, daemon = sample.worker, sample.daemon
    return Moment(
        at=time.time(),
        worker_anon_bytes=worker.anon_bytes if worker else 0,
        worker_swap_bytes=worker.swap_bytes if worker else 0,
        worker_file_bytes=worker.file_bytes if worker else 0,
        daemon_rss_bytes=daemon.rss_bytes if daemon else 0,
        available_bytes=sample.available_bytes or 0,
        cgroup_bytes=sample.group.used_bytes if sample.group else 0,
    )
