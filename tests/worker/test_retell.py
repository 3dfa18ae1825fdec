"""Facts of a whole conversation reach what is stored of it, on every kind of store, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from numbered_points import KINDS, Opener, everything, identity, made, openers

from importer.protocol.records import Chunk, ConversationFacts
from importer.worker.maintenance import move_points
from importer.worker.retell import renewed, retell
from importer.worker.stores import Ownership


@pytest.fixture(params=KINDS)
def opener(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Opener]:
    yield from openers(request.param, str(tmp_path / "store"))


def test_a_later_title_reaches_the_points_of_its_conversation(opener: Opener) -> None:
    """The last title wins, a branch fills only what lacks one; told again, nothing changes."""
    store = opener()
    mine = [made(1, conversation_id="kiln", title="Old"), made(2, conversation_id="kiln", git_branch="glaze")]
    store.write([*mine, made(3, conversation_id="loom", title="Warp")], {}, [])
    before = everything(store, with_vectors=True)
    facts = ConversationFacts("kiln", "Firing plan", git_branch="main")
    assert retell(store, "claude-code", facts) == 2
    assert retell(store, "claude-code", facts) == 0
    after = everything(store, with_vectors=True)
    told = [after[identity(n)].payload["metadata"] for n in (1, 2, 3)]
    assert [facts.get("title") for facts in told] == ["Firing plan", "Firing plan", "Warp"]
    assert [facts.get("git_branch") for facts in told] == ["main", "glaze", None]
    assert [list(after[id].dense) for id in after] == [list(before[id].dense) for id in after]


def test_a_shared_point_keeps_the_title_of_the_conversation_it_names(opener: Opener) -> None:
    """A fork's title is not that of the original, which the point names."""
    store = opener()
    store.write([made(1, conversation_id="kiln", title="Old", conversations=["kiln", "kiln-2"])], {}, [])
    assert retell(store, "claude-code", ConversationFacts("kiln-2", "A fork")) == 0
    assert everything(store)[identity(1)].payload["metadata"]["title"] == "Old"


def test_points_of_a_project_move(opener: Opener) -> None:
    """Those of this host and source go, a page at a time, with their vectors and all else they tell."""
    store = opener()
    old = {"project": "/a/shop/src", "host": "here"}
    store.write([made(n, **old) for n in range(3)], {}, [])
    store.write([made(3, **{**old, "host": "there"}), made(4, **{**old, "source": "codex"})], {}, [])
    before = everything(store, with_vectors=True)
    session = cast(Any, SimpleNamespace(store=store))
    words = {"project": "/a/shop/src", "to": "/a/shop", "host": "here", "source": "claude-code"}
    assert [move_points(session, **words) for _ in range(2)] == [3, 0]
    after = everything(store, with_vectors=True)
    for n in range(5):
        was, now = before[identity(n)], after[identity(n)]
        told = {"project": "/a/shop", "project_name": "shop"} if n < 3 else {}
        assert now.payload == {**was.payload, "metadata": {**was.payload["metadata"], **told}}
        assert list(now.dense) == list(was.dense)
    assert store.facet("project") == {"/a/shop": 3, "/a/shop/src": 2}


def test_a_renewed_point_keeps_its_names_and_its_end() -> None:
    """What a file tells is written over what is stored, except for other conversations and a closed end."""
    open_by = {"open_by": ["a#1"], "voices": {"b": {"conversation_id": "b"}}}
    stored = {"document": "x", "metadata": {"conversation_id": "a", "conversations": ["a", "b"], "title": "?"}}
    chunk = Chunk("id", "x", {"conversation_id": "a", "title": "Kiln"}, holder="a#2")
    told = {"conversation_id": "a", "title": "Kiln", "conversations": ["a", "b"]}
    assert renewed(stored, chunk) == Ownership((), told)
    assert renewed({**stored, **open_by}, chunk) == Ownership(("a#1", "a#2"), told, open_by["voices"])
