"""The plugin under deploy/ is what the package says now, and what it starts answers."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import re
import subprocess
import sys
from typing import Any

import jsonschema
import pytest
import yaml
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from processes import ROOT, Importer

from importer.assistants.wiring import skill

PLUGIN = ROOT / "deploy" / "plugin"
TEXT = {"type": "string", "minLength": 1}


def form(required: str, /, **fields: Any) -> dict[str, Any]:
    """Return the form of an object that has these fields at most."""
    return {"type": "object", "properties": fields, "required": required.split(), "additionalProperties": False}


# From SchemaStore's claude-code-plugin-manifest.json and claude-code-marketplace.json, which Claude Code's own readers
# were made into (April 2026), its pages "Plugins reference" and "Plugin marketplaces", and agentskills.io: as far as
# ours say something. A field that is none of theirs, or a marketplace without a description, is warned of, which is an
# error under `claude plugin validate --strict`.
NAME = {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 64}
WHO = form("name", name=TEXT, email=TEXT, url=TEXT)
VERSION = {"type": "string", "pattern": r"^\d+\.\d+\.\d+([-+].+)?$"}
ABOUT = {"description": TEXT, "author": WHO, "license": TEXT, "version": VERSION, "displayName": TEXT}
OPTION = form(
    "type title description",
    **{"type": {"enum": ["string", "number", "boolean", "directory", "file"]}, "title": TEXT, "description": TEXT},
    **{"default": {"type": ["string", "number", "boolean"]}, "required": {"type": "boolean"}},
    **{"sensitive": {"type": "boolean"}},
)
OPTIONS = {"type": "object", "patternProperties": {"^[A-Za-z_][A-Za-z0-9_]*$": OPTION}, "additionalProperties": False}
SOURCE = {"type": "string", "pattern": r"^\./"}
LISTED = {"type": "array", "minItems": 1, "items": form("name source", name=NAME, source=SOURCE, **ABOUT)}
SECONDS = {"type": "number", "exclusiveMinimum": 0}
COMMAND = form("type command", type={"const": "command"}, command=TEXT, timeout=SECONDS)
MATCHER = form("hooks", matcher=TEXT, hooks={"type": "array", "minItems": 1, "items": COMMAND})
EVENTS = form("SessionStart", SessionStart={"type": "array", "items": MATCHER})
STDIO = form(
    "command", type={"const": "stdio"}, command=TEXT, args={"type": "array", "items": TEXT}, env={"type": "object"}
)
SERVERS = {"type": "object", "minProperties": 1, "additionalProperties": STDIO}
FORMS = {
    ".claude-plugin/plugin.json": form("name", name=NAME, userConfig=OPTIONS, **ABOUT),
    ".claude-plugin/marketplace.json": form(
        "name owner plugins description", name=NAME, owner=WHO, plugins=LISTED, description=TEXT
    ),
    ".mcp.json": form("mcpServers", mcpServers=SERVERS),
    "hooks/hooks.json": form("hooks", hooks=EVENTS, description=TEXT),
}
SKILL = form("name description", name=NAME, description={**TEXT, "maxLength": 1024}, license=TEXT)


def test_nothing_is_out_of_date(tmp_path: pathlib.Path) -> None:
    """Made anew, every file is the same."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, str(PLUGIN / "make.py"), str(tmp_path)], env=environ, check=True)
    made = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert len(made) == 5
    assert {path: (PLUGIN / path).read_bytes() for path in made} == {
        path: (tmp_path / path).read_bytes() for path in made
    }


@pytest.mark.parametrize("path", sorted(FORMS))
def test_the_forms_that_claude_code_asks_for(path: str) -> None:
    """Every file is of the form that its reader knows, with nothing in it that would be warned of."""
    jsonschema.validate(json.loads((PLUGIN / path).read_text()), FORMS[path])


def test_what_the_files_say_of_each_other() -> None:
    """The marketplace names the plugin, in a folder that has it; its name is none of those that are reserved."""
    plugin = json.loads((PLUGIN / ".claude-plugin/plugin.json").read_text())
    shop = json.loads((PLUGIN / ".claude-plugin/marketplace.json").read_text())
    (listed,) = shop["plugins"]
    assert listed["name"] == plugin["name"] and not re.search("claude|anthropic|official", shop["name"])
    assert (PLUGIN / listed["source"] / ".claude-plugin/plugin.json").is_file()
    assert [path.name for path in (PLUGIN / ".claude-plugin").iterdir() if path.suffix != ".json"] == []


def test_the_skill_is_one() -> None:
    """Its head is what the format asks for: the folder's name, and when to use it, both within their lengths."""
    (path,) = (PLUGIN / "skills").glob("*/SKILL.md")
    text = path.read_text()
    assert text == skill.TEXT and text.startswith("---\n")
    head = yaml.safe_load(text.split("---\n")[1])
    jsonschema.validate(head, SKILL)
    assert head["name"] == path.parent.name
    assert "<" not in head["description"]


@pytest.mark.parametrize("path", sorted(FORMS))
def test_the_forms_refuse(path: str) -> None:
    """A field that nothing knows, and one that lacks, are told."""
    read = json.loads((PLUGIN / path).read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**read, "nosuch": 1}, FORMS[path])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({}, FORMS[path])


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
