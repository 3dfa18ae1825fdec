"""Aider: the history of a folder is taken up again there; its sessions have no ids of their own."""

from __future__ import annotations

SOURCE, PROGRAM = "aider", "aider"


def resume(_conversation: str) -> tuple[str, ...]:
    """Return the command that takes up the history of the folder."""
    return (PROGRAM, "--restore-chat-history")


def begin(text: str) -> tuple[str, ...]:
    """Return the command that does what a text says."""
    return (PROGRAM, "--message", text)
