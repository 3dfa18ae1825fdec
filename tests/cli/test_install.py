"""`install` writes our server into the settings of many assistants, and `uninstall` gives every byte back."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import shutil
import tomllib
from typing import Any

import pytest
import settings_home
from processes import Importer
from settings_home import FOLDERS, LEFT, QUIET, SETTINGS

from importer.assistants.wiring.editing import parsed
from importer.assistants.wiring.places import places
from importer.assistants.wiring.spot import words_of
from importer.cli.doctor.finding import Finding
from importer.cli.doctor.wiring import check_wiring, gather


@pytest.fixture
def home(tmp_path: pathlib.Path) -> Importer:
    """Make a home with the settings of many assistants."""
    return settings_home.made(tmp_path)


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
    found = [place for place in places({}, str(home.base)) if os.path.exists(place.shows)]
    assert len(found) == len(SETTINGS) + len(FOLDERS) - 1  # Claude Code has both
    for place in found:
        if place.assistant in LEFT:
            continue
        value: Any = parsed(pathlib.Path(place.path).read_bytes().decode(), place.kind)
        words = words_of(place.spot.entry_in(value))
        assert os.path.isabs(words[0]) and words[-3:] == ["--state-dir", home.state, "mcp"]
        if place.assistant in ("claude-code", "codex", "gemini"):
            assert "other" in value[place.member[0]]
    assert tomllib.loads((home.base / ".codex/config.toml").read_text())["model"] == "o"
    assert json.loads((home.base / "dotfiles/gemini.json").read_text())["theme"] == "dark"
    assert "search_conversations" in (home.base / ".claude/skills/conversations/SKILL.md").read_text()
    assert "search_conversations" in (home.base / ".agents/skills/conversations/SKILL.md").read_text()
    assert "read-only" in done.out and "left as it is" in done.out
    assert '|     "conversations": {' in done.out.partition("Kiro")[2]  # lines to be added by hand
    assert home.run("install", *QUIET).code == 0 and everything(home) == wired
    gone = home.run("uninstall", "--yes")
    assert gone.code == 0, gone.err
    assert everything(home) == before


def test_edited_in_between(home: Importer) -> None:
    """What a person changed since stays; an entry that starts another program by now is left."""
    home.run("install", *QUIET)
    claude, cursor = home.base / ".claude.json", home.base / ".cursor/mcp.json"
    claude.write_text(claude.read_text().replace('"numStartups": 4', '"numStartups": 5'))
    cursor.write_text(cursor.read_text().replace('"mcp"', '"mcp", "-v"'))
    (home.base / ".claude/skills/conversations/mine.md").write_text("mine")
    qwen = home.base / ".qwen/settings.json"
    qwen.write_text(qwen.read_text().replace("importer", "npx").replace('"-m", "npx"', '"x"').replace("python", "npx"))
    done = home.run("uninstall", "--yes")
    assert done.code == 0, done.err
    assert claude.read_text() == SETTINGS[".claude.json"].replace("4", "5")
    assert cursor.read_bytes().decode() == SETTINGS[".cursor/mcp.json"]  # what was added to our entry went with it
    assert "npx" in qwen.read_text()  # another program's by now
    assert (home.base / ".claude/skills/conversations/mine.md").exists()


def test_killed_between_two_files(home: Importer) -> None:
    """With a note of something that never happened, uninstalling still gives everything back."""
    before = everything(home)
    assert home.run("install", *QUIET, "--only", "codex").code == 0
    note = pathlib.Path(home.state) / "installed.json"
    assert note.stat().st_mode & 0o777 == 0o600
    told = json.loads(note.read_text())
    assert all(one["done"] for one in told.values())
    told[str(home.base / ".qwen/settings.json")] = {"inserted": "x" * 9, "created": False, "folders": []}
    note.write_text(json.dumps(told))
    assert home.run("install", *QUIET, "--only", "qwen").code == 0
    assert home.run("uninstall", "--yes").code == 0
    assert everything(home) == before and not note.exists()


def assistants_told(home: Importer) -> Finding:
    """Return what `doctor` tells of the assistants."""
    return check_wiring(gather(home.state, {}, str(home.base)))


def test_doctor_knows(home: Importer) -> None:
    """It tells an entry that is lost, one whose program is gone, and assistants that came later."""
    told = assistants_told(home)
    assert told.ok and "gives it to Claude Code, " in told.detail
    assert "Kiro" not in told.detail and "LM Studio" not in told.detail  # read-only, and broken
    home.run("install", *QUIET)
    told = assistants_told(home)
    assert told.ok and "importer install" not in told.detail
    (home.base / ".openhands").mkdir()
    qwen, cursor = home.base / ".qwen/settings.json", home.base / ".cursor/mcp.json"
    qwen.write_text("{}")
    cursor.write_text(cursor.read_text().replace('"command": "', '"command": "/gone'))
    after = assistants_told(home)
    assert not after.ok and str(qwen) in after.detail and str(cursor) in after.detail
    assert home.run("install", *QUIET).code == 0
    assert assistants_told(home).ok and (home.base / ".openhands/mcp.json").exists()


def test_a_lost_state_and_an_interpreter_that_is_gone(home: Importer) -> None:
    """`doctor` sees it without the note of what was installed, and what it advises mends it."""
    home.run("install", *QUIET, "--only", "qwen")
    qwen = home.base / ".qwen/settings.json"
    script = home.base / "bin/importer"
    script.parent.mkdir()
    script.write_text(f"#!{home.base}/venv/bin/python\n")
    script.chmod(0o755)
    settings = json.loads(qwen.read_text())
    settings["mcpServers"]["conversations"].update(command=str(script), args=["mcp"])
    qwen.write_text(json.dumps(settings))
    shutil.rmtree(home.state)
    told = assistants_told(home)
    assert not told.ok and f"{qwen} starts a program that is gone" in told.detail
    assert told.fix == "importer install"
    assert home.run("install", *QUIET, "--only", "qwen").code == 0
    assert str(script) not in qwen.read_text() and assistants_told(home).ok


def test_words(home: Importer) -> None:
    """An unknown name is refused with those there are; without a terminal there is nothing to ask on."""
    assert "codex" in home.run("install", "--only", "nosuch").err
    asked = home.run("install", "--no-service", "--no-model")
    assert asked.code == 2 and "--yes" in asked.err
    told = home.run("install", "--dry-run", "--json", "--only", "codex").json
    assert told["files"][0]["inserted"].startswith("\n\n[mcp_servers.conversations]")
    assert home.run("uninstall", "--yes").code == 0


def test_flags_of_this_command_are_the_server_s(home: Importer) -> None:
    """The settings file and the store that are in effect here are said to the server, from any folder."""
    config = home.base / "my.toml"
    config.write_text("")
    done = home.run("--config", os.path.relpath(config), "--store", "local:rel", "install", *QUIET, "--only", "qwen")
    assert done.code == 0, done.err
    args = json.loads((home.base / ".qwen/settings.json").read_text())["mcpServers"]["conversations"]["args"]
    assert args[-7:-1] == [
        "--config",
        str(config),
        "--state-dir",
        home.state,
        "--store",
        f"local:{os.path.abspath('rel')}",
    ]
    home.run("install", *QUIET, "--only", "qwen", QDRANT_URL="http://127.0.0.1:6333", COLLECTION_NAME="mine")
    args = json.loads((home.base / ".qwen/settings.json").read_text())["mcpServers"]["conversations"]["args"]
    assert args[-3:] == ["--store", "http://127.0.0.1:6333", "mcp"] and "--config" not in args
    told = home.run("install", "--dry-run", COLLECTION_NAME="mine")
    assert "may not see COLLECTION_NAME" in told.out
    assert home.run("uninstall", "--yes").code == 0
    assert (home.base / ".qwen/settings.json").read_text() == "{}"


def test_an_old_program_is_renewed(home: Importer) -> None:
    """An entry of a former place of this program is brought up to date, and everything is given back all the same."""
    before = everything(home)
    home.run("install", *QUIET)
    wired = everything(home)
    note = pathlib.Path(home.state) / "installed.json"
    names = [path for path, one in json.loads(note.read_text()).items() if "/bin/" in one["inserted"]]
    for path in map(pathlib.Path, (*names, str(note))):  # as an earlier version, elsewhere, wrote them
        path.write_bytes(path.read_bytes().replace(b"/bin/", b"/gone/"))
    done = home.run("install", *QUIET)
    assert done.out.count("to be renewed") == len(names) and everything(home) == wired
    assert home.run("uninstall", "--yes").code == 0
    assert everything(home) == before


def test_an_old_skill_is_renewed(home: Importer) -> None:
    """A text of an earlier version is written anew; one that a person has changed is theirs."""
    home.run("install", *QUIET)
    claude = home.base / ".claude/skills/conversations/SKILL.md"
    shared = home.base / ".agents/skills/conversations/SKILL.md"
    text = claude.read_text()
    note = pathlib.Path(home.state) / "installed.json"
    told = json.loads(note.read_text())
    told[str(claude)]["inserted"] = "an older text"
    note.write_text(json.dumps(told))
    claude.write_text("an older text")
    shared.write_text(text + "mine")
    done = home.run("install", *QUIET)
    assert claude.read_text() == text and "changed by hand" in done.out and shared.read_text() == text + "mine"
    done = home.run("uninstall", "--yes")
    assert not claude.exists() and shared.exists() and "changed since" in done.out


def test_set_up_by_hand(home: Importer) -> None:
    """An entry that a person made is left by both commands; without a note it is told, and taken out if asked for."""
    qwen, made = (
        home.base / ".qwen/settings.json",
        '{"mcpServers": {"conversations": {"command": "%s", "args": ["mcp"]}}}',
    )
    program = home.base / "importer"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    qwen.write_text(made % program)
    assert "by hand" in home.run("install", *QUIET, "--only", "qwen").out
    told = home.run("uninstall", "--yes")
    assert qwen.read_text() == made % program and f"{qwen} has it" in told.err
    assert home.run("uninstall", "--all", "--yes").code == 0
    assert json.loads(qwen.read_text()) == {"mcpServers": {}}
