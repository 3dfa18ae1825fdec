"""Requests a server takes: bounded by count and bytes, and one bad point is found among many."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.errors import StoreUnreachable
from importer.worker.stores import Point
from importer.worker.stores.qdrant.requests import Disputed, pack, send, weigh


def points(*chars: int) -> list[Point]:
    return [Point(str(at), [0.0] * 4, {"document": "x" * many}) for at, many in enumerate(chars)]


@given(st.lists(st.integers(0, 3000), max_size=60), st.integers(1, 20), st.integers(1000, 20_000))
def test_parcels_keep_order_and_bounds(chars: list[int], most_points: int, most_bytes: int) -> None:
    """Nothing is lost, and only a point too great by itself passes the bound."""
    given_points = points(*chars)
    parcels = list(pack(given_points, most_points, most_bytes))
    assert [point for parcel in parcels for point in parcel] == given_points
    assert all(0 < len(parcel) <= most_points for parcel in parcels)
    assert all(len(parcel) == 1 or sum(map(weigh, parcel)) <= most_bytes for parcel in parcels)


def refusing(bad: set[str], most: int = 1000) -> tuple[Callable[[Sequence[Point]], None], list[int], set[str]]:
    """An upsert that disputes parcels with a bad point or more than `most`; the sizes it saw, the ids it took."""
    seen: list[int] = []
    taken: set[str] = set()

    def upsert(parcel: Sequence[Point]) -> None:
        seen.append(len(parcel))
        ids = {point.id for point in parcel}
        if ids & bad or len(parcel) > most:
            raise Disputed("bad request")
        taken.update(ids)

    return upsert, seen, taken


@pytest.mark.parametrize("bad", [{"0"}, {"77"}, {"5", "255"}])
def test_the_bad_ones_are_found_and_the_others_stored(bad: set[str]) -> None:
    """With about two requests more per halving."""
    upsert, seen, taken = refusing(bad)
    assert set(send(points(*[10] * 256), upsert)) == bad
    assert len(taken) == 256 - len(bad)
    assert len(seen) <= 1 + 16 * len(bad)


def test_a_server_that_takes_fewer_gets_fewer() -> None:
    """A limit on the number of points is met by halving."""
    upsert, seen, taken = refusing(set(), most=50)
    assert send(points(*[10] * 256), upsert) == {}
    assert len(taken) == 256
    assert max(seen[1:]) <= 128


def test_an_outage_is_nobodys_fault() -> None:
    """It is not answered by halving."""

    def upsert(parcel: Sequence[Point]) -> None:
        raise StoreUnreachable("gone")

    with pytest.raises(StoreUnreachable):
        send(points(1, 2), upsert)
