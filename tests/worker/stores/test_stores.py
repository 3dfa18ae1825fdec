"""The contract of every store, run against each kind: embedded, local mode, and the server QDRANT_TEST_URL names."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numbered_points import DIMENSION, KINDS, Opener, everything, identity, made, numbered, openers, vector
from store_questions import hits

from importer.errors import PointsRejected, StoreRefused, UsageError
from importer.protocol.query import Query
from importer.worker.stores import EVERYTHING, Ownership, Point, Scope, Store

pytestmark = pytest.mark.slow
COUNT = 60
ROUNDING = float(np.finfo(np.float32).eps)
SAID_ONCE = [
    "zorbfax",
    "foo_bar-42",
    "parseHtmlDocument",
    "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "v3.11.7-rc2",
    "/srv/böse/Ümlaut.txt",
    "9081726354",
    "テスト",
    "someone@example.org",
    "10.20.30.40",
]


@pytest.fixture(params=KINDS)
def opener(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Opener]:
    yield from openers(request.param, str(tmp_path / "store"))


@pytest.fixture(scope="module", params=KINDS)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that is not written to: COUNT numbered points, and one for each word said once."""
    for opener in openers(request.param, str(tmp_path_factory.mktemp("filled"))):
        store = opener()
        said = [made(1000 + at, f"we saw {word}, then went on") for at, word in enumerate(SAID_ONCE)]
        said.append(made(1100, "日本語のテストケース、です", kind="summary", source="codex", host="there"))
        store.write(numbered(COUNT) + said, {}, [])
        yield store


def test_lookup_says_which_exist_and_who_holds_them_open(opener: Opener) -> None:
    """Only existing ids come back; () is a closed point."""
    store = opener()
    store.write([made(1), made(2, open_by=["a", "b"])], {}, [])
    assert store.lookup([identity(1), identity(2), identity(3)]) == {identity(1): (), identity(2): ("a", "b")}
    assert store.lookup([]) == {}


def test_writing_again_changes_nothing(opener: Opener) -> None:
    """The same points any number of times are the same store."""
    store = opener()
    store.write(numbered(5), {}, [])
    before = everything(store, with_vectors=True)
    store.write(numbered(5), {}, [])
    assert same(everything(store, with_vectors=True), before)
    assert store.count() == 5


def test_everything_is_there_after_reopening(opener: Opener) -> None:
    """Payloads, vectors, keywords and the fingerprint outlive the process' handle."""
    store = opener()
    store.write(numbered(20), {identity(3): Ownership(("a",))}, [identity(4)])
    before, made_by = everything(store, with_vectors=True), store.fingerprint
    store.close()
    again = opener()
    assert same(everything(again, with_vectors=True), before)
    assert again.fingerprint == made_by
    assert hits(again, Query("number7", mode="keyword"))[0].id == identity(7)


def test_searching_while_another_thread_writes(opener: Opener) -> None:
    """As the worker does: one thread stores, the other answers."""
    store = opener()
    store.write(numbered(1), {}, [])
    writing = threading.Thread(target=lambda: [store.write([made(n)], {}, []) for n in range(1, 20)])
    writing.start()
    while writing.is_alive():
        assert hits(store, Query("number0", limit=3), vector(0))[0].id == identity(0)
    writing.join()
    assert store.count() == 20


