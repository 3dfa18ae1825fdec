"""Kimi Code and the older kimi-cli: `wire.jsonl` in a session's folder, of each agent one.

Kimi Code tells a prompt twice, as a turn and as a message of the context: the message counts. What an undo takes out of
the model's view was said all the same. The older one names no working folder but by a hash.

An answer is told in parts, each as it arrives: nothing is lost where it breaks off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.formats._shared.calls import call_of
from importer.formats._shared.told import (
    ID_BYTES,
    PLAN,
    THOUGHT,
    Context,
    Records,
    Unit,
    member,
    string,
    value,
)
from importer.formats._shared.turns import clip, stem

__all__ = ["NAME", "Context", "begin", "feed", "recognises", "roots", "wanted"]

NAME = "kimi"

WIRE = b"wire.jsonl"
MAIN = "main"
ROLES = frozenset(("user", "assistant", "system", "tool", "developer"))


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folders of sessions of both programs."""
    new, old = environ.get("KIMI_CODE_HOME") or f"{home}/.kimi-code", environ.get("KIMI_SHARE_DIR") or f"{home}/.kimi"
    return (f"{new}/sessions", f"{old}/sessions")


def wanted(relative: bytes) -> bool:
    """Return True for a wire; the context beside it is rewritten."""
    return relative.rpartition(b"/")[2] == WIRE


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for the metadata of the protocol in the first line."""
    return any(record.get("type") == "metadata" and "protocol_version" in record for record in records[:2])


def begin(path: bytes) -> Context:
    """Return the context before the first line: folders name the session, and the agent if it is not the main one."""
    *folders, name = path.decode("utf-8", "replace").split("/")
    if name.encode() != WIRE:
        return Context(session=clip(stem(path), ID_BYTES))
    agent = ""
    if len(folders) > 2 and folders[-2] in ("agents", "subagents"):
        agent = "" if folders[-1] == MAIN else folders[-1]
        folders = folders[:-2]
    return Context(session=clip(folders[-1] if folders else "", ID_BYTES) or "wire", agent=clip(agent, ID_BYTES))


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a record of either program says."""
    message = record.get("message")
    if "timestamp" in record and isinstance(message, dict) and "payload" in message:
        yield from _old(string(message, "type"), message["payload"], record["timestamp"])
    elif string(record, "type") == "context.append_message":
        role = string(message, "role")
        if role == "user" and string(message, "origin", "kind") in ("", "user"):
            yield Unit(role="user", text=member(message, "content"), at=record.get("time"))
        elif role not in ROLES:
            yield Unit(unknown=1)
    elif string(record, "type") == "context.append_loop_event":
        event = record.get("event")
        yield from _part(string(event, "type"), event if isinstance(event, dict) else {}, record.get("time"))
    elif not isinstance(record.get("type"), str):
        yield Unit(unknown=1)


def _part(kind: str, event: dict[str, Any], at: Any) -> Iterator[Unit]:
    """Yield what an event of the loop says: a part of an answer, a call, what came back."""
    part = event.get("part")
    if kind == "content.part" and string(part, "type") in ("think", "thinking"):
        yield Unit(role="assistant", kind=THOUGHT, text=string(part, "think") or string(part, "text"), at=at)
    elif kind == "content.part":
        yield Unit(role="assistant", text=part, at=at)
    elif kind == "tool.call":
        call = call_of(event.get("name"), value(event.get("args") or event.get("arguments")))
        yield Unit(role="assistant", tools=call.tools, files=call.files, at=at)
    elif not kind:
        yield Unit(unknown=1)


def _old(kind: str, payload: Any, at: Any) -> Iterator[Unit]:
    """Yield what a message of the older program says."""
    if kind in ("TurnBegin", "SteerInput"):
        yield Unit(role="user", text=member(payload, "user_input") or member(payload, "input"), at=at)
    elif kind == "ContentPart" and string(payload, "type") == "think":
        yield Unit(role="assistant", kind=THOUGHT, text=string(payload, "think"), at=at)
    elif kind == "ContentPart":
        yield Unit(role="assistant", text=payload, at=at)
    elif kind == "PlanDisplay":
        yield Unit(role="assistant", kind=PLAN, text=member(payload, "content"), at=at)
    elif kind == "ToolCall":
        call = call_of(string(payload, "function", "name"), value(member(payload, "function", "arguments")))
        yield Unit(role="assistant", tools=call.tools, files=call.files, at=at)
    elif kind == "QuestionResponse":
        answers = member(payload, "answers")
        yield Unit(role="user", text=list(answers.values()) if isinstance(answers, dict) else answers, at=at)


feed = Records(_said).feed
