"""List where each assistant keeps its MCP servers, and what its entry looks like; from the assistants' documentation.

A place is found by its folder: an assistant that was never started here has none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from importer.assistants.wiring.spot import EntrySpot, is_hook, is_server

NAME = "conversations"  # of our server in all of them
SERVERS = ("mcpServers",)  # where most keep them
Entry = Callable[[Sequence[str]], dict[str, Any]]


def plain(words: Sequence[str]) -> dict[str, Any]:
    """Return the entry that most assistants read."""
    return {"command": words[0], "args": list(words[1:])}


def _stdio(words: Sequence[str]) -> dict[str, Any]:
    return {"type": "stdio", **plain(words)}


def _copilot(words: Sequence[str]) -> dict[str, Any]:
    return {"type": "local", **plain(words), "tools": ["*"]}


def _opencode(words: Sequence[str]) -> dict[str, Any]:
    return {"type": "local", "command": list(words), "enabled": True}


def _zed(words: Sequence[str]) -> dict[str, Any]:
    return {"source": "custom", **plain(words), "env": {}}


def _goose(words: Sequence[str]) -> dict[str, Any]:
    about = "What you and your assistants ever said"
    start = {"cmd": words[0], "args": list(words[1:])}
    return {"enabled": True, "type": "stdio", "name": NAME, "description": about, **start, "envs": {}, "timeout": 300}


@dataclass(frozen=True, slots=True)
class AssistantPlace:
    """One assistant: its settings file, where in it servers stand, and our entry there; `kind` is json, toml or yaml.

    `shows` is a folder or file that is there where the assistant is, `skills` the folder that it reads skills from.
    """

    assistant: str
    title: str
    path: str
    shows: str
    member: tuple[str, ...] = SERVERS
    entry: Entry = plain
    kind: str = "json"
    skills: str = ""
    name: str = NAME

    @property
    def spot(self) -> EntrySpot:
        """The place of our entry in the file."""
        return EntrySpot(self.kind, self.member, self.name, is_server if self.name else is_hook)


def places(environ: Mapping[str, str], home: str) -> list[AssistantPlace]:
    """Return the places of all assistants that are known, found or not; their own variables count."""
    claude = environ.get("CLAUDE_CONFIG_DIR", "").split(",")[0]
    codex = environ.get("CODEX_HOME") or f"{home}/.codex"
    config = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    shared, own = f"{home}/.agents/skills", claude or f"{home}/.claude"
    opencode, goose = _first(f"{config}/opencode/opencode.jsonc", f"{config}/opencode/opencode.json"), f"{config}/goose"
    desktop = _first(f"{home}/Library/Application Support/Claude", f"{config}/Claude")
    return [
        AssistantPlace(
            "claude-code", "Claude Code", f"{claude or home}/.claude.json", own, entry=_stdio, skills=f"{own}/skills"
        ),
        AssistantPlace("claude-desktop", "Claude Desktop", f"{desktop}/claude_desktop_config.json", desktop),
        AssistantPlace("codex", "Codex", f"{codex}/config.toml", codex, ("mcp_servers",), kind="toml", skills=shared),
        AssistantPlace("gemini", "Gemini CLI", f"{home}/.gemini/settings.json", f"{home}/.gemini", skills=shared),
        AssistantPlace("qwen", "Qwen Code", f"{home}/.qwen/settings.json", f"{home}/.qwen"),
        AssistantPlace(
            "copilot-cli", "Copilot CLI", f"{home}/.copilot/mcp-config.json", f"{home}/.copilot", entry=_copilot
        ),
        AssistantPlace("cursor", "Cursor", f"{home}/.cursor/mcp.json", f"{home}/.cursor"),
        *_in_editors(home, config),
        AssistantPlace("opencode", "OpenCode", opencode, f"{config}/opencode", ("mcp",), _opencode, skills=shared),
        AssistantPlace("zed", "Zed", f"{config}/zed/settings.json", f"{config}/zed", ("context_servers",), _zed),
        AssistantPlace("goose", "Goose", f"{goose}/config.yaml", goose, ("extensions",), _goose, "yaml"),
        AssistantPlace("crush", "Crush", f"{config}/crush/crush.json", f"{config}/crush", ("mcp",), _stdio),
        AssistantPlace("amp", "Amp", f"{config}/amp/settings.json", f"{config}/amp", ("amp.mcpServers",)),
        *_at_home(home),
    ]


def _at_home(home: str) -> list[AssistantPlace]:
    """Return the places of assistants that have a folder of their own at home, and nothing special in it."""
    known = (
        ("windsurf", "Windsurf", ".codeium/windsurf", "mcp_config.json"),
        ("antigravity", "Antigravity", ".gemini/antigravity", "mcp_config.json"),
        ("kiro", "Kiro", ".kiro", "settings/mcp.json"),
        ("kimi", "Kimi CLI", ".kimi", "mcp.json"),
        ("junie", "Junie", ".junie", "mcp/mcp.json"),
        ("lm-studio", "LM Studio", ".lmstudio", "mcp.json"),
    )
    droid = AssistantPlace("droid", "Droid", f"{home}/.factory/mcp.json", f"{home}/.factory", entry=_stdio)
    return [
        droid,
        *(AssistantPlace(name, said, f"{home}/{at}/{file}", f"{home}/{at}") for name, said, at, file in known),
    ]


def _in_editors(home: str, config: str) -> list[AssistantPlace]:
    """Return the places of VS Code and of the extensions that keep their settings inside it."""
    code = _first(f"{home}/Library/Application Support/Code/User", f"{config}/Code/User")
    insiders = _first(f"{home}/Library/Application Support/Code - Insiders/User", f"{config}/Code - Insiders/User")
    extensions = (
        ("cline", "Cline", "saoudrizwan.claude-dev", "cline_mcp_settings.json"),
        ("roo", "Roo Code", "rooveterinaryinc.roo-cline", "mcp_settings.json"),
        ("kilo", "Kilo Code", "kilocode.kilo-code", "mcp_settings.json"),
    )
    kept = f"{code}/globalStorage"
    return [
        AssistantPlace("vscode", "VS Code", f"{code}/mcp.json", code, ("servers",), _stdio),
        AssistantPlace("vscode-insiders", "VS Code Insiders", f"{insiders}/mcp.json", insiders, ("servers",), _stdio),
        *(
            AssistantPlace(name, title, f"{kept}/{folder}/settings/{file}", f"{kept}/{folder}")
            for name, title, folder, file in extensions
        ),
    ]


def _first(*paths: str) -> str:
    """Return the first of the paths that is there, else the last."""
    return next((path for path in paths if os.path.exists(path)), paths[-1])
