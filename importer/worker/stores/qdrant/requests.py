"""Points packed into requests a server takes, and the search for the one point it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from importer.errors import PointsRejected, StoreRefused
from importer.worker.stores import Ownership, Point

if TYPE_CHECKING:
    from qdrant_client import models

LARGE_HINT = "a proxy before the server takes no request as large as one point: raise its limit (client_max_body_size)"
NUMBER_BYTES = 12  # of a float written out in JSON, comma included
WORD_SHARE = 5  # a text, and for each of its words an index and a weight written out


class Disputed(StoreRefused):
    """The server calls the request bad; one of its points, or its size, may be why."""


class Limited(Disputed):
    """A limit of the collection's strict mode: `name` is the parameter, `most` its greatest value, 0 for none."""

    def __init__(self, message: str, *, name: str, most: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.name = name
        self.most = most


@dataclass(slots=True)
class Limits:
    """What a collection's strict mode allows, learned from its refusals: `most` points in an answer, 0 for any number.

    Without `exact` counts are the server's estimates; without `oversampling` quantised vectors choose fewer candidates.
    """

    most: int = 0
    exact: bool = True
    oversampling: bool = True

    def learn(self, refused: Limited) -> bool:
        """Note a limit; return False for one that asking otherwise does not meet, or that is noted already."""
        most = int(refused.most)
        if refused.name == "limit" and most > 0 and (not self.most or most < self.most):
            self.most = most
        elif refused.name in {"exact", "oversampling"} and getattr(self, refused.name):
            setattr(self, refused.name, False)
        else:
            return False
        return True

    def page(self, wanted: int) -> int:
        """Return how many points to ask for."""
        return min(wanted, self.most or wanted)

    def fit(self, query: models.QueryRequest) -> models.QueryRequest:
        """Return a query within the limits."""
        params = query.params if self.oversampling else None
        return query.model_copy(update={"limit": self.page(query.limit or 0), "params": params})


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


Change = Callable[[Mapping[str, Ownership], Sequence[str]], None]


def change(standing: Mapping[str, Ownership], deletes: Sequence[str], apply: Change) -> None:
    """Apply changes, then deletions, halving what is disputed. Raises Disputed for one that is refused even alone."""
    if not standing and not deletes:
        return
    try:
        apply(standing, deletes)
    except Disputed:
        if len(standing) + len(deletes) < 2:
            raise
        points = [*standing.items()]
        middle, cut = (len(points) + 1) // 2, 0 if standing else len(deletes) // 2
        change(dict(points[:middle]), deletes[:cut], apply)
        change(dict(points[middle:]), deletes[cut:], apply)


def complain(refused: Mapping[str, str], sent: int) -> None:
    """Raise PointsRejected for some points, StoreRefused for all of several: then the fault is not theirs.

    `refused` has the server's words for each id, `sent` is how many points there were.
    """
    words = next(iter(refused.values()))
    if sent > 1 and len(refused) == sent:
        hint = LARGE_HINT if "(413)" in words else "`importer doctor` compares the collection"
        raise StoreRefused(f"every point is refused: {words}", hint=hint)
    raise PointsRejected(f"{len(refused)} of {sent} points are refused: {words}", ids=tuple(refused))
