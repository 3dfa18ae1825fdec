"""GitHub Copilot CLI: a session is resumed by its id."""

from __future__ import annotations

SOURCE, PROGRAM = "copilot-cli", "copilot"


def resume(conversation: str) -> tuple[str, ...]:
    """Return the command that goes on with a session."""
    return (PROGRAM, "--resume", conversation)
