"""Filters of a scope on what chunks carry, in every engine alike: branch, files, tools, model, host, kinds left out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from numbered_points import KINDS, identity, made, openers, vector
from store_questions import hits

from importer.protocol.query import Query
from importer.worker.stores import Scope, Store
from importer.worker.stores.filters import has_file

CARRIED = [
    {
        "git_branch": "main",
        "files": ["/srv/shop/src/app.py", "README.md"],
        "tools": ["Bash", "Edit"],
        "model": "opus-4",
        "roles": ["user", "assistant"],
    },
    {"git_branch": "maintenance", "files": ["/srv/shop/src/app.py.bak"], "tools": ["BashOutput"], "model": "opus-4-1"},
    {"git_branch": "main", "files": ["C:\\shop\\app.py"], "host": "there", "kind": "subagent"},
    {
        "files": ["/srv/shop/myapp.py", "/srv/other/src/app.py"],
        "tools": ["Edit"],
        "kind": "summary",
        "roles": ["assistant"],
    },
    {},
]
ASKED = [
    ({"branch": "main"}, {0, 2}),
    ({"branch": "mai"}, set()),
    ({"tool": "Bash"}, {0}),
    ({"tool": "Edit"}, {0, 3}),
    ({"model": "opus-4"}, {0}),
    ({"host": "there"}, {2}),
    ({"role": "assistant"}, {0, 3}),
    ({"role": "user"}, {0}),
    ({"file": "app.py"}, {0, 2, 3}),
    ({"file": "src/app.py"}, {0, 3}),
    ({"file": "/srv/shop/src/app.py"}, {0}),
    ({"file": "README.md"}, {0}),
    ({"file": "srv"}, set()),
    ({"without_kind": ("subagent",)}, {0, 1, 3, 4}),
    ({"without_kind": ("exchange", "summary")}, {2}),
    ({"without_kind": ("exchange",), "kind": "exchange"}, set()),
    ({"branch": "main", "file": "app.py", "without_kind": ("subagent",)}, {0}),
]
IDS = [" ".join(f"{name}={value}" for name, value in asked.items()) for asked, _ in ASKED]


@pytest.fixture(scope="module", params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Fill a store of each kind with a point for each of CARRIED."""
    for opener in openers(request.param, str(tmp_path_factory.mktemp("filtered"))):
        filled = opener()
        filled.write([made(number, "said of the boat", **carried) for number, carried in enumerate(CARRIED)], {}, [])
        yield filled


@pytest.mark.parametrize("mode", ["dense", "keyword", "hybrid"])
@pytest.mark.parametrize(("asked", "expected"), ASKED, ids=IDS)
def test_a_search_finds_what_carries_it_and_nothing_else(
    store: Store, asked: dict[str, object], expected: set[int], mode: str
) -> None:
    """Values are compared whole, a file by its path or the end of it."""
    found = hits(store, Query("boat", mode=mode, **asked), vector(1))  # type: ignore[arg-type]
    assert {hit.id for hit in found} == {identity(number) for number in expected}


@pytest.mark.parametrize(("asked", "expected"), [one for one in ASKED if "file" not in one[0]])
def test_a_scope_counts_them(store: Store, asked: dict[str, object], expected: set[int]) -> None:
    """Counting and reading agree with searching."""
    scope = Scope(**asked)  # type: ignore[arg-type]
    assert store.count(scope) == len(expected)
    assert {point.id for point in store.scroll(None, 100, scope=scope).points} == {identity(n) for n in expected}


@pytest.mark.parametrize("facts", [{}, {"files": None}, {"files": "/srv/app.pyc"}, {"files": [7, "/srv/my-app.py"]}])
def test_metadata_of_other_programs_name_no_file(facts: dict[str, object]) -> None:
    """What is no list of texts is no error."""
    assert not has_file(facts, "app.py")
    assert has_file(facts, "")
