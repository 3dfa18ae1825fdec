"""Forge: `.forge.db`, SQLite, a conversation each row, what the model was sent as JSON, written anew at each change.

Messages have neither times nor ids: each key is a hash of the one before it, role and text. What a person typed stands
in `raw_content` where the program put it into a frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from importer.formats import Tables
from importer.formats._shared.blocks import unwrapped
from importer.formats._shared.calls import api_calls, id_of, used
from importer.formats._shared.told import (
    RESULT,
    THOUGHT,
    Context,
    Unit,
    begin,
    feed,
    lacks,
    member,
    objects,
    parted,
    speech,
    string,
    text_of,
    value,
)

__all__ = ["EXCLUDE", "NAME", "TABLES", "Context", "begin", "feed", "roots", "told", "wanted"]

NAME = "forge"
EXCLUDE = ("*/*",)

TABLES = (
    Tables(
        {"conversations": "conversation_id title workspace_id context updated_at"},
        "SELECT conversation_id, strftime('%s', coalesce(updated_at, created_at)) * 1000, length(context), updated_at"
        " FROM conversations WHERE context IS NOT NULL",
        (
            "SELECT title, context, strftime('%s', created_at) + 0 AS at FROM conversations"
            " WHERE conversation_id = :member",
        ),
    ),
)


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return its folder, and the one of older versions."""
    return (environ.get("FORGE_CONFIG") or f"{home}/.forge", f"{home}/forge")


def wanted(relative: bytes) -> bool:
    """Return True for the database."""
    return relative.rpartition(b"/")[2] == b".forge.db"


def told(row: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what a conversation says."""
    talk = value(row["context"])
    if not isinstance(talk, dict):
        yield Unit(problem="a conversation that is no JSON object")
        return
    agent = "" if string(talk, "initiator") in ("", "user", "forgecode", "forge") else string(talk, "initiator")
    yield Unit(title=string(row, "title"), agent=agent)
    entries, strange = parted(talk.get("messages"))
    yield Unit(unknown=strange + (bool(talk) and "messages" not in talk))
    for entry in entries:
        held = entry.get("message", entry)
        if isinstance(said := member(held, "text"), dict):
            yield from _message(said, {"at": row["at"], "chained": True})
        elif isinstance(tool := member(held, "tool"), dict):
            of = id_of(tool.get("call_id"), tool.get("name"))
            text = text_of(member(tool, "output", "values"))
            yield Unit(role="assistant", kind=RESULT, text=text, at=row["at"], id=string(tool, "call_id"), of=of)
        elif member(held, "image") is None:
            yield Unit(unknown=1)


def _message(said: dict[str, Any], common: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a message says."""
    role = string(said, "role").lower()
    if role == "user" and said.get("droppable") is not True:
        raw = said.get("raw_content")
        found = speech(role, member(raw, "Text") or member(raw, "text") or (raw if isinstance(raw, str) else None))
        found = found if found.text or found.unknown else speech(role, said.get("content"))
        strange = found.unknown + lacks(said, "content", "raw_content")
        yield Unit(role=role, text=unwrapped(found.text), unknown=strange, **common)
    elif role == "assistant":
        thoughts = [string(one, "text") for one in objects(said.get("reasoning_details"))]
        yield Unit(role=role, kind=THOUGHT, text="\n".join(thoughts), **common)
        calls = used(api_calls(said.get("tool_calls")))
        yield Unit(unknown=lacks(said, "content", beside=("tool_calls",)))
        yield speech(role, said.get("content"), model=string(said, "model"), **calls, **common)
    elif role not in ("user", "system"):
        yield Unit(unknown=1)
