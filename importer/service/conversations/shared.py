"""Write a conversation as a file to share or to hand over (pure)."""

from __future__ import annotations

from collections.abc import Iterable

from importer.protocol import clock
from importer.protocol.foreign.quoting import printable
from importer.service.conversations.values import Opened, SaidTurn

LABELS = {"user": "You", "assistant": "Assistant", "subagent": "Sub-agent", "exchange": "You and the assistant"}


def markdown(opened: Opened, turns: Iterable[SaidTurn]) -> str:
    """Return a conversation as Markdown, in which code blocks stay what they are."""
    head = [f"# {printable(opened.title or opened.conversation)}", ""]
    told = (("Project", opened.project), ("Source", opened.source), ("Conversation", opened.conversation))
    head += [f"- {name}: {printable(value)}" for name, value in told if value]
    parts = ["\n".join(head)]
    for turn in turns:
        at = f" ({clock.shown(turn.timestamp)})" if turn.timestamp else ""
        parts.append(
            f"## {LABELS.get(turn.role, turn.role)}{at}\n\n{printable(turn.text.strip(), keep=chr(10) + chr(9))}"
        )
    return "\n\n".join(parts) + "\n"
