"""A batch without a receipt yet, the outcome of settling it, and how one that fails is split to find its poison chunks.

What works on the queue of a `Delivery` keeps its order: the parts of one batch (the same `origin`) stand one behind the
other and the last of them carries its commits, so what is committed stays what is stored.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from importer.delivery import policy
from importer.delivery.allotment import WRITER
from importer.delivery.policy import FailureRecord
from importer.log import logger
from importer.protocol import wire
from importer.protocol.outcome import Receipt
from importer.protocol.records import Batch, Suspect
from importer.reading import batching
from importer.state.checkpoints import Checkpoints

log = logger()


@dataclass(slots=True, eq=False)
class Embedding:
    """The task that gets a batch's vectors from the worker `at` that place; it ends with `Vectors` or `Failed`.

    `asking` says that the worker with the store is still being asked what it lacks. `begun_s` is monotonic.
    """

    at: int
    begun_s: float
    asking: bool = True
    task: asyncio.Task[wire.Reply] = field(init=False)

    @property
    def at_writer(self) -> bool:
        """Whether it waits for the worker with the store."""
        return self.asking or self.at == WRITER


@dataclass(slots=True, eq=False)
class InFlight:
    """A batch without a receipt. `origin` is the number of the batch it was split from, or its own.

    `future` is None while the batch is not posted. One that is done stays until the commits are written, so that a full
    disk costs no second posting. `sent_s` is monotonic, of the last posting. Where several workers embed (see
    `EmbedPool`), `embedding` is under way at one of them, or `vectors` are there and travel with the posting.
    """

    batch: Batch
    origin: int
    token_budget: int
    failures: FailureRecord
    future: asyncio.Future[wire.Reply] | None = None
    sent_s: float = 0.0
    vectors: wire.Vectors | None = None
    embedding: Embedding | None = None

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

    @property
    def ids(self) -> set[str]:
        """The points that it touches."""
        return {chunk.id for chunk in self.batch.chunks} | {release.id for release in self.batch.releases}

    @property
    def is_waiting(self) -> bool:
        """Whether it is to be embedded, and no worker does so or has done so."""
        begun = self.future or self.vectors or self.embedding
        return not (begun or self.suspect or self.batch.urgent) and bool(self.batch.chunks)

    def drop_embedding(self) -> None:
        """Give up what is under way at a worker that embeds; its answer counts for nothing."""
        embedding, self.embedding = self.embedding, None
        if embedding is not None:
            embedding.task.add_done_callback(lambda task: task.cancelled() or task.exception())
            embedding.task.cancel()

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


async def wait_for_first(futures: Iterable[asyncio.Future[Any]], wake: asyncio.Event, timeout_s: float) -> None:
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


def parted(
    batch: Batch,
    suspects: Mapping[str, Suspect],
    limits: batching.BatchLimits,
    number: Callable[[], int],
    token_budget: int,
) -> list[InFlight]:
    """Return a batch in parts that a frame holds; chunks that several workers died with go ahead, by themselves."""
    numbers = iter(number, None)
    apart = batching.apart(batch, policy.groups(suspects, [chunk.id for chunk in batch.chunks]), numbers)
    parts = [part for one in apart for part in batching.carve(one, limits, numbers)]
    return [InFlight(part, batch.number, token_budget, policy.initial_record(part, suspects)) for part in parts]


def with_vectors(receipt: Receipt, made: wire.Vectors) -> Receipt:
    """Return the receipt of a batch that was embedded elsewhere with what that took."""
    tokens, embed_s = receipt.tokens + made.tokens, receipt.embed_s + made.seconds
    return replace(receipt, tokens=tokens, embed_s=embed_s, memory=made.memory)


def to_blame(queue: Iterable[InFlight], working: Collection[str]) -> InFlight | None:
    """Return the batch that was in the model when the worker died, None if nothing was.

    That is not always the head, which may wait for the store while the next one is in the model.
    """
    return next((one for one in queue if any(chunk.id in working for chunk in one.batch.chunks)), None)


def note_death(checkpoints: Checkpoints, culprit: InFlight, working: Collection[str]) -> None:
    """Count the death of a worker for a batch, and for those of its chunks that were in the model."""
    blamed = sorted({chunk.id for chunk in culprit.batch.chunks if chunk.id in working})
    checkpoints.died(culprit.batch.number, blamed)
    was = culprit.failures
    culprit.failures = replace(was, deaths=was.deaths + 1, blamed=was.blamed + bool(blamed))


def log_stored(batch: Batch, receipt: Receipt) -> None:
    """Log the canonical line of a batch."""
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
