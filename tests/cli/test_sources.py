"""`importer sources`: what is on this machine is listed without opening it, and one assistant can be left out."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from foreign_database import build
from processes import Importer

CORPUS = pathlib.Path(__file__).parents[1] / "corpus"


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    """Make a home with a database of OpenCode, a transcript of Cursor and a folder that cannot be read."""
    importer = Importer(tmp_path, embedded=True)
    home = pathlib.Path(importer.environment((), {})["HOME"])
    opencode, cursor = home / ".local/share/opencode", home / ".cursor/projects/mill/agent-transcripts/7c11"
    opencode.mkdir(parents=True)
    build(CORPUS / "opencode/opencode.db.sql", opencode)
    (opencode / "log").mkdir()
    (opencode / "log/today.txt").write_text("noise")
    cursor.mkdir(parents=True)
    source = CORPUS / "cursor/home-ann-mill/agent-transcripts/7c11/7c11.jsonl"
    (cursor / "7c11.jsonl").write_bytes(source.read_bytes())
    (home / ".codeium/windsurf/cascade").mkdir(parents=True)
    return importer


def listed(importer: Importer, **environ: str) -> dict[str, dict[str, Any]]:
    found = json.loads(importer.run("sources", "list", "--json", **environ).out)["sources"]
    return {one["name"]: one for one in found}


def test_each_assistant_is_listed_with_what_it_keeps(installed: Importer) -> None:
    """Only places that are there; files by their names, sizes, the newest time; what cannot be read with the reason."""
    found = listed(installed)
    assert set(found) == {"opencode", "cursor", "windsurf"}
    assert (found["opencode"]["files"], found["opencode"]["supported"], found["opencode"]["enabled"]) == (1, True, True)
    assert found["opencode"]["bytes"] > 4096
    assert found["opencode"]["newest"].endswith("Z")
    assert found["windsurf"]["supported"] is False
    assert "encrypted" in installed.run("sources").out


def test_one_that_is_disabled_is_not_imported(installed: Importer) -> None:
    """Until it is enabled again; the others are."""
    done = installed.run("sources", "disable", "cursor")
    assert (done.code, "left out" in done.out) == (0, True)
    assert listed(installed)["cursor"]["enabled"] is False
    assert json.loads(installed.run("backlog", "--json").out)["points"] == 3
    assert "already" in installed.run("sources", "disable", "cursor").out
    installed.run("sources", "enable", "cursor")
    assert listed(installed)["cursor"]["enabled"] is True
    assert json.loads(installed.run("backlog", "--json").out)["points"] == 4
    stores = installed.run("sources", "list", "--json").json["stores"]
    assert stores == installed.run("status", "--json").json["stores"]
    assert {name: one["chunks"] for name, one in stores.items()} == {"cursor": 1, "opencode": 3}
    shown = {row.split()[0]: row.split() for row in installed.run("sources").out.splitlines()[1:]}
    for name, one in stores.items():
        assert shown[name][7:11] == [str(one[what]) for what in ("messages", "chunks", "skipped", "unknown")]


def test_a_name_that_is_none_is_refused(installed: Importer) -> None:
    """With the names there are."""
    done = installed.run("sources", "disable", "clod")
    assert done.code == 2
    assert "opencode" in done.err


def test_folders_of_the_settings_go_first(installed: Importer) -> None:
    """Where the settings name folders, only these are imported, and the others are shown as off."""
    home = installed.environment((), {})["HOME"]
    found = listed(installed, IMPORTER_SOURCES=f"cursor={home}/.cursor/projects")
    assert found["cursor"]["enabled"] is True
    assert found["opencode"]["enabled"] is False
