"""Claude in the browser: a conversation has a page."""

from __future__ import annotations

SOURCE, PROGRAM = "claude-ai", "claude.ai"


def page(conversation: str) -> str:
    """Return the address of a conversation."""
    return f"https://claude.ai/chat/{conversation}"
