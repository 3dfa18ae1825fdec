"""How points stand, on every kind of store: who holds them open, and which conversation they name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from numbered_points import KINDS, Opener, everything, identity, made, openers

from importer.protocol.query import Query
from importer.worker.stores import Ownership


@pytest.fixture(params=KINDS)
def opener(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Opener]:
    yield from openers(request.param, str(tmp_path / "store"))


def test_one_write_does_all_three(opener: Opener) -> None:
    """Points come, holders change, points go."""
    store = opener()
    store.write([made(1, open_by=["a"]), made(2, open_by=["a"]), made(3)], {}, [])
    store.write([made(4)], {identity(1): Ownership(()), identity(2): Ownership(("a", "b"))}, [identity(3)])
    found = everything(store)
    assert set(found) == {identity(1), identity(2), identity(4)}
    assert "open_by" not in found[identity(1)].payload
    assert found[identity(2)].payload["open_by"] == ["a", "b"]


def test_holders_of_points_that_are_gone_are_no_error(opener: Opener) -> None:
    """A replay may speak of points deleted since."""
    store = opener()
    store.write([made(1)], {}, [])
    store.write([], {identity(8): Ownership(("a",), ("c",)), identity(9): Ownership(())}, [identity(7)])
    assert set(everything(store)) == {identity(1)}


@pytest.mark.parametrize(
    ("standing", "names"),
    [
        (Ownership(("c2#1",), ("c2",)), "c2"),
        (Ownership(("c1#2", "c2#1"), ("c1", "c2")), "c1"),
        (Ownership(("c2#1", "c3#1"), ("c2", "c3")), "c2"),
        (Ownership((), ("c2",)), "c2"),
        (Ownership(()), "c1"),
    ],
)
def test_a_point_names_a_conversation_that_still_says_it(opener: Opener, standing: Ownership, names: str) -> None:
    """Written by c1: it is found by the conversation it names afterwards, and by no other; nothing else changes."""
    store = opener()
    store.write([made(1, open_by=["c1#1"], conversation_id="c1"), made(2, conversation_id="c9")], {}, [])
    before = everything(store, with_vectors=True)
    store.write([], {identity(1): standing}, [])
    after = everything(store, with_vectors=True)
    metadata = {**before[identity(1)].payload["metadata"], "conversation_id": names}
    assert after[identity(1)].payload["metadata"] == metadata
    assert after[identity(1)].payload.get("open_by", []) == list(standing.holders)
    assert list(after[identity(1)].dense) == list(before[identity(1)].dense)
    assert after[identity(2)].payload == before[identity(2)].payload
    for conversation in ("c1", "c2", "c3"):
        hits = store.search(Query("number1", mode="keyword", conversation=conversation), None)
        assert [hit.id for hit in hits] == ([identity(1)] if conversation == names else [])
