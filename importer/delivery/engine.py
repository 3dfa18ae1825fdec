"""The loop: what is pending becomes batches, batches become receipts, receipts become checkpoints.

    agenda ──► pipeline ──► batch.pack ──► delivery ──► commit
       ▲                                      │
       └──── reconcile (the truth), wakes (hints), what a slice left over

Reading is bounded (one slice of one file) and runs ahead of the worker by `DEPTH` batches, so that the worker never
waits for it and memory stays bounded. Live files go ahead of backlog.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from importer.delivery.bulk_mode import BulkMode
from importer.delivery.delivery import Delivery
from importer.delivery.in_flight import Settled
from importer.delivery.policy import Recycle
from importer.delivery.progress import Run, complete
from importer.errors import StateUnwritable
from importer.log import logger
from importer.protocol.records import Batch, Receipt, Span
from importer.reading import batching
from importer.reading.pipeline import QUIET, Pipeline
from importer.sources.queue import Agenda
from importer.sources.reconcile import Reconcile
from importer.sources.scan import Root
from importer.sources.wakes import ring
from importer.state.checkpoints import Checkpoints

log = logger()

DEPTH = 2  # batches in flight: one embedding, one waiting in the worker
POLL_S = 1.0  # how long a wait may last before deadlines are looked at


async def never() -> bool:
    """Of a store that is on this machine's disk, there is nothing to hear."""
    return False


