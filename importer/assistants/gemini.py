"""Gemini CLI: sessions lie by project, so one is resumed from its folder."""

from __future__ import annotations

SOURCE, PROGRAM = "gemini", "gemini"


def resume(conversation: str) -> tuple[str, ...]:
    """Return the command that goes on with a session."""
    return (PROGRAM, "--resume", conversation)


def begin(text: str) -> tuple[str, ...]:
    """Return the command that begins a session with a prompt and stays open."""
    return (PROGRAM, "--prompt-interactive", text)
