"""Points packed into requests a server takes, and the search for the one point it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from importer.errors import StoreRefused
from importer.worker.stores import Point

MAX_POINTS = 256
MAX_BYTES = 8 * 1024 * 1024  # servers answer 400 from about 32 MB on
NUMBER_BYTES = 12  # of a float or an index written out in JSON, comma included


class Disputed(StoreRefused):
    """The server calls the request bad; one of its points, or its size, may be why."""


def pack(points: Sequence[Point]) -> Iterator[Sequence[Point]]:
    """Runs of at most MAX_POINTS points and about MAX_BYTES; a greater point travels alone."""
    start = size = 0
    for at, given in enumerate(points):
        weight = weigh(given)
        if at > start and (at - start >= MAX_POINTS or size + weight > MAX_BYTES):
            yield points[start:at]
            start, size = at, 0
        size += weight
    if start < len(points):
        yield points[start:]


def weigh(given: Point) -> int:
    """About how many bytes the point has in a request."""
    numbers = len(given.dense) + 2 * len(given.sparse_indices)
    return numbers * NUMBER_BYTES + len(msgspec.json.encode(given.payload))


def send(points: Sequence[Point], upsert: Callable[[Sequence[Point]], None]) -> dict[str, str]:
    """Upsert `points`, halving what is disputed; the ids refused even alone, each with the server's words.

    n points, one of them bad, take about 2 log2(n) requests more; a request merely too large takes a few.
    """
    try:
        upsert(points)
    except Disputed as error:
        if len(points) == 1:
            return {points[0].id: error.message}
        middle = len(points) // 2
        return send(points[:middle], upsert) | send(points[middle:], upsert)
    return {}
