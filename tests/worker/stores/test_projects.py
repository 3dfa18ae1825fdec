"""A question's project is chosen from those the store has now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from importer.errors import UsageError
from importer.protocol.query import Query
from importer.worker.stores import Store
from importer.worker.stores.projects import FRESH_S, ProjectList


@dataclass
class Shelf:
    """A store that only knows its projects, and how often it was asked for them; it is its own clock."""

    counts: dict[str, int] = field(default_factory=dict)
    asked: int = 0
    now: float = 100.0

    def facet(self, key: str, _limit: int) -> dict[str, int]:
        assert key == "project"
        self.asked += 1
        return dict(self.counts)


def listed(shelf: Shelf) -> ProjectList:
    return ProjectList(cast(Store, shelf), clock=lambda: shelf.now)


def test_a_text_becomes_projects() -> None:
    """The query that the store gets has whole paths."""
    shelf = Shelf({"/a/shop": 2, "/b/Shop": 1, "/a/web": 3})
    found = listed(shelf).resolve(Query("x", project="SHOP", kind="plan"))
    assert found == Query("x", kind="plan", projects=("/a/shop", "/b/Shop"))


def test_no_project_is_no_question() -> None:
    """Without a project nothing is asked of the store."""
    shelf = Shelf()
    assert listed(shelf).resolve(Query("x")) == Query("x")
    assert shelf.asked == 0


def test_the_list_is_kept_for_seconds() -> None:
    """A listing serves several questions; it is read anew when it is old, and before a text is refused."""
    shelf = Shelf({"/a/shop": 2})
    projects = listed(shelf)
    for _ in range(3):
        projects.resolve(Query("x", project="shop"))
    assert shelf.asked == 1
    shelf.counts["/a/web"] = 1
    assert projects.resolve(Query("x", project="web")).projects == ("/a/web",)
    assert shelf.asked == 2
    shelf.now += FRESH_S + 1
    projects.resolve(Query("x", project="web"))
    assert shelf.asked == 3
    with pytest.raises(UsageError) as caught:
        projects.resolve(Query("x", project="none"))
    assert caught.value.hint == "/a/shop (2), /a/web (1)"


def test_projects_travel_as_a_list() -> None:
    """What came over a socket is a value like others."""
    wire: Any = ["/a", "/b"]
    assert Query("x", projects=wire) == Query("x", projects=("/a", "/b"))
