"""ChatGPT: a conversation has a page."""

from __future__ import annotations

SOURCE, PROGRAM = "chatgpt", "chatgpt"


def page(conversation: str) -> str:
    """Return the address of a conversation."""
    return f"https://chatgpt.com/c/{conversation}"
