"""The drill: an older copy of state and store is put back, and nothing is lost, nothing is there twice."""

from __future__ import annotations

import pathlib
import shutil

import oracle
import pytest
from changing_files import World
from processes import Importer, idle, until

from importer.errors import DONE, QUARANTINED

SOCKETS = shutil.ignore_patterns("*.sock", "*.lock", "importer.wanted")


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    return Importer(tmp_path, embedded=True)


@pytest.fixture
def world(tmp_path: pathlib.Path) -> World:
    folder = tmp_path / "said"
    folder.mkdir()
    found = World(str(folder), 5, growing=True)
    grow(found)
    return found


def grow(world: World) -> None:
    """Let conversations begin and grow."""
    for _ in range(60):
        world.act()
    world.finish_lines()


def imported(installed: Importer, world: World) -> None:
    """Import all; damaged lines, of which there are some, go to the quarantine."""
    assert installed.run("backlog", world.folder).code in (DONE, QUARANTINED)


def check(installed: Importer, world: World) -> None:
    """Check that the store is what the files say, by the importer's own comparison and by the tests' oracle."""
    done = installed.run("verify", "--json")
    assert (done.code, done.json["missing"], done.json["extra"]) == (0, 0, 0), done.out
    wanted = oracle.expect(world.folder).chunks.keys()
    with oracle.opened(installed.state) as store:
        assert {point.id for point in store.scroll(limit=10_000).points} == wanted


def test_an_older_copy_of_the_state_directory(installed: Importer, world: World, tmp_path: pathlib.Path) -> None:
    """Copied while nothing ran, and while a paused daemon had it: put back, both read on from where they were."""
    kept = tmp_path / "kept"
    imported(installed, world)
    shutil.copytree(installed.state, kept, ignore=SOCKETS)
    grow(world)
    with installed.daemon("--source", f"auto={world.folder}"):
        until(lambda: idle(installed), seconds=60)
        installed.run("pause")
        shutil.copytree(installed.state, tmp_path / "paused", ignore=SOCKETS)
    check(installed, world)
    for copy in (kept, tmp_path / "paused"):
        shutil.rmtree(installed.state)
        copy.rename(installed.state)
        imported(installed, world)
        check(installed, world)


@pytest.mark.long
def test_an_older_store_under_a_newer_state(installed: Importer, world: World, tmp_path: pathlib.Path) -> None:
    """What is missing is told, and brought back by a repair."""
    imported(installed, world)
    shutil.copytree(f"{installed.state}/edge", tmp_path / "edge")
    grow(world)
    imported(installed, world)
    until(lambda: not installed.answerer_pids())
    shutil.rmtree(f"{installed.state}/edge")
    (tmp_path / "edge").rename(f"{installed.state}/edge")
    found = installed.run("verify", "--json")
    assert found.code == 1
    assert found.json["missing"] > 0
    assert installed.run("verify", "--repair", "--json").code == 0
    check(installed, world)


@pytest.mark.long
def test_a_copy_by_migrate_is_a_backup(installed: Importer, world: World, tmp_path: pathlib.Path) -> None:
    """Made while the daemon runs; put in place of a store that is lost, it is as good. `doctor` tells its age."""
    copy = f"edge:{tmp_path}/copy"
    with installed.daemon("--source", f"auto={world.folder}"):
        until(lambda: idle(installed), seconds=60)
        assert installed.run("migrate", "--to", copy).code == 0
    (told,) = (one for one in installed.run("doctor", "--json").json["checks"] if one["name"] == "backup")
    assert told["detail"].startswith(str(tmp_path / "copy")) or told["detail"].startswith(copy)
    until(lambda: not installed.answerer_pids())
    shutil.rmtree(f"{installed.state}/edge")
    (tmp_path / "copy").rename(f"{installed.state}/edge")
    imported(installed, world)
    check(installed, world)
