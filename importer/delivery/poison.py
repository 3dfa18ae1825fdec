"""Chunks that spoil their batch: parted from the others to find them, and set aside when they are found.

Both work on the queue of a `Delivery`, in which the parts of one batch (the same `origin`) stand one behind the other
and the last of them carries its commits. That order is kept: what is committed stays what is stored.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from importer.delivery.in_flight import Parcel, smaller
from importer.delivery.policy import Trial
from importer.log import logger
from importer.reading import batch as batches

log = logger()


def part(queue: deque[Parcel], parcel: Parcel, suspects: set[str], number: Callable[[], int]) -> None:
    """Puts two parcels in the place of one: the suspects, and behind them the rest with the commits.

    Each begins as one that a worker died with, so that nothing else goes beside it and the blame is clear.
    """
    first, rest = batches.split(parcel.batch, suspects, (number(), number()))
    at = queue.index(parcel)
    del queue[at]
    for batch in (rest, first):  # both at the same place, so that the suspects come to stand in front
        fresh = Parcel(batch, parcel.origin, smaller(parcel.token_budget), Trial(len(batch.chunks), deaths=1))
        queue.insert(at, fresh)
    log.info("batch.split", batch=parcel.batch.number, chunks=len(parcel.batch.chunks), suspects=len(first.chunks))


def set_aside(queue: deque[Parcel], parcel: Parcel, suspects: set[str], stage: str, reason: str) -> None:
    """Drops the bad chunks, all of the parcel's when none of them is suspected.

    The rejects are written with the commit of their file, which a later part may carry.
    """
    bad = suspects & {chunk.id for chunk in parcel.batch.chunks} or {chunk.id for chunk in parcel.batch.chunks}
    # the last part of the same batch has the commits; it may be the parcel itself
    carrier = next(p for p in reversed(queue) if p.origin == parcel.origin)
    carrier.batch = batches.reject(carrier.batch, parcel.batch, bad, stage, reason)
    parcel.batch = batches.drop(parcel.batch, bad)
    parcel.trial = Trial(len(parcel.batch.chunks))
    for chunk_id in sorted(bad):
        log.error("chunk.quarantined", id=chunk_id, stage=stage, reason=reason)
