"""States of all earlier schemas open, and go on; one of a later schema is refused, with the way back.

The states were written by the importers of their time, from the same files as `state-before-rooms`, whose schema is 2:
`older-schemas` has the databases of the others, without their stores; `state-before-projects` is a whole one, of schema
4, with a conversation in a worktree that was a project of its own then; `state-before-leads` is one of schema 8, with
two long answers to prompts whose first line says nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import tarfile
from typing import Any

import pytest
from portions import portion
from processes import Importer, idle, until

from importer.errors import STATE, STORE
from importer.state import schema

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures"
WITHOUT_STORES = (1, 3, 4, 5, 6, 7, 8, 9)
WHOLE = {2, 4, 8}
FORGOTTEN = "c3789b90-d08e-44fe-8e4a-06bce888ede4"
REPOSITORY = "/home/zoë/thesis"


def unpacked(archive: str, folder: pathlib.Path, *names: str) -> None:
    """Unpack an archive of the fixtures, all of it or what begins with these names."""
    with tarfile.open(FIXTURES / archive) as packed:
        members = [one for one in packed.getmembers() if not names or one.name.startswith(names)]
        packed.extractall(folder, members, filter="data")


def at(folder: pathlib.Path, model_dir: str) -> Importer:
    environ = {"IMPORTER_MODEL_DIR": os.path.dirname(model_dir), "IMPORTER_HOST": "old-machine", "HF_HUB_OFFLINE": "1"}
    return Importer(folder, environ, embedded=True)


def version(installed: Importer) -> int:
    with contextlib.closing(sqlite3.connect(f"{installed.state}/checkpoints.sqlite3")) as database:
        return schema.version(database)


def test_every_earlier_schema_has_its_state() -> None:
    """A new schema's predecessor is to be added here, written by the importer that had it."""
    assert WHOLE | set(WITHOUT_STORES) >= set(range(1, len(schema.MIGRATIONS)))


@pytest.mark.parametrize("old", portion(WITHOUT_STORES, 4))
def test_a_state_of_an_earlier_schema_goes_on(tmp_path: pathlib.Path, model_dir: str, old: int) -> None:
    """It can be looked at as it is; the first command that writes brings it up to date.

    Its store is missed and can be rebuilt; what was forgotten stays away, and the quarantine is kept.
    """
    unpacked("state-before-rooms.tar.xz", tmp_path, ".claude", ".codex", ".gemini")
    unpacked("older-schemas.tar.xz", tmp_path, f"v{old}/")
    shutil.move(tmp_path / f"v{old}" / "state", tmp_path / "state")
    installed = at(tmp_path, model_dir)
    told = installed.run("status", "--json")
    assert (told.code, version(installed)) == (0, old), told.err
    assert (told.json["quarantine"], told.json["lines"]["quarantined"]) == (1, 1)
    assert installed.run("backlog").code == STORE  # which is another one than that which it was imported into
    assert installed.run("failures", "--json").json["count"] == 1
    done = installed.run("rebuild-state", "--json")
    assert done.code == 1, done.err  # the line in quarantine
    assert (done.json["points"], done.json["embedded"]) == (9, 9)
    assert version(installed) == len(schema.MIGRATIONS)
    (rule,) = installed.run("forget", "--list", "--json").json["forgotten"]
    assert rule["conversation"] == FORGOTTEN
    assert installed.run("verify", "--json").json["ok"]
    assert installed.run("list", "--json").json["conversations"]


def test_a_state_of_a_later_schema_is_refused_with_the_way_back(tmp_path: pathlib.Path, model_dir: str) -> None:
    """By every command that opens it, in plain words and with exit code 3; not a byte of it changes."""
    unpacked("state-before-rooms.tar.xz", tmp_path)
    path = tmp_path / "state" / "checkpoints.sqlite3"
    newer = len(schema.MIGRATIONS) + 1
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(f"PRAGMA user_version = {newer}")
    before = path.read_bytes()
    installed = at(tmp_path, model_dir)
    for command in (("backlog",), ("status",), ("run",), ("list",), ("verify",), ("forget", "--project", "x")):
        done = installed.run(*command)
        assert done.code == STATE, (command, done)
        assert f"version {newer}" in done.err and "update the importer" in done.err, (command, done.err)
        assert "Traceback" not in done.err
    assert path.read_bytes() == before


def projects(installed: Importer) -> dict[str, int]:
    """Return how many conversations each project has."""
    done = installed.run("projects", "--json")
    assert done.code == 0, done.err
    return {one["project"]: one["conversations"] for one in done.json["projects"]}


