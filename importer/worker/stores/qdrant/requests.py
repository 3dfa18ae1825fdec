"""Points packed into requests a server takes, and the search for the one point it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from importer.errors import StoreRefused
from importer.worker.stores import Point

NUMBER_BYTES = 12  # of a float written out in JSON, comma included
WORD_SHARE = 5  # a text, and for each of its words an index and a weight written out


class Disputed(StoreRefused):
    """The server calls the request bad; one of its points, or its size, may be why."""


def pack(points: Sequence[Point], most_points: int, most_bytes: int) -> Iterator[Sequence[Point]]:
    """Yield runs of at most `most_points` points and about `most_bytes`; a greater point travels alone.

    A point of any size is tried: only the server knows what it takes.
    """
    start = size = 0
    for at, given in enumerate(points):
        weight = weigh(given)
        if at > start and (at - start >= most_points or size + weight > most_bytes):
            yield points[start:at]
            start, size = at, 0
        size += weight
    if start < len(points):
        yield points[start:]


def weigh(given: Point) -> int:
    """About how many bytes the point has in a request."""
    return len(given.dense) * NUMBER_BYTES + WORD_SHARE * len(msgspec.json.encode(given.payload))


def send(points: Sequence[Point], upsert: Callable[[Sequence[Point]], None]) -> dict[str, str]:
    """Upsert `points`, halving what is disputed; the ids refused even alone, each with the server's words.

    n points, one of them bad, take about 2 log2(n) requests more; a request merely too large takes a few.
    """
    try:
        upsert(points)
    except Disputed as error:
        if len(points) == 1:
            return {points[0].id: error.message}
        middle = len(points) // 2  # one of the halves may be without fault
        return send(points[:middle], upsert) | send(points[middle:], upsert)
    return {}
