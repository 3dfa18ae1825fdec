"""Plan the speed of several workers from what one batch takes: a simulation, with its assumptions in words. Pure.

    daemon ──► worker 1 … N, by `delivery.allotment` ──► in order ──► the writer's storing thread ──► commit

The times are those of a batch: `model_s` seconds of one core, `store_s` and `daemon_s` seconds of wall time. Nothing
else is taken into account; where processes share cores, the sum of all processor time bounds the speed besides.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from importer.delivery.allotment import DEPTH, WorkerPlace, choose, most_of
from importer.memory.sharing import THREADS_EACH

CORES = (1, 2, 4, 8, 16, 32, 64)
BATCHES = 400
ROUND_TRIP_S = 0.05  # assumed for a batch that a cluster writes to its replicas


@dataclass(frozen=True, slots=True)
class BatchTimes:
    """What a batch takes: `chunks` and `tokens` in it, on average; see the module for the times."""

    model_s: float
    store_s: float
    daemon_s: float
    chunks: float
    tokens: float

    def words(self, source: str) -> Iterator[str]:
        """Yield what the plan stands on."""
        yield (
            f"{source}: a batch is {self.chunks:.0f} chunks, {self.tokens:.0f} tokens; it takes {self.model_s:.3f} s of"
            f" one core in the model, {self.store_s:.3f} s in the store, {self.daemon_s:.4f} s in the daemon"
        )
        yield f"a batch takes the model as many core seconds on any number of threads, up to {THREADS_EACH} a worker"
        yield "cores are alike and share no limit of memory bandwidth: the larger the machine, the less this holds"
        yield f"a worker for every {THREADS_EACH} cores, with {DEPTH} batches; of more than 4 the first only stores"
        yield f"a cluster answers {ROUND_TRIP_S:.3f} s later than this store, at any size: assumed, not measured"


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """The speed of so many workers on so many cores; `store` and `daemon` are the shares of time that each is busy."""

    cores: int
    workers: int
    tokens_per_s: float
    chunks_per_s: float
    store: float
    daemon: float


@dataclass(slots=True)
class _Course:
    """One simulated import: what is at which worker, and when it is ready."""

    times: BatchTimes
    workers: int
    embed_s: float
    now_s: float = 0.0
    daemon_free_s: float = 0.0
    stored_s: float = 0.0  # when the storing thread is free
    posted: int = 0
    committed: deque[float] = field(default_factory=deque)  # of batches in flight that are on their way to the store
    ready: dict[int, int] = field(default_factory=dict)  # embedded batches by number, with their places
    free_s: list[float] = field(default_factory=list)
    load: list[int] = field(default_factory=list)
    events: list[tuple[float, int, int]] = field(default_factory=list)  # a batch is embedded: when, which, where

    def run(self, batches: int) -> float:
        """Return the seconds that so many batches take."""
        self.free_s, self.load = [0.0] * self.workers, [0] * self.workers
        waiting, made = deque[int](), 0
        while self.posted < batches or self.committed:
            while made < batches and made - self.posted + len(self.committed) < DEPTH * self.workers:
                self.daemon_free_s = max(self.daemon_free_s, self.now_s) + self.times.daemon_s
                waiting.append(made)
                made += 1
            while waiting and (at := choose(self._places())) is not None:
                self._begin(waiting.popleft(), at)
            self._next()
        return self.stored_s

    def _places(self) -> list[WorkerPlace]:
        return [WorkerPlace(load, most_of(at, self.workers)) for at, load in enumerate(self.load)]

    def _begin(self, number: int, at: int) -> None:
        """Have a worker embed a batch, after those it has."""
        self.load[at] += 1
        self.free_s[at] = max(self.free_s[at], self.now_s, self.daemon_free_s) + self.embed_s
        heapq.heappush(self.events, (self.free_s[at], number, at))

    def _next(self) -> None:
        """Go on to the next moment at which a batch is embedded or committed; what is ready is posted, in order."""
        self.now_s = min([*list(self.committed)[:1], *(at_s for at_s, _, _ in self.events[:1])])
        while self.committed and self.committed[0] <= self.now_s:
            self.committed.popleft()
        while self.events and self.events[0][0] <= self.now_s:
            _, number, at = heapq.heappop(self.events)
            self.load[at] -= 1
            self.ready[number] = at
        while self.posted in self.ready:
            del self.ready[self.posted]
            self.posted += 1
            self.stored_s = max(self.stored_s, self.now_s) + self.times.store_s
            self.committed.append(self.stored_s)


def planned(times: BatchTimes, cores: int, workers: int = 0) -> WorkerPlan:
    """Return the speed of an import on so many cores; `workers` 0 is one for every four cores."""
    count = workers or max(1, cores // THREADS_EACH)
    threads = min(THREADS_EACH, max(1, cores // count))
    course = _Course(times, count, times.model_s / threads)
    busy_s = BATCHES * (times.model_s + times.store_s + times.daemon_s) / cores
    seconds = max(course.run(BATCHES), busy_s)
    speed = BATCHES / seconds
    return WorkerPlan(
        cores,
        count,
        round(speed * times.tokens, 1),
        round(speed * times.chunks, 1),
        round(speed * times.store_s, 3),
        round(speed * times.daemon_s, 3),
    )


def figures(times: BatchTimes, source: str, cores: Sequence[int] = CORES, workers: int = 0) -> dict[str, Any]:
    """Return the JSON: assumptions, and a plan for every number of cores with this store and with a cluster."""
    far = replace(times, store_s=times.store_s + ROUND_TRIP_S)
    return {
        "assumptions": list(times.words(source)),
        "batch": asdict(times),
        "store": [asdict(planned(times, one, workers)) for one in cores],
        "cluster": [asdict(planned(far, one, workers)) for one in cores],
    }


def text(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines for people: the assumptions first."""
    yield "Assumed:"
    yield from (f"  {one}" for one in found["assumptions"])
    for name in ("store", "cluster"):
        yield ""
        yield f"{name:>8}  cores  workers   tokens/s  chunks/s  times  store busy  daemon busy"
        first = found[name][0]["tokens_per_s"]
        for row in found[name]:
            speed = f"{row['tokens_per_s']:>9,.0f}  {row['chunks_per_s']:>8,.0f}  {row['tokens_per_s'] / first:>5.1f}"
            busy = f"{row['store']:>10.0%}  {row['daemon']:>11.0%}"
            yield f"{'':>8}  {row['cores']:>5}  {row['workers']:>7}  {speed}  {busy}"


def measured(events: Sequence[Mapping[str, Any]], threads: int, daemon_cpu_s: float) -> BatchTimes | None:
    """Return what a batch took in an import with one worker, of its log lines `batch.stored`; None without any.

    Batches differ in size, so sums are divided. Wall time in the model counts for each of its threads.
    """
    full = [one for one in events if one["points"]]
    if not full:
        return None
    count = len(full)
    return BatchTimes(
        model_s=sum(one["embed_s"] for one in full) * threads / count,
        store_s=sum(one["store_s"] for one in full) / count,
        daemon_s=daemon_cpu_s / count,
        chunks=sum(one["points"] for one in full) / count,
        tokens=sum(one["tokens"] for one in full) / count,
    )
