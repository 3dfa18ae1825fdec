"""`install` writes our server into the settings of ten assistants, and `uninstall` gives every byte back."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import tomllib
from typing import Any

import pytest
from processes import Importer

from importer.assistants.wiring.editing import parsed
from importer.assistants.wiring.places import places

SETTINGS = {
    ".claude.json": '{"numStartups": 4,\n "mcpServers": {"other": {"command": "x"}}, // mine\n}',
    ".codex/config.toml": '# my codex\nmodel = "o"\n\n[mcp_servers.other]\ncommand = "x"',
    ".gemini/settings.json": '{\r\n\t"theme": "dark",\r\n\t"mcpServers": {\r\n\t\t"other": {}\r\n\t}\r\n}\r\n',
    ".qwen/settings.json": "{}",
    ".copilot/mcp-config.json": "",
    ".cursor/mcp.json": '\ufeff{"mcpServers":{}}\n',
    ".config/Code/User/mcp.json": '{\n    // servers of mine\n    "servers": {\n    },\n}\n',
    ".config/opencode/opencode.jsonc": '{\n  "$schema": "https://opencode.ai/config.json", /* x */\n  "b": 1\n}\n',
    ".codeium/windsurf/mcp_config.json": "{\n}\n",
    ".kiro/settings/mcp.json": '{"mcpServers": {"a": {"command": "b", "args": []}}}',
    ".lmstudio/mcp.json": "{ broken",
}
FOLDERS = (".claude", ".factory")  # of assistants that have no settings file yet
QUIET = ("--no-service", "--no-model", "--yes")


@pytest.fixture
def home(tmp_path: pathlib.Path) -> Importer:
    """Make a home with the settings of many assistants: comments, odd forms, a link, one that is read-only."""
    for name, text in SETTINGS.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    for name in FOLDERS:
        (tmp_path / name).mkdir(exist_ok=True)
    linked = tmp_path / "dotfiles" / "gemini.json"
    linked.parent.mkdir()
    (tmp_path / ".gemini/settings.json").rename(linked)
    (tmp_path / ".gemini/settings.json").symlink_to(linked)
    (tmp_path / ".cursor/mcp.json").chmod(0o640)
    (tmp_path / ".kiro/settings/mcp.json").chmod(0o400)
    return Importer(tmp_path, embedded=True)


def everything(importer: Importer) -> dict[str, Any]:
    """Return every file and folder of the home beside the state: bytes, links and modes."""
    found: dict[str, Any] = {}
    for path in sorted(importer.base.rglob("*")):
        if path.is_relative_to(importer.state):
            continue
        told = (
            os.readlink(path)
            if path.is_symlink()
            else hashlib.sha256(path.read_bytes()).hexdigest()
            if path.is_file()
            else ""
        )
        found[str(path.relative_to(importer.base))] = (told, oct(path.lstat().st_mode))
    return found


def test_there_and_back(home: Importer) -> None:
    """Each file is valid and has us; again changes nothing; afterwards every byte, link and mode is as before."""
    before = everything(home)
    dry = home.run("install", "--dry-run")
    assert dry.code == 0 and everything(home) == before and "+ " in dry.out
    done = home.run("install", *QUIET)
    assert done.code == 0, done.err
    wired = everything(home)
    found = {place.assistant: place for place in places({}, str(home.base))}
    for name, place in found.items():
        if name in ("kiro", "lm-studio", "claude-desktop"):
            continue
        text = pathlib.Path(place.path).read_bytes().decode()
        value: Any = parsed(text, place.kind)
        for member in place.member:
            value = value[member]
        entry = value["conversations"]
        words = entry["command"] if isinstance(entry["command"], list) else [entry["command"], *entry["args"]]
        assert os.path.isabs(words[0]) and words[-3:] == ["--state-dir", home.state, "mcp"]
        if name in ("claude-code", "codex", "gemini"):
            assert "other" in value
    assert tomllib.loads((home.base / ".codex/config.toml").read_text())["model"] == "o"
    assert json.loads((home.base / "dotfiles/gemini.json").read_text())["theme"] == "dark"
    assert "search_conversations" in (home.base / ".claude/skills/conversations/SKILL.md").read_text()
    assert "read-only" in done.out and "left as it is" in done.out
    assert home.run("install", *QUIET).code == 0 and everything(home) == wired
    gone = home.run("uninstall", "--yes")
    assert gone.code == 0, gone.err
    assert everything(home) == before


def test_edited_in_between(home: Importer) -> None:
    """What a person changed since stays; an entry that was changed is told, and left."""
    home.run("install", *QUIET)
    claude, cursor = home.base / ".claude.json", home.base / ".cursor/mcp.json"
    claude.write_text(claude.read_text().replace('"numStartups": 4', '"numStartups": 5'))
    cursor.write_text(cursor.read_text().replace('"mcp"', '"mcp", "-v"'))
    (home.base / ".claude/skills/conversations/mine.md").write_text("mine")
    done = home.run("uninstall", "--yes")
    assert claude.read_text() == SETTINGS[".claude.json"].replace("4", "5")
    assert "-v" in cursor.read_text() and "take the server conversations out by hand" in done.out
    assert (home.base / ".claude/skills/conversations/mine.md").exists()


def test_killed_between_two_files(home: Importer) -> None:
    """With a note of something that never happened, uninstalling still gives everything back."""
    before = everything(home)
    assert home.run("install", *QUIET, "--only", "codex").code == 0
    note = pathlib.Path(home.state) / "installed.json"
    assert note.stat().st_mode & 0o777 == 0o600
    told = json.loads(note.read_text())
    told[str(home.base / ".qwen/settings.json")] = {"inserted": "x" * 9, "created": False, "folders": []}
    note.write_text(json.dumps(told))
    assert home.run("install", *QUIET, "--only", "qwen").code == 0
    assert home.run("uninstall", "--yes").code == 0
    assert everything(home) == before and not note.exists()


def test_doctor_knows(home: Importer) -> None:
    """It tells an entry that is lost, and one whose program is gone."""

    def told() -> dict[str, Any]:
        found = home.run("doctor", "--json").json["checks"]
        (one,) = [check for check in found if check["name"] == "assistants"]
        return dict(one)

    assert told()["ok"] and "importer install" in told()["detail"]
    home.run("install", *QUIET)
    assert told()["ok"]
    qwen, cursor = home.base / ".qwen/settings.json", home.base / ".cursor/mcp.json"
    qwen.write_text("{}")
    cursor.write_text(cursor.read_text().replace('"command": "', '"command": "/gone'))
    after = told()
    assert not after["ok"] and str(qwen) in after["detail"] and str(cursor) in after["detail"]


def test_words(home: Importer) -> None:
    """An unknown name is refused with those there are; without a terminal there is nothing to ask on."""
    assert "codex" in home.run("install", "--only", "nosuch").err
    asked = home.run("install", "--no-service", "--no-model")
    assert asked.code == 2 and "--yes" in asked.err
    told = home.run("install", "--dry-run", "--json", "--only", "codex").json
    assert told["files"][0]["inserted"].startswith("\n\n[mcp_servers.conversations]")
    assert home.run("uninstall", "--yes").code == 0