@dataclass(slots=True)
class Engine:
    """One importer at work. Everything it needs is handed in; `paused()` says whether reading should rest."""

    roots: Sequence[Root]
    checkpoints: Checkpoints
    pipeline: Pipeline
    delivery: Delivery
    limits: batching.BatchLimits
    agenda: Agenda
    looker: Reconcile
    paused: Callable[[], bool] = lambda: False
    returned: Callable[[], Awaitable[bool]] = never  # whether a store that was away takes connections again
    surge: BulkMode = field(default_factory=BulkMode)
    observers: list[Callable[[Batch, Receipt], None]] = field(default_factory=list)  # told of each batch stored
    run: Run = field(default_factory=Run)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False
    delay_s: float = 0.0  # between two batches, as the governor says
    pressed: str = ""  # why the governor has paused the import
    when_quiet: list[Callable[[], None]] = field(default_factory=list)  # done as soon as nothing is in flight
    ending: Recycle | None = None  # why the worker is to be ended as soon as nothing is in flight
    looking: bool = False
    packing: bool = False  # files are being read that stand neither on the agenda nor in a batch
    idle_since_s: float = field(default_factory=time.monotonic)  # since the last batch or question
    _retry_at_s: float = 0.0  # monotonic; before that, nothing is read, sent or settled

    def stop(self) -> None:
        """Begins nothing more and settles what is in flight."""
        self.stopping = True
        self.wake.set()

    async def drain(self) -> None:
        """Imports until nothing is pending or `stopping` is set; what is in flight is always settled."""
        while self.has_work():
            await self.step()

    async def step(self) -> None:
        """One unit of work: reads ahead, then waits for an answer, a wake or a second."""
        self.wake.clear()  # first: what rings during this step must not be slept through after it
        if time.monotonic() < self._retry_at_s:
            await self.pause(min(POLL_S, self._retry_at_s - time.monotonic()))
            if self.run.holding and await self.returned():
                self._retry_at_s = 0.0
            return
        await self._recycle()
        self._quiet()
        self.surge.look(len(self.agenda))
        if not (self.stopping or self.resting or self.run.holding or self.ending or self.when_quiet):
            await self._fill()
            if self.agenda:
                self.delivery.supervisor.warm_up(self.delivery.files_in_flight)
        if self.delivery.busy:
            self._settled(await self._settle())
            await self.surge.tell(self.delivery.supervisor, work=self.has_work(), stopping=self.stopping)
            self.idle_since_s = time.monotonic()
        else:
            self.run.holding = ""
            if self.looking or self.resting:
                await self.pause(POLL_S)

    async def _recycle(self) -> None:
        """Ends a worker that has lived long enough, between two batches."""
        supervisor, worker = self.delivery.supervisor, self.delivery.supervisor.worker
        if self.ending is None and worker is not None and 0 < worker.lifetime_files <= worker.files:
            self.ending = Recycle.FILES
        if self.ending is not None and not self.delivery.busy:
            # not where memory is short
            succeeded = self.ending is Recycle.FILES and bool(self.agenda) and not self.resting
            await supervisor.recycle(self.ending, successor=succeeded)
            self.ending = None

    def _quiet(self) -> None:
        """Does what must not happen beside a batch, such as making files be read again."""
        if self.when_quiet and not self.delivery.busy:
            self.pipeline.drop_cursors()  # or files would be read on from there, whatever the actions take back
            for action in self.when_quiet:
                action()
            self.when_quiet.clear()

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do until something wakes it."""
        return not self.delivery.busy and (self.resting or not (self.agenda or self.looking))

    @property
    def resting(self) -> bool:
        """Whether nothing new is begun: somebody paused it, or memory is short."""
        return bool(self.pressed) or self.paused()

    def has_work(self) -> bool:
        """Whether `drain` is not done: something pending, being looked for, or unsettled."""
        if self.stopping:
            return self.delivery.busy and not self.run.holding
        return self.delivery.busy or bool(self.agenda) or self.looking

    @property
    def unfinished(self) -> bool:
        """Whether something is left that the next import must do."""
        return self.delivery.busy or bool(self.agenda) or self.agenda.overflowed or self.looking

    async def pause(self, seconds: float) -> None:
        """Sleeps until woken, or for `seconds`."""
        await ring(self.wake, max(0.01, seconds))

    async def _settle(self) -> Settled:
        """A state that cannot be written is waited for: the receipt is kept, and its commit tried again."""
        try:
            return await self.delivery.settle(self.wake, POLL_S)
        except StateUnwritable as error:
            return Settled(reason=f"state: {error.message}", wait_s=5.0)

    def _settled(self, settled: Settled) -> None:
        """Takes in what the delivery did: a wait is logged when its reason is new, a stored batch ends it."""
        if settled.reason != self.run.holding and settled.wait_s:
            log.warning("import.held", reason=settled.reason, wait_s=round(settled.wait_s, 1))
        if settled.wait_s:
            self._retry_at_s = time.monotonic() + settled.wait_s
            self.run.holding = settled.reason
        if settled.batch is not None and settled.receipt is not None:
            self._count(settled)
            self._retry_at_s = time.monotonic() + self.delay_s

    def _count(self, settled: Settled) -> None:
        """All that a stored batch moves: totals, the places in its files, the age of the worker, whoever observes."""
        batch, receipt, run = settled.batch, settled.receipt, self.run
        if batch is None or receipt is None:
            return
        if run.holding:
            log.info("import.resumed", after=run.holding)
        run.holding = ""
        run.add(batch, receipt)
        for at, commit in enumerate(batch.commits):
            self.pipeline.settled(commit)
            self._age_worker(files=int(complete(batch, at)))
        self._age_worker(batches=1)
        for observe in self.observers:
            observe(batch, receipt)
        log.info(
            "batch.stored",
            batch=batch.number,
            files=len(batch.commits),
            chunks=len(batch.chunks),
            points=receipt.points,
            tokens=receipt.tokens,
            embed_s=round(receipt.embed_s, 3),
            store_s=round(receipt.store_s, 3),
        )

    def _age_worker(self, *, files: int = 0, batches: int = 0) -> None:
        """Counts towards the planned end of the worker that is there now."""
        worker = self.delivery.supervisor.worker
        if worker is not None:
            worker.files += files
            worker.batches += batches

    async def _fill(self) -> None:
        """One urgent batch at most, and ordinary ones up to DEPTH. Between two of them the loop gets its turn."""
        if self.agenda.has_live and self.delivery.urgent is None:
            batch = await self._pack(live_only=True)
            if batch is not None:
                self.delivery.send(batch)
        while self.delivery.queued_batches < DEPTH and self.agenda:
            # as many as this worker still has to live for: it ends between two batches, never in one
            files = min(self.limits.spans, self.delivery.supervisor.room(self.delivery.files_in_flight))
            batch = await self._pack(live_only=False, files=files) if files > 0 else None
            if batch is None:
                break
            self.delivery.send(batch)
            await asyncio.sleep(0)

    async def _pack(self, *, live_only: bool, files: int = 0) -> Batch | None:
        """Reads slices until a batch is full (of `files` at most, if given) or nothing is pending."""
        limits = replace(self.limits, spans=files) if files else self.limits
        self.packing = True
        try:
            spans, urgent = await self._read(limits, live_only=live_only)
        finally:
            self.packing = False
        return batching.pack(spans, self.delivery.supervisor.number(), urgent=urgent) if spans else None

    async def _read(self, limits: batching.BatchLimits, *, live_only: bool) -> tuple[list[Span], bool]:
        """Spans for a batch, and whether it may go ahead of others: not one with a file that others have spans of."""
        spans: list[Span] = []
        urgent = live_only
        while not batching.full(spans, limits) and (item := self.agenda.take(live_only=live_only)):
            pending, slices = item
            read = self.pipeline.read(pending)
            if read.span is not None:
                spans.append(read.span)
                urgent = urgent and not read.behind
            if read.span is None and read.reason not in QUIET:
                self.run.errors[pending.path] = read.reason
            else:
                self.run.errors.pop(pending.path, None)
            await asyncio.sleep(0)  # one slice of one file at a time: questions and signals come in between
            if read.more:
                self.agenda.backlog(pending, max(slices, 0) + 1)
        return spans, urgent

    async def reconcile(self, roots: Sequence[Root] | None = None, *, elsewhere: bool = False) -> int:
        """Looks at every file of the roots and puts what is behind on the agenda; returns how many files there are.

        `elsewhere`: see `Reconcile.look`.
        """
        self.looking = True
        try:
            return await self.looker.look(self.roots if roots is None else roots, self.wake.set, elsewhere=elsewhere)
        finally:
            self.looking = False
            self.wake.set()

    def hint(self, paths: Iterable[bytes]) -> None:
        """Paths an event named."""
        self.looker.hint(self.roots, paths)
        self.wake.set()
