"""Factory's Droid: `~/.factory/sessions/**/<session>.jsonl`, and captures of runs without a person at the screen.

Blocks of a person's message that are only a reminder were put there by the program; results of tools stand in messages
of the person's, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.formats._shared.calls import id_of, used
from importer.formats._shared.message import spoken
from importer.formats._shared.told import RESULT, Context, Records, Unit, begin_by_name, lacks, string
from importer.formats._shared.turns import key
from importer.formats._shared.words import words

__all__ = ["NAME", "Context", "begin", "feed", "recognises", "roots", "wanted"]

NAME = "droid"

CAPTURED = frozenset(("message", "tool_call", "tool_result", "completion"))
SILENT = frozenset(("todo_state", "compaction_state", "session_end", "settings", "system"))

begin = begin_by_name


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folders of sessions and of captures."""
    base = environ.get("FACTORY_DIR") or f"{home}/.factory"
    return (f"{base}/sessions", f"{base}/projects")


def wanted(relative: bytes) -> bool:
    """Return True for JSON lines."""
    return relative.endswith(b".jsonl")


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for the start of a session, or an event of a captured run."""
    return any(
        (record.get("type") == "session_start" and isinstance(record.get("id"), str))
        or (string(record, "type") in CAPTURED and "session_id" in record and "timestamp" in record)
        for record in records
    )


def _said(context: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a line says."""
    kind, message = string(record, "type"), record.get("message")
    common = {"id": string(record, "id"), "at": record.get("timestamp")}
    if kind == "session_start":
        title = string(record, "sessionTitle") or string(record, "title")
        yield Unit(conversation=string(record, "id"), title=title, cwd=string(record, "cwd"))
    elif kind == "message" and isinstance(message, dict):
        if (role := string(message, "role")) in ("user", "assistant"):
            given = {**common, "model": string(message, "model")}
            yield from spoken(role, message.get("content"), given)
        elif role not in ("system", "tool"):
            yield Unit(unknown=1)
    elif kind in CAPTURED and "session_id" in record:
        yield Unit(conversation=string(record, "session_id"))
        yield from _captured(context, kind, record, common)
    elif kind not in SILENT:
        yield Unit(unknown=1)


def _captured(context: Context, kind: str, record: dict[str, Any], common: dict[str, Any]) -> Iterator[Unit]:
    """Yield an event of a captured run; its end repeats the last words where these were told."""
    if kind in ("message", "completion"):
        role = "assistant" if kind == "completion" else string(record, "role")
        text, unknown = words(record.get("finalText") or record.get("text") or record.get("content"))
        mark = key(text)[:12]
        yield Unit(unknown=unknown or lacks(record, "finalText", "text", "content"))
        if role in ("user", "assistant") and not (kind == "completion" and mark == context.note):
            yield Unit(role=role, text=text, **common)
            yield Unit(note=mark)
        elif role not in ("user", "assistant", "system", "tool"):
            yield Unit(text=text)
    elif kind == "tool_call":
        call = (record.get("toolCallId"), record.get("toolName"), record.get("parameters"))
        yield Unit(role="assistant", **used([call]), **common)
    else:
        result, of = record.get("value"), id_of(record.get("toolCallId"), record.get("toolName"))
        yield Unit(role="assistant", kind=RESULT, text=string(result, "stdout") or result, of=of, **common)


feed = Records(_said).feed
