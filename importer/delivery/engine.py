"""The loop: what is pending becomes batches, batches become receipts, receipts become checkpoints.

    queue ──► pipeline ──► batch.pack ──► delivery ──► commit
       ▲                                      │
       └──── reconcile (the truth), wakes (hints), what a slice left over

Reading is bounded (one slice of one file) and runs ahead of the worker by two batches (see `read_ahead`), so that the
worker never waits for it and memory stays bounded. Live files go ahead of backlog.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from importer.delivery import snapshot
from importer.delivery.bulk_mode import BulkMode
from importer.delivery.delivery import Delivery
from importer.delivery.in_flight import Settled
from importer.delivery.outage import Pacing, never
from importer.delivery.policy import Recycle
from importer.delivery.progress import Run, WorkerStats
from importer.delivery.read_ahead import ReadAhead
from importer.delivery.snapshot import Snapshot
from importer.errors import StateUnwritable
from importer.protocol.outcome import Receipt
from importer.protocol.records import Batch
from importer.reading import batching
from importer.reading.gather import Reading
from importer.reading.pipeline import Pipeline
from importer.sources.events import wait_for_event
from importer.sources.reconcile import Reconcile
from importer.sources.scan import Root

POLL_S = 1.0  # the longest wait before deadlines are checked again


class Engine:
    """One importer at work. The rest of the daemon moves it by its methods and sees it through `snapshot`.

    `large_files` is how many pending files are a large backlog (see `BulkMode`), `is_store_back` asks whether a store
    that was away takes connections again.
    """

    def __init__(
        self,
        roots: Sequence[Root],
        pipeline: Pipeline,
        delivery: Delivery,
        limits: batching.BatchLimits,
        reconcile: Reconcile,
        *,
        large_files: float = math.inf,
        is_store_back: Callable[[], Awaitable[bool]] = never,
    ) -> None:
        self.roots = tuple(roots)
        self.checkpoints = delivery.checkpoints
        self.run = Run()
        self.is_stopping = False
        self._pipeline, self._queue, self._reconcile = pipeline, reconcile.queue, reconcile
        self._delivery, self._supervisor = delivery, delivery.supervisor
        self._read_ahead = ReadAhead(self._queue, pipeline, delivery, limits, self.run)
        self.read_first = self._read_ahead.begin  # while the worker starts; `drain` sends it when it may
        self._pacing = Pacing(self.run, is_store_back)
        self._bulk_mode = BulkMode(large_files)
        self._is_paused: Callable[[], bool] = lambda: False
        self._observers: list[Callable[[Batch, Receipt], None]] = []
        self._idle_actions: list[Callable[[], None]] = []
        self._wake = asyncio.Event()
        reconcile.on_late = self.wake_up
        self._moved = asyncio.Event()  # set when files were read or a batch was settled
        self._pressed = ""
        self._ending: Recycle | None = None  # why the worker is to be ended as soon as nothing is in flight
        self._is_listing = False
        self._idle_since_s = time.monotonic()

    def stop(self) -> None:
        """Begin nothing more; `drain` settles what is in flight."""
        self.is_stopping = True
        self.wake_up()

    def wake_up(self) -> None:
        """End the sleep of the loop: something has changed."""
        self._wake.set()

    def rest_while(self, condition: Callable[[], bool]) -> None:
        """Begin no batch while `condition()` is true."""
        self._is_paused = condition

    def pace(self, delay_s: float, budget_tokens: int = 0) -> None:
        """Wait `delay_s` between two batches from now on, and send `budget_tokens` a model run (0: as before)."""
        self._pacing.delay_s = delay_s
        self._delivery.token_budget = budget_tokens or self._delivery.token_budget

    def press(self, reason: str) -> None:
        """Begin no batch, because memory is short; "" ends that."""
        self._pressed = reason
        self.wake_up()

    def end_worker(self, reason: Recycle) -> None:
        """End the worker as soon as nothing is in flight. The first reason counts until then."""
        self._ending = self._ending or reason
        self.wake_up()

    def kill_worker(self) -> None:
        """Kill the worker at once; what it had in flight is sent again to the next one."""
        self._supervisor.kill()

    def reconfigure(self, *, reading: Reading | None = None, roots: Sequence[Root] | None = None) -> None:
        """Read and cut files by `reading` from the next slice on, and look for them in `roots`."""
        self._pipeline.reading = reading or self._pipeline.reading
        self.roots = self.roots if roots is None else tuple(roots)

    def run_when_idle(self, action: Callable[[], None]) -> None:
        """Call `action` as soon as nothing is in flight, for what must not happen beside a batch."""
        self._idle_actions.append(action)
        self.wake_up()

    def on_stored(self, observe: Callable[[Batch, Receipt], None]) -> None:
        """Call `observe` with every batch that is stored, once its commits are written."""
        self._observers.append(observe)

    def hint(self, paths: Iterable[bytes]) -> None:
        """Put the files of these paths first, as the watcher has named them."""
        self._reconcile.hint(self.roots, paths)
        self.wake_up()

    def recover(self) -> None:
        """Put on record what the last run had in flight when it died. Due before anything is sent."""
        self._delivery.recover()

    def keep_head_only(self) -> None:
        """Settle the batch at the head alone: the others are imported again another time."""
        self._delivery.keep_head_only()
        self._moved.set()

    async def close(self) -> None:
        """End the workers and wait for their end."""
        await self._delivery.close()

    @property
    def reading(self) -> Reading:
        """How files are read and cut now."""
        return self._pipeline.reading

    @property
    def stats(self) -> WorkerStats:
        """The counters and peaks of its workers."""
        return self._supervisor.stats

    @property
    def pending_files(self) -> int:
        """How many files wait to be read."""
        return len(self._queue)

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do until something wakes it."""
        return not self._delivery.busy and (self._is_resting or not (self._queue or self._is_listing))

    def has_work(self) -> bool:
        """Return whether `drain` goes on: something is pending, being looked for, or unsettled."""
        if self.is_stopping:
            return self._delivery.busy and not self.run.holding
        return self._delivery.busy or bool(self._queue) or self._is_listing or self._read_ahead.is_packing

    def snapshot(self) -> Snapshot:
        """Return what it looks like now, as a value that does not change any more."""
        return snapshot.take(
            self.roots,
            self._delivery,
            self._reconcile,
            self.run,
            is_reading=self._read_ahead.is_packing,
            is_listing=self._is_listing,
            is_stopping=self.is_stopping,
            pressed=self._pressed,
            idle_since_s=self._idle_since_s,
        )

    async def ask(self, op: str, /, **args: Any) -> Any:
        """Return the worker's answer. The worker is kept for a while after it. Raises what the worker reports."""
        self._idle_since_s = time.monotonic()
        return await self._supervisor.ask(op, **args)

    async def trim(self) -> None:
        """Ask the worker to give memory back; that does not count as use of it. Raises what the worker reports."""
        await self._supervisor.ask("trim")

    async def points(self) -> int:
        """Return how many points the store holds: as the last receipt said, else as the worker counts them now."""
        if self.run.total < 0:
            self.run.total = await self._supervisor.ask("count")
        return self.run.total

    async def moved(self) -> None:
        """Wait until files were read or a batch was settled."""
        self._moved.clear()
        await self._moved.wait()

    async def wait_for_worker(self, timeout_s: float) -> None:
        """Wait until a worker starts, or for `timeout_s`."""
        self._supervisor.started.clear()
        await wait_for_event(self._supervisor.started, timeout_s)

    async def drain(self) -> None:
        """Import until nothing is pending, or until `stop`; what is in flight is always settled."""
        while self.has_work():
            await self.step()

    async def step(self) -> None:
        """Do one unit of work: read ahead, then wait for an answer, a wake or a second."""
        self._wake.clear()  # first: what rings during this step must not be slept through after it
        if wait_s := self._pacing.wait_s():
            await self.sleep(min(POLL_S, wait_s))
            await self._pacing.check_store()
            return
        await self._recycle()
        self._run_idle_actions()
        self._bulk_mode.observe(len(self._queue))
        taken = self._read_ahead.taken
        if not (self.is_stopping or self._is_resting or self.run.holding or self._ending or self._idle_actions):
            await self._read_ahead.fill()
            if self._queue:
                self._supervisor.warm_up(self._delivery.files_in_flight)
        settled = await self._settle() if self._delivery.busy else None
        if settled is not None:
            self._take_in(settled)
            await self._bulk_mode.apply(self._supervisor, work=self.has_work(), stopping=self.is_stopping)
            self._idle_since_s = time.monotonic()
        if taken != self._read_ahead.taken or (settled is not None and (settled.batch or settled.reason)):
            self._moved.set()
        if settled is None:
            self.run.holding = ""
            if self._is_listing or self._is_resting:
                await self.sleep(POLL_S)

    async def sleep(self, seconds: float) -> None:
        """Sleep until woken, or for `seconds`."""
        await wait_for_event(self._wake, max(0.01, seconds))

    async def reconcile(
        self, roots: Sequence[Root] | None = None, *, elsewhere: bool = False, named: bool = False
    ) -> int:
        """Compare every file of the roots with its checkpoint and put what is behind on the queue.

        Returns how many files there are. `elsewhere`, `named`: see `Reconcile.look`.
        """
        self._is_listing = True
        try:
            looked = self.roots if roots is None else roots
            return await self._reconcile.look(looked, self.wake_up, elsewhere=elsewhere, named=named)
        finally:
            self._is_listing = False
            self._bulk_mode.observe(len(self._queue))  # before any file is read ahead
            self.wake_up()

    @property
    def _is_resting(self) -> bool:
        """Whether nothing new is begun: the import is paused, or memory is short."""
        return bool(self._pressed) or self._is_paused()

    async def _recycle(self) -> None:
        """End a worker that has lived long enough, between two batches; none stays beside it where memory is short."""
        worker = self._supervisor.worker
        if self._ending is None and worker is not None and 0 < worker.lifetime_files <= worker.files:
            self._ending = Recycle.FILES
        if self._ending is not None and not self._delivery.busy:
            has_successor = self._ending is Recycle.FILES and bool(self._queue) and not self._is_resting
            await self._supervisor.recycle(self._ending, successor=has_successor)
            self._ending = None

    def _run_idle_actions(self) -> None:
        """Do what must not happen beside a batch, such as making files be read again."""
        if self._idle_actions and not self._delivery.busy:
            self._pipeline.drop_cursors()  # or files would be read on from there, although an action takes them back
            for action in self._idle_actions:
                action()
            self._idle_actions.clear()

    async def _settle(self) -> Settled:
        """Settle a batch. A state that cannot be written is waited for: the receipt is kept, its commit tried again."""
        try:
            return await self._delivery.settle(self._wake, POLL_S)
        except StateUnwritable as error:
            return Settled(reason=f"state: {error.message}", wait_s=5.0)

    def _take_in(self, settled: Settled) -> None:
        """Begin or end a wait; count a stored batch, let go of the places in its files and tell the observers."""
        self._pacing.take_in(settled)
        if settled.batch is None or settled.receipt is None:
            return
        self.run.add(settled.batch, settled.receipt)
        for commit in settled.batch.commits:
            self._pipeline.settled(commit)
        for observe in self._observers:
            observe(settled.batch, settled.receipt)
