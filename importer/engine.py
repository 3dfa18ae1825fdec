"""The loop: what is pending becomes batches, batches become receipts, receipts become checkpoints.

    agenda ──► pipeline ──► batch.pack ──► delivery ──► commit
       ▲                                      │
       └──── reconcile (the truth), wakes (hints), what a slice left over

Reading is bounded (one slice of one file) and runs ahead of the worker by `DEPTH` batches, so that the worker never
waits for it and memory stays bounded. Live files go ahead of backlog.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from importer import batch as batches
from importer import discover, formats
from importer.agenda import Agenda, Pending
from importer.checkpoints import Checkpoints, Known
from importer.database import StateUnwritable
from importer.delivery import Delivery, Settled
from importer.discover import Root
from importer.log import logger
from importer.pipeline import Pipeline
from importer.policy import Recycle
from importer.records import Batch, FileStat, Span, Tally

log = logger()

DEPTH = 2  # batches in flight: one embedding, one waiting in the worker
BREATH_FILES = 2000  # files looked at before the loop gets its turn
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
    tally: Tally = Tally()
    found_files: int = 0
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
    follow_links: bool = False
    paused: Callable[[], bool] = lambda: False
    agenda: Agenda = field(default_factory=Agenda)
    run: Run = field(default_factory=Run)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: bool = False
    delay_s: float = 0.0  # between two batches, as the governor says
    pressed: str = ""  # why the governor has paused the import
    ending: Recycle | None = None  # why the worker is to be ended as soon as nothing is in flight
    looking: bool = False
    idle_since_s: float = field(default_factory=time.monotonic)
    _retry_at_s: float = 0.0

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
        if not (self.stopping or self.resting or self.run.holding or self.ending):
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

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do until something wakes it."""
        return not (self.delivery.busy or self.agenda or self.looking) or self.resting

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
            done = commit.checkpoint.mtime_ns != 0 or commit.checkpoint.offset >= commit.checkpoint.size
            run.files += done and commit.tally.lines_read > 0
            self.pipeline.settled(commit)
            self._age_worker(done)
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

    def _age_worker(self, files: int) -> None:
        worker = self.delivery.supervisor.worker
        if worker is not None:
            worker.files += files

    async def _fill(self) -> None:
        if self.agenda.has_live and self.delivery.urgent is None:
            batch = self._pack(live_only=True)
            if batch is not None:
                self.delivery.send(batch)
        while self.delivery.in_flight < DEPTH and self.agenda:
            batch = self._pack(live_only=False)
            if batch is None:
                break
            self.delivery.send(batch)
            await asyncio.sleep(0)

    def _pack(self, *, live_only: bool) -> Batch | None:
        """Reads slices until a batch is full or nothing is pending."""
        spans: list[Span] = []
        urgent = live_only
        while not batches.full(spans, self.limits) and (item := self.agenda.take(live_only=live_only)):
            pending, slices = item
            read = self.pipeline.read(pending)
            if read.span is not None:
                spans.append(read.span)
                urgent = urgent and not read.behind
            elif read.reason not in {"unchanged", "another name of a known file"}:
                self.run.errors[pending.path] = read.reason
            if read.more:
                self.agenda.backlog(pending, max(slices, 0) + 1)
        return batches.pack(spans, self.delivery.supervisor.number(), urgent=urgent) if spans else None

    async def reconcile(self, roots: Iterable[Root] | None = None) -> int:
        """Looks at every file of the roots and puts what is behind on the agenda; returns how many files there are."""
        self.looking = True
        self.agenda.overflowed = False
        seen = discover.Seen()
        files = 0
        try:
            for root in roots if roots is not None else self.roots:
                async for folder in self._folders(root, seen):
                    files += len(folder.files)
        finally:
            self.looking = False
            self.wake.set()
        self.run.found_files = files
        return files

    async def _folders(self, root: Root, seen: discover.Seen) -> AsyncIterator[discover.Folder]:
        since_breath = 0
        for folder in discover.scan(root, wanted(root), follow_links=self.follow_links, seen=seen):
            self._compare(root, folder)
            yield folder
            since_breath += len(folder.files) + 1
            if since_breath >= BREATH_FILES:
                self.wake.set()
                await asyncio.sleep(0)
                since_breath = 0

    def _compare(self, root: Root, folder: discover.Folder) -> None:
        if folder.error:
            self.run.errors[folder.path] = folder.error
            log.warning("folder.unreadable", path=os.fsdecode(folder.path), reason=folder.error)
        known = self.checkpoints.folder(folder.path)
        for stat in folder.files:
            if behind(stat, known.get(os.path.basename(stat.path))):
                self.agenda.backlog(pending(root, stat))
        self._mark_gone(folder, known)

    def _mark_gone(self, folder: discover.Folder, known: dict[bytes, Known]) -> None:
        """After an error-free look only: the rows of vanished files age from now on, those of returned ones do not."""
        if folder.error or len(folder.files) >= discover.PIECE_FILES:
            return
        there = {os.path.basename(stat.path) for stat in folder.files}
        gone = [name for name, row in known.items() if name not in there and not row.gone]
        back = [name for name, row in known.items() if name in there and row.gone]
        if gone:
            self.checkpoints.mark_gone(folder.path, gone)
        if back:
            self.checkpoints.mark_gone(folder.path, back, gone=False)

    def hint(self, paths: Iterable[bytes]) -> None:
        """Paths an event named: what is really there and behind goes first."""
        for path in paths:
            root = next((r for r in self.roots if path == r.path or path.startswith(r.path.rstrip(b"/") + b"/")), None)
            if root is None:
                continue
            for folder in discover.look(root, path, wanted(root), follow_links=self.follow_links):
                for stat in folder.files:
                    self.agenda.live(pending(root, stat))
        self.wake.set()


def pending(root: Root, stat: FileStat) -> Pending:
    """A file on the agenda."""
    return Pending(stat.path, root.path, root.format, stat.size, stat.mtime_ns)


def behind(stat: FileStat, known: Known | None) -> bool:
    """Whether a file must be looked into: unknown, or not as it was when it was read to its end."""
    return known is None or (stat.size, stat.mtime_ns, stat.ctime_ns, stat.device, stat.inode) != (
        *(known.size, known.mtime_ns, known.ctime_ns, known.device, known.inode),
    )


def wanted(root: Root) -> Callable[[bytes], bool]:
    """Which paths below the root can be conversations: those its format wants, or any format for `auto`."""
    names = formats.names() if root.format == "auto" else (root.format,)
    judges = [formats.load(name).wanted for name in names]
    if len(judges) == 1:
        return judges[0]
    return lambda relative: any(judge(relative) for judge in judges)



