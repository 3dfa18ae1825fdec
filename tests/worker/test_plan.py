"""What a batch means for a store that holds some of it already: the table, and that replays change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_store import ModelStore

from importer.protocol.records import Chunk, Release
from importer.worker.plan import plan
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
        store.points["a"] = payload(CLOSED, stands)
    applied(store, chunks, releases)
    assert store.lookup(["a"]).get("a") == after


def applied(store: ModelStore, chunks: Sequence[Chunk], releases: Sequence[Release]) -> None:
    """What a worker does with a batch."""
    ids = [one.id for one in (*chunks, *releases)]
    todo = plan(chunks, releases, store.lookup(ids))
    points = [SimpleNamespace(id=chunk.id, payload=payload(chunk, holders)) for chunk, holders in todo.write]
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


def test_what_stands_is_not_embedded_again() -> None:
    """Only ids that are not there are written; those that are count as known."""
    todo = plan([CLOSED, Chunk("b", "more", {})], [], {"a": ()})
    assert [chunk.id for chunk, _ in todo.write] == ["b"]
    assert (todo.known, todo.standing, todo.deletes) == (1, {}, ())


def of(conversation: str, holder: str = "") -> Chunk:
    return Chunk("a", "text", {"conversation_id": conversation}, holder)


@pytest.mark.parametrize(
    ("batches", "names"),
    [
        ([([of("f", "f#1")], []), ([of("c", "c#2")], [])], "f"),
        ([([of("f", "f#1"), of("c", "c#2")], [])], "f"),
        ([([of("f", "f#1")], []), ([of("c", "c#2")], []), ([], [Release("a", "f#1")])], "c"),
        ([([of("f", "f#1"), of("c", "c#2")], [Release("a", "f#1")])], "c"),
        ([([of("f", "f#1")], []), ([of("c")], []), ([], [Release("a", "f#1")])], "c"),
        ([([of("f", "f#1"), of("c")], [])], "c"),
        ([([of("c"), of("f", "f#1")], [])], "c"),
        ([([of("f")], []), ([of("c")], [])], "f"),
    ],
)
def test_a_shared_point_names_a_conversation_that_still_says_it(
    batches: list[tuple[list[Chunk], list[Release]]], names: str
) -> None:
    """`f` forked from `c`: what both say is stored once, and never names one that has gone on without it."""
    store = ModelStore()
    for chunks, releases in batches:
        applied(store, chunks, releases)
    assert store.points["a"]["metadata"] == {"conversation_id": names}
