"""What a batch means for a store that holds some of it already: the table, and that replays change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_store import ModelStore

from importer.protocol.records import Chunk, Release
from importer.worker.plan import both, looked_up, plan, touching
from importer.worker.stores import Ownership
from importer.worker.stores.schema import payload

CLOSED = Chunk("a", "text", {})
OPEN = Chunk("a", "text", {}, "me")
LET_GO = Release("a", "me")


@pytest.mark.parametrize(
    ("stands", "chunks", "releases", "after"),
    [
        (None, [CLOSED], [], ()),
        (None, [OPEN], [], ("me",)),
        (None, [], [LET_GO], None),
        (("me",), [CLOSED], [], ()),
        (("you",), [OPEN], [], ("me", "you")),
        (("me", "you"), [], [LET_GO], ("you",)),
        (("me",), [], [LET_GO], None),
        (("you",), [], [LET_GO], ("you",)),
        ((), [CLOSED], [], ()),
        ((), [OPEN], [], ()),
        ((), [], [LET_GO], ()),
        (None, [OPEN], [LET_GO], None),
        (("me",), [OPEN], [LET_GO], None),
        (None, [OPEN, CLOSED], [LET_GO], ()),
    ],
)
def test_the_table(
    stands: tuple[str, ...] | None, chunks: list[Chunk], releases: list[Release], after: tuple[str, ...] | None
) -> None:
    """Of all that stands and arrives: the point's holders afterwards, None for no point, () for a closed one."""
    store = ModelStore()
    if stands is not None:
        store.points["a"] = payload(CLOSED, Ownership(stands))
    applied(store, chunks, releases)
    assert store.lookup(["a"]).get("a") == after


def applied(store: ModelStore, chunks: Sequence[Chunk], releases: Sequence[Release]) -> None:
    """What a worker does with a batch."""
    ids = [one.id for one in (*chunks, *releases)]
    todo = plan(chunks, releases, *looked_up(store, ids))
    points = [SimpleNamespace(id=chunk.id, payload=payload(chunk, standing)) for chunk, standing in todo.write]
    store.write(points, todo.standing, todo.deletes)


IDS, HOLDERS = st.sampled_from("abc"), st.sampled_from(["me", "you"])
CHUNKS = st.builds(Chunk, IDS, st.just("text"), st.just({}), st.one_of(st.just(""), HOLDERS))
BATCHES = st.lists(st.tuples(st.lists(CHUNKS, max_size=5), st.lists(st.builds(Release, IDS, HOLDERS), max_size=3)))


@pytest.mark.slow
@given(BATCHES)
def test_a_plan_does_what_the_words_say(
    batches: list[tuple[list[Chunk], list[Release]]],
) -> None:
    """Batch after batch, the store is what storing each chunk and letting go of each release one by one gives."""
    store, simple = ModelStore(), ModelStore()
    for chunks, releases in batches:
        applied(store, chunks, releases)
        simple.apply(chunks, releases)
        assert store.points == simple.points


@pytest.mark.slow
@given(BATCHES, st.lists(CHUNKS, max_size=5), st.lists(st.builds(Release, IDS, HOLDERS), max_size=3), st.integers(1, 3))
def test_a_replay_changes_nothing(
    before: list[tuple[list[Chunk], list[Release]]], chunks: list[Chunk], releases: list[Release], times: int
) -> None:
    """A batch sent again, because its receipt was lost, leaves the store as it is."""
    store = ModelStore()
    for earlier in before:
        applied(store, *earlier)
    applied(store, chunks, releases)
    once = {point: dict(stored) for point, stored in store.points.items()}
    for _ in range(times):
        applied(store, chunks, releases)
    assert store.points == once


