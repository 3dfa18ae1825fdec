"""Claude Code: sessions lie by the folder they were held in, so one is resumed from there."""

from __future__ import annotations

SOURCE, PROGRAM = "claude-code", "claude"


def resume(conversation: str) -> tuple[str, ...]:
    """Return the command that goes on with a session."""
    return (PROGRAM, "--resume", conversation)


def begin(text: str) -> tuple[str, ...]:
    """Return the command that begins a session with a prompt."""
    return (PROGRAM, text)
