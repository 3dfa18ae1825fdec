"""How much of a conversation was said in some lines, as it is counted with the checkpoint of their file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """How much of a conversation some lines hold; times are RFC 3339 or "", `opening` is the first prompt's line."""

    conversation_id: str
    turns: int = 0
    first: str = ""
    last: str = ""
    project: str = ""
    title: str = ""
    opening: str = ""
