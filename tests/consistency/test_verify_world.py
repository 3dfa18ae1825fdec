"""`verify` finds nothing wrong with a store after any changes of the files between two imports."""

from __future__ import annotations

import pathlib

import pytest
from changing_files import World
from processes import Importer

ROUNDS, ACTS = 6, 15


@pytest.mark.parametrize(("seed", "growing"), [pytest.param(2, True, marks=pytest.mark.long), (9, False)])
def test_a_healthy_store_is_called_healthy(tmp_path: pathlib.Path, seed: int, growing: bool) -> None:
    """Forks, copies and links share points that any of them may outgrow; what was truncated or deleted is kept."""
    (tmp_path / "said").mkdir()
    world, importer = World(str(tmp_path / "said"), seed, growing=growing), Importer(tmp_path)
    for _ in range(ROUNDS):
        for _ in range(ACTS):
            world.act()
        importer.run("backlog", str(tmp_path / "said"))
        found = importer.run("verify", "--json").json
        assert {name: found[name] for name in ("missing", "differing", "extra")} == dict.fromkeys(
            ("missing", "differing", "extra"), 0
        ), (dict(world.acts), found)
    assert found["matching"] > 50
