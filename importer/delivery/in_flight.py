"""A batch without a receipt yet, the outcome of settling it, and how one that fails is split to find its poison chunks.

What works on the queue of a `Delivery` keeps its order: the parts of one batch (the same `origin`) stand one behind the
other and the last of them carries its commits, so what is committed stays what is stored.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from importer.delivery.policy import FailureRecord
from importer.log import logger
from importer.protocol import wire
from importer.protocol.outcome import Receipt
from importer.protocol.records import Batch
from importer.reading import batching

log = logger()


@dataclass(slots=True)
class InFlight:
    """A batch without a receipt. `origin` is the number of the batch it was split from, or its own.

    `future` is None while the batch is not posted. One that is done stays until the commits are written, so that a full
    disk costs no second posting. `sent_s` is monotonic, of the last posting.
    """

    batch: Batch
    origin: int
    token_budget: int
    failures: FailureRecord
    future: asyncio.Future[wire.Reply] | None = None
    sent_s: float = 0.0

    @property
    def chars(self) -> int:
        """The characters to embed."""
        return sum(len(chunk.text) for chunk in self.batch.chunks)

    @property
    def suspect(self) -> bool:
        """Whether the batch failed before: then it is sent alone, so that the cause of the next death is clear."""
        return bool(self.failures.deaths or self.failures.errors)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to store."""
        return not (self.batch.chunks or self.batch.releases or self.batch.news)

    def done(self) -> None:
        """Resolve the future without sending: a batch with nothing to store may be committed at once."""
        self.future = asyncio.get_running_loop().create_future()
        self.future.set_result(wire.Done(Receipt(self.batch.number, 0, 0, 0, -1, 0, 0.0, 0.0)))

    def recall(self) -> None:
        """Make the batch unposted; a reply to its former posting counts for nothing."""
        if self.future is not None:
            # the exception is taken, or asyncio reports it
            self.future.add_done_callback(lambda future: future.cancelled() or future.exception())
            self.future = None


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of one `settle`: a committed batch with its receipt, or `wait_s` until the next try makes sense."""

    batch: Batch | None = None
    receipt: Receipt | None = None
    wait_s: float = 0.0
    reason: str = ""


def halved_budget(budget_tokens: int) -> int:
    """Return half the budget, 256 at least: a run that failed may have been too large; 256 is one model window."""
    return max(256, budget_tokens // 2)


async def wait_for_first(futures: Iterable[asyncio.Future[wire.Reply]], wake: asyncio.Event, timeout_s: float) -> None:
    """Wait until one future is done, `wake` is set, or the time is up."""
    waiter = asyncio.ensure_future(wake.wait())
    waiting: list[asyncio.Future[Any]] = [*futures, waiter]
    try:
        await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiter.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiter


def split(queue: deque[InFlight], flight: InFlight, suspects: set[str], number: Callable[[], int]) -> None:
    """Replace one batch by two: the suspects, and behind them the rest with the commits.

    Each begins as one that a worker died with, so that it is sent alone and the cause of the next death is clear.
    """
    first, rest = batching.split(flight.batch, suspects, (number(), number()))
    at = queue.index(flight)
    del queue[at]
    for batch in (rest, first):  # both at the same place, so that the suspects come to stand in front
        fresh = InFlight(
            batch, flight.origin, halved_budget(flight.token_budget), FailureRecord(len(batch.chunks), deaths=1)
        )
        queue.insert(at, fresh)
    log.info("batch.split", batch=flight.batch.number, chunks=len(flight.batch.chunks), suspects=len(first.chunks))


def quarantine(queue: deque[InFlight], flight: InFlight, suspects: set[str], stage: str, reason: str) -> None:
    """Drop the bad chunks of a batch, all of them when none is suspected.

    The rejects are written with the commit of their file, which a later part may carry.
    """
    bad = suspects & {chunk.id for chunk in flight.batch.chunks} or {chunk.id for chunk in flight.batch.chunks}
    # the last part of the same batch has the commits; it may be this one
    carrier = next(p for p in reversed(queue) if p.origin == flight.origin)
    carrier.batch = batching.reject(carrier.batch, flight.batch, bad, stage, reason)
    flight.batch = batching.drop(flight.batch, bad)
    flight.failures = FailureRecord(len(flight.batch.chunks))
    for chunk_id in sorted(bad):
        log.error("chunk.quarantined", id=chunk_id, stage=stage, reason=reason)