SCOPES = [
    (EVERYTHING, COUNT + len(SAID_ONCE) + 1),
    (Scope(project="/home/u/p1"), COUNT // 3 + 4),
    (Scope(project="p1"), COUNT // 3 + 4),
    (Scope(source="codex"), 1),
    (Scope(kind="summary"), 1),
    (Scope(host="there"), 1),
    (Scope(conversation="c2"), COUNT // 5 + 2),
    (Scope(since="2026-01-28T00:00:00Z"), 2),
    (Scope(until="2026-01-01T23:59:59Z"), 3),
    (Scope(since="2026-01-03T12:00:00Z", until="2026-01-03T14:00:00+02:00"), 3),
    (Scope(project="p1", conversation="c1", since="2026-01-02T00:00:00Z"), COUNT // 15 + 1),
    (Scope(project="/home/u"), 0),
]


@pytest.mark.parametrize(("scope", "count"), SCOPES)
def test_a_scope_holds_what_matches_all_its_fields(filled: Store, scope: Scope, count: int) -> None:
    """Counting and reading through a scope agree, and a project may be named by path or last component."""
    expected = {id for id, point in everything(filled).items() if holds(scope, point)}
    assert set(everything_in(filled, scope)) == expected
    assert filled.count(scope) == len(expected)
    if scope is EVERYTHING:
        assert len(expected) == count


@pytest.mark.parametrize("word", SAID_ONCE)
def test_a_word_said_once_is_the_first_hit(filled: Store, word: str) -> None:
    """Keyword search finds identifiers, numbers, paths and scripts without spaces."""
    found = hits(filled, Query(word, mode="keyword"))
    assert word in found[0].document


def test_part_of_a_run_without_spaces_is_found(filled: Store) -> None:
    """People do not type the whole run."""
    assert hits(filled, Query("日本語", mode="keyword"))[0].id == identity(1100)


def test_dense_search_ranks_by_cosine(filled: Store) -> None:
    """The nearest vector first, scores are cosines, as exact as float32."""
    query = vector(7) + 0.3 * vector(8)
    found = hits(filled, Query("", mode="dense", limit=5), query)
    cosines = {identity(n): float(vector(n) @ query / np.linalg.norm(query)) for n in range(COUNT)}
    best = sorted((id for id in cosines), key=lambda id: -cosines[id])[:3]
    assert [hit.id for hit in found][:1] == [identity(7)]
    assert len(found) == 5
    assert found[0].score == pytest.approx(cosines[identity(7)], abs=1e-5)
    assert best[0] == identity(7)


def test_hybrid_search_shows_what_either_finds(filled: Store) -> None:
    """The nearest vector and the very word are the first two."""
    found = hits(filled, Query("number9", limit=2), vector(30))
    assert {hit.id for hit in found} == {identity(9), identity(30)}
    assert found[0].metadata["project"].startswith("/home/u/p")


@pytest.mark.parametrize("mode", ["dense", "keyword", "hybrid"])
def test_filters_hold_in_every_mode(filled: Store, mode: str) -> None:
    """What is outside of the filter is no hit, however near."""
    query = Query("prompt about number31", mode=mode, project="p2", since="2026-01-10T00:00:00Z", limit=50)
    found = hits(filled, query, vector(31))
    assert found
    assert all(hit.metadata["project_name"] == "p2" for hit in found)
    assert all(hit.metadata["timestamp"] >= "2026-01-10" for hit in found)


def test_one_of_several_projects(filled: Store) -> None:
    """Whole paths are asked for, and a name among them finds nothing."""
    p1, p2 = "/home/u/p1", "/home/u/p2"
    assert (
        filled.count(Scope(projects=(p1, p2))) == filled.count(Scope(project=p1)) + filled.count(Scope(project=p2)) > 0
    )
    assert filled.count(Scope(projects=("p1", "/home/u/none"))) == 0
    assert filled.count(Scope(projects=(p1,), project=p2)) == 0


def test_a_question_without_words_finds_nothing(filled: Store) -> None:
    """Punctuation and stop words alone are no error."""
    assert hits(filled, Query("the … !?", mode="keyword")) == ()


def test_a_time_that_is_none_is_the_askers_fault(filled: Store) -> None:
    """It is a usage error and says how to write it."""
    with pytest.raises(UsageError) as caught:
        hits(filled, Query("x", since="yesterday"), vector(1))
    assert "RFC 3339" in caught.value.hint


def test_pages_are_whole_and_in_order(filled: Store) -> None:
    """Every point once, in order of id, for every page size."""
    one, many = everything(filled, page=1000), everything(filled, page=7)
    assert list(many) == sorted(many) == sorted(one)
    assert filled.scroll(None, 5).points[0].dense == ()


def test_vectors_come_back_as_they_went_in(filled: Store) -> None:
    """float32 up to rounding, or copying between stores would wear them out."""
    found = everything(filled, with_vectors=True)
    apart = [np.abs(np.asarray(found[identity(n)].dense) - vector(n)).max() for n in range(COUNT)]
    assert max(apart) <= ROUNDING


def test_facets_count_points_by_value(filled: Store) -> None:
    """Enough for a listing of projects."""
    assert filled.facet("source") == {"claude-code": COUNT + len(SAID_ONCE), "codex": 1}


def test_deleting_a_scope_says_how_many(opener: Opener) -> None:
    """What it held is gone, the rest is not."""
    store = opener()
    store.write(numbered(30), {}, [])
    assert store.delete(Scope(project="p1")) == 10
    assert store.count() == 20
    assert store.facet("project_name") == {"p0": 10, "p2": 10}


def test_a_fork_is_found_by_either_name_and_deleted_by_its_own(opener: Opener) -> None:
    """What another conversation says too stays where it names that one."""
    store = opener()
    shared = made(0, conversation_id="c1", conversations=["c1", "c2"])
    store.write([shared, made(1, conversation_id="c2")], {}, [])
    assert store.count(Scope(conversation="c2")) == 2
    assert store.delete(Scope(names="c2")) == 1
    assert list(everything(store)) == [shared.id]


def test_an_empty_scope_deletes_nothing(opener: Opener) -> None:
    """Everything is too much to ask for by leaving out the question."""
    store = opener()
    store.write(numbered(3), {}, [])
    with pytest.raises(UsageError):
        store.delete(EVERYTHING)
    assert store.count() == 3


@pytest.mark.parametrize("wrong", [{"model": "other/model"}, {"dimension": DIMENSION * 2}])
def test_another_model_is_refused_with_the_way_out(opener: Opener, wrong: dict[str, Any]) -> None:
    """Never mixed into one collection."""
    opener().close()
    with pytest.raises(StoreRefused) as caught:
        opener(**wrong)
    assert "migrate" in caught.value.hint


def test_a_bad_vector_is_named_and_nothing_is_written(opener: Opener) -> None:
    """Engines take NaN without a word."""
    store = opener()
    bad = Point(identity(2), np.full(DIMENSION, np.nan, dtype=np.float32), made(2).payload)
    with pytest.raises(PointsRejected) as caught:
        store.write([made(1), bad], {}, [])
    assert caught.value.ids == (identity(2),)
    assert store.count() == 0


def test_broken_text_is_named(opener: Opener) -> None:
    """Half a surrogate pair cannot be stored anywhere."""
    with pytest.raises(PointsRejected) as caught:
        opener().write([made(1, "broken \ud83d text"), made(2)], {}, [])
    assert caught.value.ids == (identity(1),)


def test_a_vector_of_wrong_length_is_refused(opener: Opener) -> None:
    """That is no point's fault but the model's."""
    with pytest.raises(StoreRefused):
        opener().write([Point(identity(1), [1.0, 0.0], made(1).payload)], {}, [])


def test_a_collection_that_must_exist_is_not_made(opener: Opener) -> None:
    """Asking does not create."""
    with pytest.raises(StoreRefused):
        opener(create=False)
    opener().close()
    opener(create=False).close()


def test_closing_twice_is_fine(opener: Opener) -> None:
    """A second close does nothing."""
    store = opener()
    store.write(numbered(3), {}, [])
    assert store.count() == 3
    store.close()
    store.close()


def same(one: dict[str, Point], other: dict[str, Point]) -> bool:
    """Ids in order, payloads, and vectors up to the last bit, which local mode may round again."""
    return list(one) == list(other) and all(
        np.allclose(one[id].dense, other[id].dense, rtol=0, atol=ROUNDING) and one[id].payload == other[id].payload
        for id in one
    )


def everything_in(store: Store, scope: Scope) -> list[str]:
    return [given.id for given in store.scroll(None, 1000, scope=scope).points]


def holds(scope: Scope, point: Point) -> bool:
    found = point.payload["metadata"]
    wanted = {"source": scope.source, "kind": scope.kind, "host": scope.host, "conversation_id": scope.conversation}
    at = found["timestamp"]
    until = scope.until.replace("14:00:00+02:00", "12:00:00Z")
    return (
        all(found[key] == value for key, value in wanted.items() if value)
        and (not scope.project or scope.project in {found["project"], found["project_name"]})
        and (not scope.since or at >= scope.since)
        and (not until or at <= until)
    )
