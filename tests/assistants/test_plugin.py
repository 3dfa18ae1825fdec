"""The plugin under deploy/ is what the package says now, and what it starts answers."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import subprocess
import sys

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from processes import ROOT, Importer

from importer.assistants.wiring import skill

PLUGIN = ROOT / "deploy" / "plugin"


def test_nothing_is_out_of_date(tmp_path: pathlib.Path) -> None:
    """Made anew, every file is the same."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, str(PLUGIN / "make.py"), str(tmp_path)], env=environ, check=True)
    made = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert len(made) == 5
    assert {path: (PLUGIN / path).read_bytes() for path in made} == {
        path: (tmp_path / path).read_bytes() for path in made
    }


def test_the_forms_that_claude_code_asks_for() -> None:
    """A plugin has a name in small letters and a version; a marketplace names plugins by folders that are there."""
    plugin = json.loads((PLUGIN / ".claude-plugin/plugin.json").read_text())
    shop = json.loads((PLUGIN / ".claude-plugin/marketplace.json").read_text())
    assert plugin["name"].islower() and plugin["version"].count(".") == 2
    assert [one["name"] for one in shop["plugins"]] == [plugin["name"]] and shop["owner"]["name"]
    assert all((PLUGIN / one["source"]).is_dir() for one in shop["plugins"])
    head = skill.TEXT.split("---")[1]
    assert "name: conversations\n" in head and "description:" in head


@pytest.mark.parametrize(("option", "asked"), [("true", True), ("false", False), ("", False)])
def test_the_hook_is_off_until_it_is_wanted(tmp_path: pathlib.Path, option: str, asked: bool) -> None:
    """Its command calls us only where the plugin's option says so, and ends well in any case."""
    hooks = json.loads((PLUGIN / "hooks/hooks.json").read_text())["hooks"]
    (element,) = hooks["SessionStart"]
    assert element["matcher"] == "startup|clear" and element["hooks"][0]["type"] == "command"
    options = json.loads((PLUGIN / ".claude-plugin/plugin.json").read_text())["userConfig"]
    assert options["at_start"]["default"] is False and {"type", "title", "description"} < options["at_start"].keys()
    program = tmp_path / "importer"
    program.write_text('#!/bin/sh\necho "called with $1"\n')
    program.chmod(0o755)
    environ = {"PATH": str(tmp_path), "CLAUDE_PLUGIN_OPTION_AT_START": option}
    command = ["/bin/sh", "-c", element["hooks"][0]["command"]]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == ("called with hook\n" if asked else "")


def test_what_it_starts_answers(tmp_path: pathlib.Path) -> None:
    """The words of `.mcp.json` start a server that tells its tools."""
    server = json.loads((PLUGIN / ".mcp.json").read_text())["mcpServers"]["conversations"]
    assert server["command"] == "importer"
    command = Importer(tmp_path, embedded=True).command  # that program is not on every path; its module is
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    started = StdioServerParameters(command=command[0], args=[*command[1:], *server["args"]], env=environ)

    async def talk() -> list[str]:
        async with Client(stdio_client(started)) as client:
            return [tool.name for tool in (await client.list_tools()).tools]

    assert "search_conversations" in asyncio.run(talk())
