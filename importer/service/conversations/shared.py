"""Write a conversation as a file to share or to hand over (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from importer.protocol import clock
from importer.protocol.foreign.quoting import printable
from importer.service.conversations.values import Opened, SaidTurn

LABELS = {"user": "You", "assistant": "Assistant", "subagent": "Sub-agent", "exchange": "You and the assistant"}

_HEAD = re.compile(
    rf"^(?=(?:▶ |## )?(?:{'|'.join(map(re.escape, LABELS.values()))})(?:[ \t]*$|  \d{{4}}-| \(\d{{4}}-))", re.MULTILINE
)


def headless(text: str, before: str) -> str:
    """Return a turn's text in which no line passes for the head of another turn: such a line has `before` in front."""
    return _HEAD.sub(lambda _: before, text)


def markdown(opened: Opened, turns: Iterable[SaidTurn]) -> str:
    """Return a conversation as Markdown, in which code blocks stay what they are."""
    head = [f"# {printable(opened.title or opened.conversation)}", ""]
    told = (("Project", opened.project), ("Source", opened.source), ("Conversation", opened.conversation))
    head += [f"- {name}: {printable(value)}" for name, value in told if value]
    parts = ["\n".join(head)]
    for turn in turns:
        at = f" ({clock.shown(turn.timestamp)})" if turn.timestamp else ""
        said = headless(printable(turn.text.strip(), keep="\n\t"), "\\")
        parts.append(f"## {LABELS.get(turn.role, turn.role)}{at}\n\n{said}")
    return "\n\n".join(parts) + "\n"
