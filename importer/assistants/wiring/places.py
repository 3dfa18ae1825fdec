"""List where each assistant keeps its MCP servers, and what its entry looks like; from the assistants' documentation.

A place is found by its folder: an assistant that was never started here has none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NAME = "conversations"  # of our server in all of them
Entry = Callable[[Sequence[str]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Place:
    """One assistant: its settings file, where in it servers stand, and our entry there; `kind` is json or toml.

    `shows` is a folder or file that is there where the assistant is.
    """

    assistant: str
    title: str
    path: str
    member: tuple[str, ...]
    entry: Entry
    shows: str
    kind: str = "json"


def _plain(words: Sequence[str]) -> dict[str, Any]:
    return {"command": words[0], "args": list(words[1:])}


def _stdio(words: Sequence[str]) -> dict[str, Any]:
    return {"type": "stdio", **_plain(words)}


def _copilot(words: Sequence[str]) -> dict[str, Any]:
    return {"type": "local", **_plain(words), "tools": ["*"]}


def _opencode(words: Sequence[str]) -> dict[str, Any]:
    return {"type": "local", "command": list(words), "enabled": True}


def places(environ: Mapping[str, str], home: str) -> list[Place]:
    """Return the places of all assistants that are known, found or not; their own variables count."""
    claude = environ.get("CLAUDE_CONFIG_DIR", "").split(",")[0]
    codex = environ.get("CODEX_HOME") or f"{home}/.codex"
    config = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    code = _first(f"{home}/Library/Application Support/Code/User", f"{config}/Code/User")
    opencode = _first(f"{config}/opencode/opencode.jsonc", f"{config}/opencode/opencode.json")
    desktop = f"{home}/Library/Application Support/Claude"
    servers = ("mcpServers",)
    return [
        Place(
            "claude-code", "Claude Code", f"{claude or home}/.claude.json", servers, _stdio, claude or f"{home}/.claude"
        ),
        Place("claude-desktop", "Claude Desktop", f"{desktop}/claude_desktop_config.json", servers, _plain, desktop),
        Place("codex", "Codex", f"{codex}/config.toml", ("mcp_servers",), _plain, codex, "toml"),
        Place("gemini", "Gemini CLI", f"{home}/.gemini/settings.json", servers, _plain, f"{home}/.gemini"),
        Place("qwen", "Qwen Code", f"{home}/.qwen/settings.json", servers, _plain, f"{home}/.qwen"),
        Place("copilot-cli", "Copilot CLI", f"{home}/.copilot/mcp-config.json", servers, _copilot, f"{home}/.copilot"),
        Place("cursor", "Cursor", f"{home}/.cursor/mcp.json", servers, _plain, f"{home}/.cursor"),
        Place("vscode", "VS Code", f"{code}/mcp.json", ("servers",), _stdio, code),
        Place("opencode", "OpenCode", opencode, ("mcp",), _opencode, f"{config}/opencode"),
        Place(
            "windsurf",
            "Windsurf",
            f"{home}/.codeium/windsurf/mcp_config.json",
            servers,
            _plain,
            f"{home}/.codeium/windsurf",
        ),
        Place("kiro", "Kiro", f"{home}/.kiro/settings/mcp.json", servers, _plain, f"{home}/.kiro"),
        Place("droid", "Droid", f"{home}/.factory/mcp.json", servers, _stdio, f"{home}/.factory"),
        Place("lm-studio", "LM Studio", f"{home}/.lmstudio/mcp.json", servers, _plain, f"{home}/.lmstudio"),
    ]


def _first(*paths: str) -> str:
    """Return the first of the paths that is there, else the last."""
    return next((path for path in paths if os.path.exists(path)), paths[-1])
