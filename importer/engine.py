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
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from importer import batch as batches
from importer.agenda import Agenda
from importer.checkpoints import Checkpoints
from importer.database import StateUnwritable
from importer.delivery import Delivery
from importer.discover import Root
from importer.log import logger
from importer.parcel import Settled
from importer.pipeline import QUIET, Pipeline
from importer.policy import Recycle
from importer.reconcile import Reconcile
from importer.records import Batch, Receipt, Span, Tally

log = logger()

DEPTH = 2  # batches in flight: one embedding, one waiting in the worker
POLL_S = 1.0  # how long a wait may last before deadlines are looked at


@dataclass(slots=True)
class Run:
    """What this run has done so far, and what it knows to be left; for progress and the summary."""

    files: int = 0
    chunks: int = 0
    points: int = 0
    known: int = 0
    tokens: int = 0
    total: int = -1  # points in the store, as the last receipt said; -1 for not asked yet
    embed_s: float = 0.0
    store_s: float = 0.0
    tally: Tally = field(default_factory=Tally)
    errors: dict[bytes, str] = field(default_factory=dict)
    started_s: float = field(default_factory=time.monotonic)
    holding: str = ""  # why nothing moves just now


@dataclass(slots=True)
class Engine:
    """One importer at work. Everything it needs is handed in; `paused()` says whether reading should rest."""

    roots: Sequence[Root]
    checkpoints: Checkpoints
    pipeline: Pipeline
    delivery: Delivery
    limits: batches.Limits
    agenda: Agenda
    looker: Reconcile
    paused: Callable[[], bool] = lambda: False
    observe: Callable[[Batch, Receipt], None] = lambda _batch, _receipt: None  # of each batch stored; for metrics
    run: Run = field(default_factory=Run)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False
    delay_s: float = 0.0  # between two batches, as the governor says
    pressed: str = ""  # why the governor has paused the import
    when_quiet: list[Callable[[], None]] = field(default_factory=list)  # done as soon as nothing is in flight
    ending: Recycle | None = None  # why the worker is to be ended as soon as nothing is in flight
    looking: bool = False
    idle_since_s: float = field(default_factory=time.monotonic)
    _retry_at_s: float = 0.0

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
        self.wake.clear()
        if time.monotonic() < self._retry_at_s:
            await self.pause(min(POLL_S, self._retry_at_s - time.monotonic()))
            return
        await self._recycle()
        self._quiet()
        if not (self.stopping or self.resting or self.run.holding or self.ending or self.when_quiet):
            await self._fill()
        if self.delivery.busy:
            self._settled(await self._settle())
            self.idle_since_s = time.monotonic()
        else:
            self.run.holding = ""
            if self.looking or self.resting:
                await self.pause(POLL_S)

    async def _recycle(self) -> None:
        """Ends a worker that has lived long enough, between two batches."""
        supervisor = self.delivery.supervisor
        worker = supervisor.worker
        if self.ending is None and worker is not None and 0 < worker.lifetime_files <= worker.files:
            self.ending = Recycle.FILES
        if self.ending is not None and not self.delivery.busy:
            await supervisor.recycle(self.ending)
            self.ending = None

    def _quiet(self) -> None:
        """Does what must not happen beside a batch, such as making files be read again."""
        if self.when_quiet and not self.delivery.busy:
            self.pipeline.drop_cursors()
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

    async def pause(self, seconds: float) -> None:
        """Sleeps until woken, or for `seconds`."""
        try:
            await asyncio.wait_for(self.wake.wait(), max(0.01, seconds))
        except TimeoutError:
            return

    async def _settle(self) -> Settled:
        try:
            return await self.delivery.settle(self.wake, POLL_S)
        except StateUnwritable as error:
            return Settled(reason=f"state: {error.message}", wait_s=5.0)

    def _settled(self, settled: Settled) -> None:
        if settled.reason != self.run.holding and settled.wait_s:
            log.warning("import.held", reason=settled.reason, wait_s=round(settled.wait_s, 1))
        if settled.wait_s:
            self._retry_at_s = time.monotonic() + settled.wait_s
            self.run.holding = settled.reason
        if settled.batch is not None and settled.receipt is not None:
            self._count(settled)
            self._retry_at_s = time.monotonic() + self.delay_s

    def _count(self, settled: Settled) -> None:
        batch, receipt, run = settled.batch, settled.receipt, self.run
        if batch is None or receipt is None:
            return
        if run.holding:
            log.info("import.resumed", after=run.holding)
        run.holding = ""
        run.chunks += len(batch.chunks)
        run.points += receipt.points
        run.known += receipt.known
        run.tokens += receipt.tokens
        run.embed_s += receipt.embed_s
        run.store_s += receipt.store_s
        run.total = receipt.total if receipt.total >= 0 else run.total
        for commit in batch.commits:
            run.tally += commit.tally
            done = commit.checkpoint.ctime_ns != 0 or commit.checkpoint.offset >= commit.checkpoint.size
            run.files += done and commit.tally.lines_read > 0
            self.pipeline.settled(commit)
            self._age_worker(files=int(done))
        self._age_worker(batches=1)
        self.observe(batch, receipt)
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
        worker = self.delivery.supervisor.worker
        if worker is not None:
            worker.files += files
            worker.batches += batches

    async def _fill(self) -> None:
        if self.agenda.has_live and self.delivery.urgent is None:
            batch = await self._pack(live_only=True)
            if batch is not None:
                self.delivery.send(batch)
        while self.delivery.in_flight < DEPTH and self.agenda:
            batch = await self._pack(live_only=False)
            if batch is None:
                break
            self.delivery.send(batch)
            await asyncio.sleep(0)

    async def _pack(self, *, live_only: bool) -> Batch | None:
        """Reads slices until a batch is full or nothing is pending."""
        spans: list[Span] = []
        urgent = live_only
        while not batches.full(spans, self.limits) and (item := self.agenda.take(live_only=live_only)):
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
        return batches.pack(spans, self.delivery.supervisor.number(), urgent=urgent) if spans else None

    async def reconcile(self, roots: Iterable[Root] | None = None) -> int:
        """Looks at every file of the roots and puts what is behind on the agenda; returns how many files there are."""
        self.looking = True
        try:
            return await self.looker.look(self.roots if roots is None else roots, self.wake.set)
        finally:
            self.looking = False
            self.wake.set()

    def hint(self, paths: Iterable[bytes]) -> None:
        """Paths an event named."""
        self.looker.hint(self.roots, paths)
        self.wake.set()
