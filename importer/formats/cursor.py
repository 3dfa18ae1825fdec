"""Cursor: transcripts of its agent below `~/.cursor/projects/<folder>/agent-transcripts/`, a message each line.

They have no times and name no folder (its encoded name is ambiguous). A person's words stand in `<user_query>`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.formats._shared.message import spoken
from importer.formats._shared.told import ID_BYTES, Context, Records, Unit, member, string
from importer.formats._shared.turns import clip, stem
from importer.formats._shared.wrapped import unwrapped

__all__ = ["NAME", "Context", "begin", "feed", "recognises", "roots", "wanted"]

NAME = "cursor"

FOLDER = b"agent-transcripts"
REDACTED = "[REDACTED]"  # stands in place of words that were not written down
OF_OTHERS = frozenset(("type", "uuid", "sessionId", "parentUuid", "message_id"))


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of projects."""
    return (f"{environ.get('CURSOR_CONFIG_DIR') or f'{home}/.cursor'}/projects",)


def wanted(relative: bytes) -> bool:
    """Return True for a transcript, or JSON lines by a bare name."""
    *folders, name = relative.split(b"/")
    return name.endswith(b".jsonl") and (not folders or FOLDER in folders)


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for a message below a role, without the members of other programs, or the end of a turn."""
    return any(_is_message(record) for record in records) and not any(
        record.get("type") not in (None, "turn_ended") for record in records
    )


def _is_message(record: Mapping[str, Any]) -> bool:
    """Return True for a line that only says who speaks, and what."""
    message = record.get("message")
    return (
        record.get("role") in ("user", "assistant")
        and isinstance(message, dict)
        and "content" in message
        and OF_OTHERS.isdisjoint(record)
    )


def begin(path: bytes) -> Context:
    """Return the context before the first line; a transcript is called by its conversation, a subagent's lies below."""
    folders = path.split(b"/")
    agent = stem(path) if b"subagents" in folders else ""
    session = folders[-3] if agent and len(folders) > 2 else path
    return Context(session=clip(stem(session), ID_BYTES), agent=clip(agent, ID_BYTES))


def _said(context: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a message says."""
    role = string(record, "role")
    if role in ("user", "assistant"):
        common = {"at": record.get("timestamp")}
        for unit in spoken(context, role, member(record, "message", "content"), common, clean=unwrapped):
            unit.text = "" if unit.text == REDACTED else unit.text
            yield unit
    elif not (record.get("type") == "turn_ended" or record.get("event") == "turn_ended"):
        yield Unit(unknown=1)


feed = Records(_said).feed
