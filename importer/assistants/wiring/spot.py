"""Pure: say where in a settings file our entry stands, and tell ours from one of another program."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from importer.assistants.wiring.jsonc import UnreadableSettings

PROGRAMS = ("importer", "conversation-importer")
RUNNERS = ("uv", "uvx", "pipx", "env")  # that start a program which they are told of


def words_of(entry: Any) -> list[str]:
    """Return the words of the command that an entry starts, [] for none."""
    if not isinstance(entry, Mapping):
        return []
    command = entry.get("command", entry.get("cmd"))
    if isinstance(command, Mapping):  # as some assistants had it once
        return words_of({"command": command.get("path"), "args": command.get("args")})
    rest = entry.get("args")
    words = [*(command if isinstance(command, list) else [command]), *(rest if isinstance(rest, list) else [])]
    return words if all(isinstance(word, str) for word in words) else []


def starts_us(words: Sequence[str]) -> bool:
    """Return True for a command that starts this program, from wherever it was installed."""
    module = any(words[at : at + 2] == ["-m", PROGRAMS[0]] for at in range(len(words)))
    looked_at = words if os.path.basename((*words, "")[0]) in RUNNERS else words[:1]
    return module or any(os.path.basename(word).partition("@")[0] in PROGRAMS for word in looked_at)


def is_server(entry: Any) -> bool:
    """Return True for an entry that starts our MCP server, also if a person or an assistant added something to it."""
    words = words_of(entry)
    return starts_us(words) and "mcp" in words[1:]


def is_hook(entry: Any) -> bool:
    """Return True for a hook of ours that has no other beside it."""
    hooks = entry.get("hooks") if isinstance(entry, Mapping) else None
    words = _split(hooks[0]) if isinstance(hooks, list) and len(hooks) == 1 else []
    return starts_us(words) and "hook" in words


def _split(hook: Any) -> list[str]:
    """Return the words of one hook's command, [] where it has none."""
    try:
        return shlex.split(hook["command"])
    except (TypeError, KeyError, ValueError, AttributeError):
        return []


@dataclass(frozen=True, slots=True)
class EntrySpot:
    """The place of our entry: a file's `kind` (json, toml, yaml), the path to what holds it, and its name there.

    Without a `name` it is an element of an array. `ours` tells an entry of ours from another.
    """

    kind: str
    member: tuple[str, ...]
    name: str
    ours: Callable[[Any], bool] = is_server

    def entry_in(self, read: Any) -> Any:
        """Return the entry that stands there in what was read, None for none; of an array, only one of ours."""
        for key in self.member:
            read = read.get(key) if isinstance(read, Mapping) else None
        if self.name:
            return read.get(self.name) if isinstance(read, Mapping) else None
        return next((one for one in read if self.ours(one)), None) if isinstance(read, list) else None

    def added_to(self, read: Mapping[str, Any], entry: Any, at: int = 0) -> dict[str, Any]:
        """Return what was read with an entry in it. Raises Unreadable where something else stands in the way."""
        empty: Any = {} if self.name or at < len(self.member) - 1 else []
        if at == len(self.member):
            return {**read, self.name: entry}
        inner = read.get(self.member[at], empty)
        inner = empty if inner is None and self.kind == "yaml" else inner
        if not isinstance(inner, type(empty)):
            raise UnreadableSettings(f"its {self.member[at]} is no {'object' if empty == {} else 'array'}")
        last = not self.name and at == len(self.member) - 1
        return {**read, self.member[at]: [entry, *inner] if last else self.added_to(inner, entry, at + 1)}

    def taken_from(self, read: Any, at: int = 0) -> Any:
        """Return what was read without our entries, and without what would then be empty around them."""
        if at == len(self.member):
            if self.name:
                return {key: value for key, value in read.items() if key != self.name}
            return [one for one in read if not self.ours(one)]
        key = self.member[at]
        if not isinstance(read, Mapping) or not isinstance(read.get(key), dict | list | None):
            return read
        inner = self.taken_from(read[key], at + 1) if read.get(key) else None
        return {name: inner if name == key else value for name, value in read.items() if name != key or inner}
