"""Codex: a thread is resumed by its id from any folder."""

from __future__ import annotations

SOURCE, PROGRAM = "codex", "codex"


def resume(conversation: str) -> tuple[str, ...]:
    """Return the command that goes on with a thread."""
    return (PROGRAM, "resume", conversation)


def begin(text: str) -> tuple[str, ...]:
    """Return the command that begins a thread with a prompt."""
    return (PROGRAM, text)
