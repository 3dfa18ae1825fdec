"""Read pending files ahead of the worker, a slice at a time, and send what they give as batching."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from importer.delivery.allotment import DEPTH
from importer.delivery.delivery import Delivery
from importer.delivery.progress import Run
from importer.protocol.records import Batch, Span
from importer.reading import batching
from importer.reading.pipeline import QUIET, Pipeline
from importer.sources.databases import tables
from importer.sources.queue import LIVE, FileQueue


@dataclass(slots=True)
class ReadAhead:
    """Takes files from the queue and gives batches to the delivery.

    `is_packing` says that files are being read that stand neither on the queue nor in a batch that was sent. `taken`
    counts the files that were taken.
    """

    queue: FileQueue
    pipeline: Pipeline
    delivery: Delivery
    limits: batching.BatchLimits
    run: Run
    is_packing: bool = False
    taken: int = 0
    _first: Batch | None = None

    async def begin(self) -> None:
        """Pack the first batch and keep it until `fill`: while a worker starts, which may fail."""
        if self._first is None:
            self._first = await self._pack(self._fitting(), live_only=False)
            self.is_packing = self._first is not None

    async def fill(self) -> None:
        """Send one urgent batch at most, and ordinary ones while there is room; in between the loop gets its turn."""
        if self._first is not None:
            self.delivery.send(self._first)
            self._first, self.is_packing = None, False
        if self.queue.has_live and self.delivery.urgent is None:
            batch = await self._pack(self.limits, live_only=True)
            if batch is not None:
                self.delivery.send(batch)
        pool = self.delivery.pool
        while len(self.delivery.queue) < DEPTH * (pool.count if pool else 1) and self.queue:
            limits = self._fitting()
            batch = await self._pack(limits, live_only=False) if limits.spans > 0 else None
            if batch is None:
                break
            self.delivery.send(batch)
            await asyncio.sleep(0)

    def _fitting(self) -> batching.BatchLimits:
        """Return the limits of a batch that a worker can store before its end, which never comes within a batch."""
        pool = self.delivery.pool
        room = pool.room if pool else self.delivery.supervisor.room(self.delivery.files_in_flight)
        return replace(self.limits, spans=min(self.limits.spans, room))

    async def _pack(self, limits: batching.BatchLimits, *, live_only: bool) -> Batch | None:
        """Read slices until a batch is full or nothing is pending; None when they held nothing to store."""
        self.is_packing = True
        try:
            spans, urgent = await self._read(limits, live_only=live_only)
        finally:
            self.is_packing = False
        return batching.pack(spans, self.delivery.supervisor.number(), urgent=urgent) if spans else None

    async def _read(self, limits: batching.BatchLimits, *, live_only: bool) -> tuple[list[Span], bool]:
        """Return spans for a batch, and whether it may go ahead: not with a file that other batches have spans of."""
        spans: list[Span] = []
        urgent = live_only
        while not batching.full(spans, limits) and (item := self.queue.take(live_only=live_only)):
            self.taken += 1
            pending, slices = item
            read = self.pipeline.read(pending)
            if read.span is not None:
                spans.append(read.span)
                urgent = urgent and not read.behind
            if read.reason and read.reason not in QUIET:
                self.run.errors[pending.path] = read.reason
            else:
                self.run.errors.pop(pending.path, None)
            await asyncio.sleep(0)  # one slice of one file at a time: questions and signals come in between
            if read.more:
                # a conversation in a database is read to its end: to tell it again for each slice takes longer
                had = 0 if slices == LIVE else slices
                self.queue.backlog(pending, had + (tables.split(pending.path) is None))
        return spans, urgent
