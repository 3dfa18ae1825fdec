"""Several stores searched as one: every point once, what is away named, and a page in order of id over all of them."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from datetime import date

import pytest
from numbered_points import DIMENSION, MODEL, everything, identity, made, vector
from worker_told import store_settings

from importer.errors import StoreUnreachable
from importer.protocol.query import Query
from importer.worker import stores
from importer.worker.search import answer
from importer.worker.search.answer import QueryContext
from importer.worker.search.spanning import AWAY_S, FurtherStores, Spanning
from importer.worker.stores import Store

pytestmark = pytest.mark.slow


class Machines:
    """Stores by their names, opened as a worker opens further ones; those in `away` do not answer."""

    def __init__(self, base: pathlib.Path) -> None:
        self.base, self.now_s = base, 0.0
        self.away: set[str] = set()
        self.opened: list[str] = []

    def load(self, name: str) -> Store:
        self.opened.append(name)
        if name in self.away:
            raise StoreUnreachable(f"{name} is away")
        return stores.load(store_settings(f"edge:{self.base}/{name}"), model=MODEL, dimension=DIMENSION)

    def further(self) -> FurtherStores:
        return FurtherStores(self.load, lambda: self.now_s)


@pytest.fixture
def machines(tmp_path: pathlib.Path) -> Machines:
    found = Machines(tmp_path)
    for name, numbers in (("north", range(12)), ("south", range(8, 20))):
        store = found.load(name)
        store.write([made(number) for number in numbers], {}, ())
        store.close()
    found.opened.clear()
    return found


@pytest.fixture
def north(machines: Machines) -> Iterator[Store]:
    found = machines.load("north")
    machines.opened.clear()
    yield found
    found.close()


def test_every_point_is_there_once(machines: Machines, north: Store) -> None:
    """What both have counts once, and pages go through all of them in order of id."""
    with machines.further().beside(north, ["south"]) as both:
        found: list[str] = []
        after = None
        while True:
            page = both.scroll(after, 3)
            found += [point.id for point in page.points]
            if (after := page.next) is None:
                break
        assert found == sorted(identity(number) for number in range(20))
        assert both.read([identity(1), identity(19)]).keys() == {identity(1), identity(19)}
        assert sum(both.facet("conversation_id").values()) >= 12


@pytest.mark.parametrize("mode", ["hybrid", "dense", "keyword"])
def test_a_search_ranks_all_of_them_together(machines: Machines, north: Store, mode: str) -> None:
    """The best one is found wherever it is, and shown with its text."""
    for number in (2, 10, 18):
        query = Query(f"number{number}", limit=5, mode=mode)
        with machines.further().beside(north, ["south"]) as both:
            found = answer.search(both, query, vector(number), QueryContext(20, date(2026, 3, 1)))  # type: ignore[arg-type]
        assert found.hits[0].id == identity(number)
        assert len({hit.id for hit in found.hits}) == len(found.hits)


def test_what_is_away_is_named_and_left_out_for_a_while(machines: Machines, north: Store) -> None:
    """The own store answers; the other is asked again after a while."""
    further = machines.further()
    machines.away.add("south")
    for _ in range(3):
        with further.beside(north, ["south"]) as alone:
            assert alone.away == {"south": "south is away"}
            assert len(everything(alone)) == 12  # type: ignore[arg-type]
    assert machines.opened == ["south"]
    machines.away.clear()
    machines.now_s += AWAY_S
    with further.beside(north, ["south"]) as both:
        assert not both.away
        assert len(everything(both)) == 20  # type: ignore[arg-type]


def test_one_that_goes_away_in_the_middle_is_left_out(machines: Machines, north: Store) -> None:
    """Its answer is missed, and said to be."""

    class Failing:
        fingerprint = "another"

        def facet(self, *_: object) -> dict[str, int]:
            raise StoreUnreachable("the line is cut")

    both = Spanning(north, {"south": Failing()}, {})  # type: ignore[dict-item]
    assert sum(both.facet("conversation_id").values()) == 12
    assert both.away == {"south": "the line is cut"}


def test_an_embedded_store_is_closed_after_each_question(machines: Machines, north: Store) -> None:
    """It has one opener: a sync must be able to open it."""
    with machines.further().beside(north, ["south"]):
        pass
    store = machines.load("south")
    assert store.count() == 12
    store.close()
