"""How points stand, on every kind of store: who holds them open, and which conversation they name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from numbered_points import KINDS, Opener, everything, identity, made, openers
from store_questions import hits

from importer.protocol.query import Query
from importer.worker.stores import Ownership

pytestmark = pytest.mark.slow


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
    store.write(
        [], {identity(8): Ownership(("a",), {"conversation_id": "c"}), identity(9): Ownership(())}, [identity(7)]
    )
    assert set(everything(store)) == {identity(1)}


FORK = {"source": "claude-code", "conversation_id": "c2", "conversations": ["c1", "c2"], "cwd": "/home/u/fork"}


@pytest.mark.parametrize(
    "standing",
    [
        Ownership(("c1#1", "c2#1"), FORK, {"c1": {"conversation_id": "c1"}}),
        Ownership(("c2#1",), FORK),
        Ownership((), FORK),
    ],
)
def test_a_point_tells_what_its_ownership_says(opener: Opener, standing: Ownership) -> None:
    """Its metadata are others then, and nothing of the former ones stays; it is found by each conversation it names."""
    store = opener()
    store.write(
        [made(1, open_by=["c1#1"], conversation_id="c1", git_branch="main"), made(2, conversation_id="c9")], {}, []
    )
    before = everything(store, with_vectors=True)
    store.write([], {identity(1): standing}, [])
    after = everything(store, with_vectors=True)
    found = after[identity(1)]
    assert found.payload["metadata"] == FORK
    assert found.payload.get("open_by", []) == list(standing.holders)
    assert found.payload.get("voices", {}) == standing.voices
    assert found.payload["document"] == before[identity(1)].payload["document"]
    assert list(found.dense) == list(before[identity(1)].dense)
    assert after[identity(2)].payload == before[identity(2)].payload
    told = store.payloads([identity(1), identity(3)])
    assert set(told) == {identity(1)}
    assert {**told[identity(1)], "document": ""} == {**found.payload, "document": ""}
    for conversation in ("c1", "c2", "c3"):
        found = hits(store, Query("number1", mode="keyword", conversation=conversation))
        assert [hit.id for hit in found] == ([identity(1)] if conversation in FORK["conversations"] else [])


def test_a_closed_point_keeps_no_voices(opener: Opener) -> None:
    """What its other holders would tell goes with them; metadata that are not given stay."""
    store = opener()
    store.write([made(1, open_by=["c1#1"])], {}, [])
    before = everything(store)[identity(1)]
    store.write([], {identity(1): Ownership(("c1#1", "c2#1"), FORK, {"c1": {}})}, [])
    store.write([], {identity(1): Ownership((), before.payload["metadata"])}, [])
    assert everything(store)[identity(1)].payload == {k: v for k, v in before.payload.items() if k != "open_by"}
