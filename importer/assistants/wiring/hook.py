"""The hook that has Claude Code begin a session with what was said about its project; off unless asked for."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from importer.assistants.wiring.places import AssistantPlace

EVENT = "SessionStart"
WHEN = "startup|clear"  # not after a resume or a compaction: the conversation itself is there then
TIMEOUT_S = 10  # the assistant's limit; the command's own is below it
WORD = "hook"
NAME = "claude-code hook"


def element(command: str) -> dict[str, Any]:
    """Return what Claude Code's settings and a plugin's hooks file hold of it."""
    return {"matcher": WHEN, "hooks": [{"type": "command", "command": command, "timeout": TIMEOUT_S}]}


def entry(words: Sequence[str]) -> dict[str, Any]:
    """Return the entry for a server's words: the same program with another command."""
    return element(shlex.join([*words[:-1], WORD]))


def place_of(claude: AssistantPlace) -> AssistantPlace:
    """Return where Claude Code keeps its hooks."""
    path = f"{claude.shows}/settings.json"
    return AssistantPlace(NAME, "Claude Code's session start", path, claude.shows, ("hooks", EVENT), entry, name="")
