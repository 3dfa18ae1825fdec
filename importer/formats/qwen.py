"""Qwen Code: `~/.qwen/projects/<folder>/chats/<session>.jsonl`, a chain of records in the shape of Gemini's API.

What the person typed stands in `displayText` where a hook added to it. A branch copies records into another session:
a turn's key is a hash of role, time and text, so they are known again. A rewind deletes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.formats._shared.blocks import unwrapped
from importer.formats._shared.calls import call_of, id_of, used
from importer.formats._shared.questions import refusal
from importer.formats._shared.told import (
    RESULT,
    THOUGHT,
    Context,
    Records,
    Unit,
    begin_by_name,
    member,
    objects,
    speech,
    string,
)
from importer.formats.gemini.text import typed

__all__ = ["NAME", "Context", "begin", "feed", "recognises", "roots", "wanted"]

NAME = "qwen"

TYPES = frozenset(("user", "assistant", "tool_result", "system"))
_session = re.compile(r"[0-9a-f]{32}\Z")

begin = begin_by_name


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of projects."""
    return (f"{environ.get('QWEN_RUNTIME_DIR') or f'{home}/.qwen'}/projects",)


def wanted(relative: bytes) -> bool:
    """Return True for JSON lines in a folder of chats, or by a bare name."""
    *folders, name = relative.split(b"/")
    return name.endswith(b".jsonl") and (not folders or b"chats" in folders)


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for a record with an id whose message has parts."""
    return any(
        "uuid" in record and "sessionId" in record and member(record, "message", "parts") is not None
        for record in records
    )


def _said(context: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a record says; one of another session than its file is called by belongs elsewhere."""
    session, kind = string(record, "sessionId"), string(record, "type")
    named = context.note or context.session.replace("-", "")
    if session and _session.match(named) and session.replace("-", "") != named:
        return
    agent = string(record, "agentId") or ("subagent" if record.get("isSidechain") is True else "")
    yield Unit(conversation=session, cwd=string(record, "cwd"), branch=string(record, "gitBranch"))
    common: dict[str, Any] = {"id": string(record, "uuid"), "at": record.get("timestamp"), "agent": agent}
    said = record.get("message")
    subtype = string(record, "subtype")
    if kind == "system":
        yield from _of_system(record, subtype, common)
    elif kind == "user":
        if not subtype and string(record, "provenance") in ("", "real_user"):
            yield _typed(member(record, "systemPayload", "displayText") or said, common)
    elif kind == "assistant":
        yield from _answer(said, {**common, "model": string(record, "model")})
    elif kind == "tool_result":
        yield from _results(said, common)
    else:
        yield Unit(unknown=1)


def _of_system(record: dict[str, Any], subtype: str, common: dict[str, Any]) -> Iterator[Unit]:
    """Yield a title, or words that a person put in while the assistant was at work."""
    if subtype == "custom_title":
        yield Unit(title=string(record, "systemPayload", "customTitle"))
    elif subtype == "mid_turn_user_message":
        shown = member(record, "systemPayload", "displayText") or record.get("message")
        yield _typed(shown, common)


def _typed(content: Any, common: dict[str, Any]) -> Unit:
    """Return a prompt, without the contents of files that it names and what hooks added."""
    said = speech("user", content, **common)
    said.text = unwrapped(typed(said.text))
    return said


def _answer(said: Any, common: dict[str, Any]) -> Iterator[Unit]:
    """Yield an answer's words, thoughts and calls."""
    parts = list(objects(member(said, "parts")))
    for part in parts:
        if part.get("thought") is True:
            yield Unit(role="assistant", kind=THOUGHT, text=string(part, "text"), **common)
    calls = [part["functionCall"] for part in parts if isinstance(part.get("functionCall"), dict)]
    found = used([(call.get("id"), call.get("name"), call.get("args")) for call in calls])
    yield Unit(role="assistant", text=said, **found, **common)


def _results(said: Any, common: dict[str, Any]) -> Iterator[Unit]:
    """Yield what tools answered, but for this memory's."""
    for part in objects(member(said, "parts")):
        response = part.get("functionResponse")
        text = member(response, "response", "output") or member(response, "response", "error")
        if not call_of(member(response, "name"), {}).own or refusal(text):
            of = id_of(member(response, "id"), member(response, "name"))
            yield Unit(role="assistant", kind=RESULT, text=text, of=of, **common)


feed = Records(_said).feed
