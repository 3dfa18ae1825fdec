"""Mistral Vibe: `session_<time>_<id>/messages.jsonl`, a message each line, without times.

What the program injects is marked. A compaction goes on in a new folder, where the kept context is injected. The title
and the working folder stand in `meta.json` beside it, which is not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.formats._shared.calls import api_calls, id_of, used
from importer.formats._shared.told import (
    ID_BYTES,
    RESULT,
    THOUGHT,
    Context,
    Records,
    Unit,
    prompt,
    string,
)
from importer.formats._shared.turns import clip, stem

__all__ = ["NAME", "Context", "begin", "feed", "recognises", "roots", "wanted"]

NAME = "vibe"

MESSAGES = b"messages.jsonl"
ROLES = frozenset(("user", "assistant", "tool", "system"))


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of sessions."""
    return (f"{environ.get('VIBE_HOME') or f'{home}/.vibe'}/logs/session",)


def wanted(relative: bytes) -> bool:
    """Return True for the messages of a session."""
    return relative.rpartition(b"/")[2] == MESSAGES


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for a message of a known role, with an id of its own and no type."""
    return any(
        isinstance(record.get("message_id"), str) and string(record, "role") in ROLES and "type" not in record
        for record in records
    )


def begin(path: bytes) -> Context:
    """Return the context before the first line; the folder names the session."""
    folder, _, name = path.rpartition(b"/")
    return Context(session=clip(stem(folder if name == MESSAGES else path), ID_BYTES))


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a message says."""
    role, id_ = string(record, "role"), string(record, "message_id")
    if role not in ROLES:
        yield Unit(unknown=1)
    elif role == "user" and record.get("injected") is not True:
        yield prompt(record.get("user_display_content") or record.get("content"), id=id_)
    elif role == "assistant":
        if thought := string(record, "reasoning_content"):
            yield Unit(role=role, kind=THOUGHT, text=thought, id=id_)
        yield Unit(role=role, text=record.get("content"), id=id_, **used(api_calls(record.get("tool_calls"))))
    elif role == "tool":
        of = id_of(record.get("tool_call_id"), record.get("name"))
        yield Unit(role="assistant", kind=RESULT, text=record.get("content"), id=id_, of=of)


feed = Records(_said).feed
