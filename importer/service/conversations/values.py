"""The values that a library gives: where a word leads, a turn, an opened conversation, a row of a list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Spot:
    """What a word names: a conversation, and the point in it where it was a hit's id; `document` is that point's."""

    conversation: str
    point: str = ""
    document: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class SaidTurn:
    """One turn as it is shown: `role` is user, assistant or subagent; of a joined exchange of the store, exchange."""

    role: str
    text: str
    timestamp: str
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A conversation: `path` is "" where it comes from the store, `at` the turn that was asked for, -1 for none."""

    conversation: str
    title: str
    project: str
    source: str
    path: str
    turns: tuple[SaidTurn, ...]
    cwd: str = ""
    at: int = -1


@dataclass(slots=True)
class Listed:
    """A row of a list: a conversation, how many turns it has (0 unknown), when it was said, and on which machine."""

    id: str
    title: str
    project: str
    source: str
    first: str
    last: str
    turns: int
    host: str = ""
    path: bytes = field(default=b"", repr=False)

    def fields(self) -> dict[str, Any]:
        """Return what programs get."""
        told = ("id", "title", "project", "source", "first", "last", "turns", "host")
        return {name: getattr(self, name) for name in told}
