"""Facts of a whole conversation reach what is stored of it, on every kind of store, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from numbered_points import KINDS, Opener, everything, identity, made, openers

from importer.protocol.records import Chunk, ConversationFacts
from importer.worker.maintenance import move_points, thread
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


def test_a_shared_point_tells_of_the_conversation_that_is_asked_for(opener: Opener) -> None:
    """Searched or opened by a fork's id, a point that names the original has the fork's title, folder and project."""
    store = opener()
    kiln = {"conversation_id": "kiln", "title": "Firing", "cwd": "/a", "git_branch": "main", "message_id": "m1"}
    fork = {"conversation_id": "kiln-2", "title": "Glazing", "cwd": "/b", "project": "/b", "project_name": "b"}
    store.write([made(1, **kiln, conversations=["kiln", "kiln-2"]), made(2, **fork)], {}, [])
    session = cast(Any, SimpleNamespace(store=store))
    asked = {name: thread(session, name) for name in ("kiln", "kiln-2")}
    titles = {name: [one["metadata"].get("title") for one in chunks] for name, chunks in asked.items()}
    assert titles == {"kiln": ["Firing"], "kiln-2": ["Glazing", "Glazing"]}
    shared = next(one["metadata"] for one in asked["kiln-2"] if one["id"] == identity(1))
    told = {**fork, "message_id": "m1", "conversations": ["kiln", "kiln-2"]}
    assert {name: shared.get(name) for name in told} == told
    assert "git_branch" not in shared


def test_an_open_point_tells_of_each_of_its_holders(opener: Opener) -> None:
    """A fork that has no point of its own yet is told by what the shared open point keeps of it."""
    store = opener()
    voice = {"conversation_id": "kiln-2", "title": "Glazing"}
    store.write([made(1, conversation_id="kiln", title="Firing")], {}, [])
    told = {"conversation_id": "kiln", "title": "Firing", "conversations": ["kiln", "kiln-2"]}
    store.write([], {identity(1): Ownership(("kiln#1", "kiln-2#2"), told, {"kiln-2": voice})}, [])
    (chunk,) = thread(cast(Any, SimpleNamespace(store=store)), "kiln-2")
    assert (chunk["metadata"]["conversation_id"], chunk["metadata"]["title"]) == ("kiln-2", "Glazing")
