"""Other programs start this one by an absolute path, and are told the settings that they would not see."""

from __future__ import annotations

import os
from typing import Any

import pytest

from importer.cli.services import started
from importer.errors import UsageError
from importer.settings.load import load

HOME = "/home/ann"
STATE = f"{HOME}/.local/state/importer"


def flags(group: dict[str, str], environ: dict[str, str], document: dict[str, Any] | None = None) -> list[str]:
    """Return the flags for what is typed, the environment and a settings file."""
    names = {"state_dir": "state_dir", "store": "store.location"}
    given = {names[name]: value for name, value in group.items() if name in names}
    loaded = load(given, environ, document or {}, home=HOME, host="h", keys={}, file=group.get("config", ""))
    return started.flags(group, loaded, environ, HOME)


@pytest.mark.parametrize(
    ("group", "environ", "said"),
    [
        ({}, {}, []),
        ({}, {"XDG_STATE_HOME": "/var/x"}, ["--state-dir", "/var/x/importer"]),
        ({}, {"IMPORTER_STATE_DIR": "/s"}, ["--state-dir", "/s"]),
        ({"state_dir": STATE}, {}, []),
        ({"state_dir": "rel"}, {}, ["--state-dir", os.path.abspath("rel")]),
        ({"config": "my.toml"}, {}, ["--config", os.path.abspath("my.toml")]),
        ({}, {"IMPORTER_CONFIG": "/c.toml"}, ["--config", "/c.toml"]),
        ({"store": "local:rel"}, {}, ["--store", f"local:{os.path.abspath('rel')}"]),
        ({}, {"QDRANT_URL": "http://q:6333"}, ["--store", "http://q:6333"]),
        ({"store": "edge"}, {}, []),
        ({"store": "edge", "config": "/c.toml"}, {}, ["--config", "/c.toml", "--store", "edge"]),
    ],
)
def test_flags(group: dict[str, str], environ: dict[str, str], said: list[str]) -> None:
    """What is typed or comes from the environment is said; what is so anyway is not."""
    assert flags(group, environ) == said


def test_a_settings_file_speaks_for_itself() -> None:
    """Its own settings are read by the one that is started, from the same file."""
    told = flags({"config": "/c.toml"}, {}, {"state_dir": "/s", "store": {"location": "local:/p"}})
    assert told == ["--config", "/c.toml"]


@pytest.mark.parametrize(
    "prefix",
    [
        f"{HOME}/.cache/uv/archive-v0/x1",
        "/data/uv/archive-v0/y",
        f"{HOME}/.cache/pipx/z",
        f"{HOME}/Library/Caches/uv/a",
    ],
)
def test_a_cache_is_no_place_to_start_from(prefix: str) -> None:
    """What `uvx` and `pipx run` start is gone one day."""
    with pytest.raises(UsageError, match="cache"):
        started.check_lasting(prefix)
    started.check_lasting(f"{HOME}/.local/share/uv/tools/conversation-importer")
    started.check_lasting(f"{HOME}/.local/share/pipx/venvs/conversation-importer")