@pytest.mark.slow
@given(BATCHES, st.lists(CHUNKS, max_size=5), st.lists(st.builds(Release, IDS, HOLDERS), max_size=3), st.sets(IDS))
def test_a_batch_may_be_planned_in_two_parts(
    before: list[tuple[list[Chunk], list[Release]]], chunks: list[Chunk], releases: list[Release], some: set[str]
) -> None:
    """Whichever points are planned first, together the plans are that of the whole batch."""
    store = ModelStore()
    for earlier in before:
        applied(store, *earlier)
    parts = [plan(*touching(chunks, releases, ids), *looked_up(store, sorted(ids))) for ids in (some, {*"abc"} - some)]
    found, whole = both(*parts), plan(chunks, releases, *looked_up(store, list("abc")))
    assert (found.known, found.again, found.standing) == (whole.known, whole.again, whole.standing)
    assert sorted(found.deletes) == sorted(whole.deletes)
    assert {chunk.id: stands for chunk, stands in found.write} == {chunk.id: stands for chunk, stands in whole.write}


def test_what_stands_is_not_embedded_again() -> None:
    """Only ids that are not there are written; those that are count as known."""
    todo = plan([CLOSED, Chunk("b", "more", {})], [], {"a": ()})
    assert [chunk.id for chunk, _ in todo.write] == ["b"]
    assert (todo.known, todo.standing, todo.deletes) == (1, {}, ())


def of(conversation: str, holder: str = "") -> Chunk:
    return Chunk("a", "text", {"conversation_id": conversation, "cwd": f"/home/{conversation}"}, holder)


@pytest.mark.parametrize(
    ("batches", "names", "all_of_them"),
    [
        ([([of("f", "f#1")], []), ([of("c", "c#2")], [])], "f", ["c", "f"]),
        ([([of("f", "f#1"), of("c", "c#2")], [])], "f", ["c", "f"]),
        ([([of("f", "f#1")], []), ([of("c", "c#2")], []), ([], [Release("a", "f#1")])], "c", []),
        ([([of("f", "f#1"), of("c", "c#2")], [Release("a", "f#1")])], "c", []),
        ([([of("f", "f#1")], []), ([of("c")], []), ([], [Release("a", "f#1")])], "c", ["c", "f"]),
        ([([of("f", "f#1"), of("c")], [])], "c", ["c", "f"]),
        ([([of("c"), of("f", "f#1")], [])], "c", ["c", "f"]),
        ([([of("f")], []), ([of("c")], [])], "f", ["c", "f"]),
        ([([of("f")], []), ([of("c", "c#2")], []), ([of("e")], [])], "f", ["c", "e", "f"]),
        ([([of("f", "f#1"), of("f", "f#2")], []), ([], [Release("a", "f#2")])], "f", []),
    ],
)
def test_a_shared_point_names_a_conversation_that_still_says_it(
    batches: list[tuple[list[Chunk], list[Release]]], names: str, all_of_them: list[str]
) -> None:
    """`f` forked from `c`: what both say is stored once, with all facts of one that says it still, and names all."""
    store = ModelStore()
    for chunks, releases in batches:
        for _ in range(2):  # a replay changes nothing
            applied(store, chunks, releases)
    several = {"conversations": all_of_them} if all_of_them else {}
    assert store.points["a"]["metadata"] == {"conversation_id": names, "cwd": f"/home/{names}", **several}
    assert ("voices" in store.points["a"]) == (len(store.lookup(["a"])["a"]) > 1)


def test_older_points_without_voices_change_their_name_alone() -> None:
    """A point that an older version held open for two conversations goes on with the name of the one that is left."""
    store = ModelStore()
    store.points["a"] = payload(of("f"), Ownership(("c#2", "f#1")))
    applied(store, [], [Release("a", "f#1")])
    assert store.points["a"]["metadata"] == {"conversation_id": "c", "cwd": "/home/f"}


def test_a_point_names_so_many_conversations() -> None:
    """Of a hundred forks the first 64 are named, however often they come."""
    store = ModelStore()
    for _ in range(2):
        for number in range(100):
            applied(store, [of(f"c{number:03}")], [])
    assert store.points["a"]["metadata"]["conversations"] == [f"c{number:03}" for number in range(64)]
