"""A machine with the stores of every assistant: one run imports all, says so by store, and leaves no trace in them."""

from __future__ import annotations

import pathlib

import pytest
from many_stores import make, picture
from processes import Done, Importer

AT_LEAST = 30  # assistants with places of their own


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Importer:
    """Give an installation whose state is not in the home that it reads."""
    return Importer(tmp_path, embedded=True)


def test_all_are_imported_in_one_run(machine: Importer) -> None:
    """`sources`, the summary and `status` tell each store; a second run embeds nothing; the owners' files stay."""
    home = machine.base / "home"
    home.mkdir()
    stores = make(home)
    assert len(stores) >= AT_LEAST
    before = picture(home)

    def run(*words: str) -> Done:
        done = machine.run(*words, HOME=str(home), XDG_CACHE_HOME=str(machine.base / "cache"))
        assert done.code == 0, done.err
        return done

    told = run("backlog", "--json").json
    assert told["files_pending"] == told["files_refused"] == told["quarantined"] == 0, told
    assert set(stores) <= set(told["stores"]), sorted(set(stores) - set(told["stores"]))
    for name in stores:
        of = told["stores"][name]
        assert of["files"] and of["messages"] and of["chunks"], (name, of)
        assert of["lines"] >= of["skipped"] and not of["unknown"], (name, of)
    again = run("backlog", "--json").json
    assert (again["embedded"], again["stores"]) == (0, told["stores"])
    status = run("status", "--json").json
    assert (status["stores"], status["suspicious"]) == (told["stores"], [])
    shown = run("status").out
    assert all(f" {name} " in shown for name in stores)
    listed = run("sources", "list", "--json").json
    assert listed["stores"] == told["stores"]
    found = {one["name"]: one for one in listed["sources"]}
    assert set(stores) <= set(found)
    assert all(found[name]["files"] and found[name]["enabled"] for name in stores)
    assert picture(home) == before
