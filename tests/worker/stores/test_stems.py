"""Stores of versions before stems: they answer all the while, and are then as good as fresh ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from numbered_points import KINDS, Opener, everything, identity, made, openers, vector
from older_stores import take_stems, take_tongues
from store_questions import hits

from importer.protocol.query import Query
from importer.worker.stores import Store
from importer.worker.stores.edge import stems, store

pytestmark = pytest.mark.slow

COUNT = 300
SAID = "we are deploying number{} with migrations and retries"
ASKED = [Query(f"deployment migration of number{n}", mode="keyword") for n in range(0, COUNT, 30)]


@pytest.fixture(params=KINDS)
def opener(request: pytest.FixtureRequest, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opener]:
    monkeypatch.setattr(store, "SMALL_POINTS", 0)  # so that what is small here is not done at once
    yield from openers(request.param, str(tmp_path / "store"))


def filled(opener: Opener) -> Store:
    found = opener()
    found.write([made(n, SAID.format(n)) for n in range(COUNT)], {}, [])
    return found


def answers(found: Store) -> list[tuple[str, list[float]]]:
    """Return the first hit of each question, and all scores: of many equal chunks, any may follow."""
    answered = [hits(found, query) for query in ASKED]
    return [(some[0].id, [round(hit.score, 3) for hit in some]) for some in answered]


def finish(found: Store) -> int:
    """Do the upkeep to its end; return in how many steps."""
    for step in range(1, 1_000):
        if not found.upkeep():
            return step
    raise AssertionError("the upkeep has no end")


def test_a_fresh_store_has_nothing_to_do(opener: Opener) -> None:
    """Its points were written with stems."""
    found = filled(opener)
    assert not found.upkeep()
    assert hits(found, Query("deploy", mode="keyword"))


def test_an_older_store_answers_and_becomes_as_good_as_a_fresh_one(opener: Opener) -> None:
    """At every step of the upkeep exact words find what they found; then stems do, with the same scores."""
    fresh = filled(opener)
    wanted, points = answers(fresh), everything(fresh, with_vectors=True)
    take_stems(fresh)
    older = opener()
    assert not hits(older, Query("deploy", mode="keyword"))
    while True:
        assert [found[0].id for query in ASKED if (found := hits(older, query))] == [
            identity(n) for n in range(0, COUNT, 30)
        ]
        assert hits(older, Query("x"), vector(5))[0].id == identity(5)
        if not older.upkeep():
            break
    assert answers(older) == wanted
    assert [point.payload for point in everything(older).values()] == [point.payload for point in points.values()]


def test_what_is_written_and_deleted_meanwhile_counts(opener: Opener) -> None:
    """New points bring their stems along, wherever the pass stands."""
    take_stems(filled(opener))
    older = opener()
    older.upkeep()
    older.write([made(n, "an unbelievable story") for n in (1000, 1001)], {}, [identity(3)])
    finish(older)
    assert {hit.id for hit in hits(older, Query("unbelievably", mode="keyword"))} == {identity(1000), identity(1001)}
    assert identity(3) not in everything(older)


def test_it_goes_on_after_a_restart(opener: Opener) -> None:
    """What is done is kept; a second opening has less to do, or does it again without harm."""
    take_stems(filled(opener))
    older = opener()
    older.upkeep()
    older.close()
    again = opener()
    finish(again)
    again.close()
    third = opener()
    assert not third.upkeep()
    assert len(hits(third, Query("deployments", mode="keyword", limit=400))) >= 100


def test_a_small_older_store_is_ready_when_it_is_open(tmp_path: Any) -> None:
    """Half a second at most: a search alone, which ends its worker, is as good as any."""
    (opener,) = openers("edge", str(tmp_path / "store"))
    take_stems(filled(opener))
    assert hits(opener(), Query("deploy", mode="keyword"))


def test_the_place_of_a_long_pass_is_kept(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a worker that lives for a minute does not begin anew each time."""
    monkeypatch.setattr(store, "SMALL_POINTS", 0)
    monkeypatch.setattr(stems, "PAGE_POINTS", 8)
    (opener,) = openers("edge", str(tmp_path / "store"))
    take_stems(filled(opener))
    older = opener()
    for _ in range(stems.HINT_EVERY_PAGES):
        older.upkeep()
    older.close()
    hint = tmp_path / "store" / os.listdir(tmp_path / "store")[0] / stems.HINT
    assert hint.read_text()
    left = finish(opener())
    assert left <= COUNT // 8 + 1 - stems.HINT_EVERY_PAGES + 1
    assert not hint.exists()


def test_a_store_that_knew_english_alone_learns_the_other_languages(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers by the stems that it has meanwhile, and finds then what a fresh one finds."""
    monkeypatch.setattr(store, "SMALL_POINTS", 0)
    (opener,) = openers("edge", str(tmp_path / "store"))
    found = opener()
    german = [made(n, f"Die Rechnungen werden nicht gedruckt, und der Drucker{n} ist aus") for n in range(40)]
    found.write([*german, *(made(n, SAID.format(n)) for n in range(40, 80))], {}, [])
    question = Query("warum wird eine Rechnung nicht gedruckt", mode="keyword", limit=100)
    wanted = sorted(round(hit.score, 3) for hit in hits(found, question))
    take_tongues(found)
    older = opener()
    assert sorted(round(hit.score, 3) for hit in hits(older, question)) < wanted
    assert len(hits(older, Query("deploy migrate", mode="keyword", limit=100))) == 40
    finish(older)
    assert sorted(round(hit.score, 3) for hit in hits(older, question)) == wanted
    older.close()
    assert not opener().upkeep()
