"""Guard of the memory of workers that only embed: each is judged by itself, against its share of the limit.

What the governor says of the machine as a whole is acted on once, by `Guard`, for the worker that stores.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from importer.delivery.embed_pool import EmbedPool
from importer.delivery.policy import Recycle
from importer.delivery.snapshot import LivingWorker, Snapshot
from importer.log import logger
from importer.memory import governor
from importer.memory.governor import Action, Do, GovernorState, Thresholds, WorkerState
from importer.memory.probes import Probes, Sample

log = logger()


@dataclass(frozen=True, slots=True)
class Beside:
    """What they take together, and the largest model run that suits all of them; 0 tokens say nothing."""

    rss_bytes: int = 0
    judged_bytes: int = 0
    budget_tokens: int = 0

    def within(self, budget_tokens: int) -> int:
        """Return the budget for all workers."""
        return min(budget_tokens, self.budget_tokens or budget_tokens)


@dataclass(slots=True)
class PoolGuard:
    """Watch over the workers of a pool, but for the one that stores. `states` are by place."""

    pool: EmbedPool
    thresholds: Thresholds
    probes: Probes = field(default_factory=Probes)
    clock: Callable[[], float] = time.monotonic
    states: dict[int, GovernorState] = field(default_factory=dict)

    def look(self, seen: Snapshot, sample: Sample) -> Beside:
        """Decide for each living one and act; return what they take."""
        beside = Beside()
        for worker in seen.others:
            memory = self.probes.process(worker.pid)
            if memory is None:  # it has just ended
                continue
            self.pool.supervisor(worker.place).judged_bytes = memory.judged_bytes
            found = replace(sample, worker=memory, daemon=None, oom_kills=None)
            before = self.states.get(worker.place, GovernorState())
            action, self.states[worker.place] = governor.decide(found, self._state(worker), self.thresholds, before)
            self._act(worker, action)
            beside = Beside(
                beside.rss_bytes + memory.rss_bytes,
                beside.judged_bytes + memory.judged_bytes,
                beside.within(action.budget_tokens),
            )
        return beside

    def _state(self, worker: LivingWorker) -> WorkerState:
        """Return what the governor must know of a worker; it is idle since its last batch."""
        now_s, busy = self.clock(), bool(worker.load or worker.questions)
        idle_s = 0.0 if busy else now_s - max(worker.used_s, worker.started_s)
        age_s = now_s - worker.started_s
        return WorkerState(worker.pid, age_s, worker.batches, worker.files, worker.lifetime_files, busy, idle_s)

    def _act(self, worker: LivingWorker, action: Action) -> None:
        """Do what concerns one worker."""
        place = worker.place
        if action.do is Do.KILL:
            self.pool.supervisor(place).kill()
        elif action.do is Do.RECYCLE:  # it is said at every look, and logged when it is done
            self.pool.retire(place, Recycle(action.reason), now=not worker.load)
            return
        elif action.do is Do.TRIM:
            self.pool.trim(place)
        else:
            return
        log.warning(f"memory.{action.do}", place=place, reason=action.reason)
