"""`uninstall` knows what is ours without a readable note, and deletes state and models only if asked for."""

from __future__ import annotations

import os
import pathlib

import pytest
import settings_home
from processes import Importer
from settings_home import LEFT, QUIET

from importer.assistants.wiring.editing import parsed
from importer.assistants.wiring.places import places


@pytest.fixture
def home(tmp_path: pathlib.Path) -> Importer:
    """Make a home with the settings of many assistants."""
    return settings_home.made(tmp_path)


def test_a_damaged_note(home: Importer) -> None:
    """It is told, set aside, and what is ours is known by the program that it starts."""
    home.run("install", *QUIET, "--hook")
    note = pathlib.Path(home.state) / "installed.json"
    note.write_bytes(note.read_bytes()[:99])
    done = home.run("uninstall", "--yes")
    assert done.code == 0 and "cannot be read" in done.err and not note.exists()
    for place in places({}, str(home.base)):
        if os.path.exists(place.path) and place.assistant not in LEFT:
            value = parsed(pathlib.Path(place.path).read_bytes().decode(), place.kind)
            assert place.spot.entry_in(value) is None
    assert not (home.base / ".claude/skills/conversations/SKILL.md").exists()
    assert "importer" not in (home.base / ".claude/settings.json").read_text()
    assert "x" in (home.base / ".claude.json").read_text()
    assert "nothing was installed" in home.run("uninstall", "--yes").err


def test_everything_goes_if_asked_for(home: Importer) -> None:
    """State and models that are ours are deleted, what else lies there stays, and is told."""
    models = home.base / "models"
    (models / "a--model").mkdir(parents=True)
    (models / "a--model/manifest.json").write_text("{}")
    (models / "mine").mkdir()
    home.run("install", *QUIET, "--only", "qwen")
    state = pathlib.Path(home.state)
    (state / "edge").mkdir()
    (state / "checkpoints.sqlite3").write_text("")
    (state / "notes.txt").write_text("mine")
    dry = home.run("uninstall", "--state", "--model", "--dry-run", IMPORTER_MODEL_DIR=str(models))
    assert "notes.txt stays" in dry.out and (state / "edge").exists()
    assert "what was imported" in home.run("uninstall", "--dry-run").out
    done = home.run("uninstall", "--state", "--model", "--yes", IMPORTER_MODEL_DIR=str(models))
    assert done.code == 0, done.err
    assert sorted(path.name for path in state.iterdir()) == ["notes.txt"]
    assert [path.name for path in models.iterdir()] == ["mine"]


def test_state_in_use_stays(home: Importer) -> None:
    """Beside a daemon nothing of the state is deleted."""
    with home.daemon():
        done = home.run("uninstall", "--state", "--yes")
        assert done.code == 3 and "is at work" in done.err
    assert (pathlib.Path(home.state) / "checkpoints.sqlite3").exists()
