"""Facts of a whole conversation reach what is stored of it, on every kind of store, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from numbered_points import KINDS, Opener, everything, identity, made, openers

from importer.protocol.records import ConversationFacts
from importer.worker.retell import retell


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
