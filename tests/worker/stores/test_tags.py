"""Embedded stores of versions that tagged less: filters hold all the while, and then go by the index."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import qdrant_edge
from numbered_points import Opener, everything, identity, made, openers, vector
from store_questions import hits

from importer.protocol.query import Query
from importer.worker.stores.edge import store
from importer.worker.stores.edge.shard import TAGGED, TAGS
from importer.worker.stores.edge.values import LATER, NAME, EdgeDialect, tags

pytestmark = pytest.mark.slow

edge: Any = qdrant_edge
COUNT = 300
ASKED = [
    {"branch": "topic"}, {"tool": "Bash"}, {"model": "opus"}, {"role": "assistant"}, {"file": "app.py"},
    {"file": "/srv/shop/src/app.py"}, {"file": "shop/src/app.py", "branch": "topic"}, {"file": "src/"},
]  # fmt: skip


def carried(n: int) -> dict[str, Any]:
    """What point `n` carries."""
    files = [["/srv/shop/src/app.py"], ["/srv/shop/src/app.py.bak"], ["C:\\shop\\src\\app.py", "README.md"]][n % 3]
    roles = ["user", "assistant"] if n % 2 else ["user"]
    branch = "topic" if n % 7 == 0 else "main"
    return {
        "git_branch": branch,
        "tools": ["Bash"] if n % 5 == 0 else [],
        "model": "opus",
        "roles": roles,
        "files": files,
    }


@pytest.fixture
def opener(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opener]:
    monkeypatch.setattr(store, "SMALL_POINTS", 0)  # so that what is small here is not done at once
    yield from openers("edge", str(tmp_path / "store"))


def without(tags: list[str]) -> list[str]:
    """Return the tags that the version before wrote."""
    later = (*(f"{key}=" for key in LATER), f"{NAME}=")
    return [tag for tag in tags if not tag.startswith(later)]


def older(opener: Opener, tmp_path: Any) -> Any:
    """A store as the version before left it."""
    found: Any = opener()
    found.write([made(n, **carried(n)) for n in range(COUNT)], {}, [])
    records, _ = found._shard.scroll(edge.ScrollRequest(limit=COUNT, with_payload=True, with_vector=True))
    points = [edge.Point(str(one.id), one.vector, {**one.payload, TAGS: without(one.payload[TAGS])}) for one in records]
    found._shard.update(edge.UpdateOperation.upsert_points(points))
    found.close()
    (folder,) = os.listdir(tmp_path / "store")
    os.unlink(tmp_path / "store" / folder / TAGGED)
    return opener()


def answers(found: Any) -> list[set[str]]:
    return [{hit.id for hit in hits(found, Query("x", limit=2 * COUNT, **asked), vector(5))} for asked in ASKED]


def test_filters_hold_at_every_step(opener: Opener, tmp_path: Any) -> None:
    """Points with and without the new tags are found alike, those too that are written meanwhile."""
    found = older(opener, tmp_path)
    wanted = answers(found)
    assert [len(one) for one in wanted[:2]] == [43, 60] and wanted[7] == set()
    assert not found._tags.done
    found.write([made(COUNT, **carried(0))], {}, [])
    wanted = [ids | ({identity(COUNT)} if identity(0) in ids else set()) for ids in wanted]
    steps = 1
    while found.upkeep():
        assert answers(found) == wanted
        steps += 1
    assert steps > 1 and found._tags.done and answers(found) == wanted
    found.close()
    again: Any = opener()
    assert again._tags.done and not again.upkeep() and answers(again) == wanted
    assert all(not {TAGS} & {*point.payload} for point in everything(again).values())


def test_a_fresh_store_goes_by_tags(opener: Opener) -> None:
    """Its filters name no key that would be read in every point."""
    found: Any = opener()
    assert found._tags.done and not found.upkeep()
    dialect = EdgeDialect(tagged=True)
    assert all(dialect.equal((key,), "x").key == TAGS for key in LATER)
    assert dialect.named("src/app.py") is not None and dialect.named("src/") is None
    assert EdgeDialect(tagged=False).named("app.py") is None


def test_tags_of_metadata() -> None:
    """Each value of a list has one, none comes twice, and a file is tagged by its last name."""
    known = {"tools": ["Bash", "Edit"], "files": ["/a/app.py", "C:\\b\\app.py"], "kind": "exchange", "model": None}
    assert sorted(tags(known)) == ["kind=exchange", "name=app.py", "tools=Bash", "tools=Edit"]
