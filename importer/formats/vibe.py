"""Mistral Vibe: `session_<time>_<id>/messages.jsonl`, a message each line, without times.

What the program injects is marked. A compaction goes on in a new folder, where the kept context is injected. The title
and the working folder stand in `meta.json` beside it, which is not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.formats._shared.calls import call_of
from importer.formats._shared.told import (
    ID_BYTES,
    RESULT,
    THOUGHT,
    Context,
    Records,
    Unit,
    member,
    objects,
    string,
    text_of,
    value,
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
    """Return True for messages of a known role, all with an id of their own and no type."""
    return bool(records) and all(
        isinstance(record.get("message_id"), str) and string(record, "role") in ROLES and "type" not in record
        for record in records
    )


def begin(path: bytes) -> Context:
    """Return the context before the first line; the folder names the session."""
    folder, _, name = path.rpartition(b"/")
    return Context(session=clip(stem(folder if name == MESSAGES else path), ID_BYTES))


def _said(context: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a message says."""
    role, id_ = string(record, "role"), string(record, "message_id")
    if role not in ROLES:
        yield Unit(unknown=1)
    elif role == "user" and record.get("injected") is not True:
        yield Unit(role=role, text=record.get("user_display_content") or record.get("content"), id=id_)
    elif role == "assistant":
        if thought := string(record, "reasoning_content"):
            yield Unit(role=role, kind=THOUGHT, text=thought, id=id_)
        given = [(one, member(one, "function")) for one in objects(record.get("tool_calls"))]
        calls = [(one, call_of(member(of, "name"), value(member(of, "arguments")))) for one, of in given]
        tools, files = [n for _, call in calls for n in call.tools], [p for _, call in calls for p in call.files]
        yield Unit(role=role, text=record.get("content"), id=id_, tools=tools, files=files)
        yield from (Unit(note=string(one, "id")) for one, call in calls if call.own)
    elif role == "tool" and string(record, "tool_call_id") != context.note:
        yield Unit(role="assistant", kind=RESULT, text=text_of(record.get("content")), id=id_)


feed = Records(_said).feed
