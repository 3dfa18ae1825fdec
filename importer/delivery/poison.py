"""Poison chunks: a batch that fails is split to find them, and they go to quarantine when they are found.

Both work on the queue of a `Delivery`, in which the parts of one batch (the same `origin`) stand one behind the other
and the last of them carries its commits. That order is kept: what is committed stays what is stored.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from importer.delivery.in_flight import InFlight, halved_budget
from importer.delivery.policy import FailureRecord
from importer.log import logger
from importer.reading import batching

log = logger()


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