def in_repository(installed: Importer) -> list[dict[str, Any]]:
    """Return what a search finds in the repository, the best first."""
    done = installed.run("search", "--json", "--project", REPOSITORY, "bibliography umlauts")
    return list(done.json["hits"]) if done.code == 0 else []


@pytest.mark.parametrize("daemon", [False, True])
def test_projects_move_while_search_answers(tmp_path: pathlib.Path, model_dir: str, daemon: bool) -> None:
    """What was a project of its own joins its repository, by a backlog or by a daemon; nothing is embedded for it."""
    unpacked("state-before-projects.tar.xz", tmp_path)
    installed = at(tmp_path, model_dir)
    if daemon:
        with installed.daemon():
            found = installed.run("search", "--json", "bibliography umlauts")
            assert (found.code, len(found.json["hits"])) == (0, 2)
            until(lambda: idle(installed))
            until(lambda: set(projects(installed)) == {REPOSITORY}, every_s=0.3)
            until(lambda: len(in_repository(installed)) == 2, every_s=0.3)
            assert json.loads(installed.run("status", "--json").out)["points"] == 2
    else:
        told = installed.run("backlog", "--json").json
        assert (told["points"], told["embedded"]) == (2, 0)
        assert set(projects(installed)) == {REPOSITORY}
    hits = in_repository(installed)
    assert [hit["metadata"]["project"] for hit in hits] == [REPOSITORY] * 2
    assert hits[0]["metadata"]["cwd"].endswith("/.claude/worktrees/cite")


def test_projects_move_without_their_files(tmp_path: pathlib.Path, model_dir: str) -> None:
    """Assistants expire transcripts: what is stored of one joins its repository all the same."""
    unpacked("state-before-projects.tar.xz", tmp_path)
    shutil.rmtree(tmp_path / ".claude")
    installed = at(tmp_path, model_dir)
    told = installed.run("backlog", "--json").json
    assert (told["points"], told["embedded"]) == (2, 0)
    hits = installed.run("search", "--json", "bibliography umlauts").json["hits"]
    assert [hit["metadata"]["project"] for hit in hits] == [REPOSITORY] * 2


PIECES, LED = 10, 6  # points, and those of them that begin with the line of a prompt
LEADS = ("Move the tide tables from CSV files to SQLite\n", "sqlite3.OperationalError: database is locked, when")
SEAMS = ("leads.mended=kill", "leads.mended=kill@2", "leads.erased=kill", "leads.switched=kill")


def led(installed: Importer) -> int:
    """Return how many of the hits begin with a line that says what they are about."""
    found = [installed.run("search", "--json", "--limit", "20", word).json["hits"] for word in ("tides", "kites")]
    return len({hit["id"] for hits in found for hit in hits if hit["document"].startswith(LEADS)})


@pytest.mark.parametrize("killed", [SEAMS[1:2], pytest.param(SEAMS, marks=pytest.mark.long)])
def test_pieces_are_moved_to_a_line_that_says_something(
    tmp_path: pathlib.Path, model_dir: str, killed: tuple[str, ...]
) -> None:
    """By a backlog that is killed at any place, too: none is left out, none is there twice, and no file is imported."""
    unpacked("state-before-leads.tar.xz", tmp_path)
    installed = at(tmp_path, model_dir)
    for seam in killed:
        assert installed.run("backlog", IMPORTER_FAILPOINTS=seam).code != 0, seam
    told = installed.run("backlog", "--json").json
    assert (told["points"], told["embedded"]) == (PIECES, 0)
    found = installed.run("verify", "--json").json
    assert (found["ok"], found["matching"], found["kept"], led(installed)) == (True, PIECES, 0, LED), found


@pytest.mark.long
def test_pieces_are_moved_by_a_daemon_while_search_answers(tmp_path: pathlib.Path, model_dir: str) -> None:
    """Both conversations are found all the while."""
    unpacked("state-before-leads.tar.xz", tmp_path)
    installed = at(tmp_path, model_dir)
    with installed.daemon():
        seen = list[int]()

        def moved() -> bool:
            found = installed.run("search", "--json", "--mode", "keyword", "harbour before the engine")
            assert (found.code, len({hit["metadata"]["conversation_id"] for hit in found.json["hits"]})) == (0, 2)
            seen.append(led(installed))
            return seen[-1] == LED

        until(moved, 90, 0.3)
        assert json.loads(installed.run("status", "--json").out)["points"] == PIECES
    assert seen[0] == 0
    assert installed.run("verify", "--json").json["ok"]
