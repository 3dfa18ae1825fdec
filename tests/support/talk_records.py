"""Make records of agents, chat programs and exports around given words: lines, rows of databases, and journals.

A row or a journal is told first, as the importer does it, and what is told becomes lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

from planted_shapes import Record

from importer import formats
from importer.sources.databases import queries

STAMP = "2026-01-01T09:00:00.000Z"
RECORDS = (
    *(
        "message",
        "messages",
        "blocks",
        "parts",
        "part",
        "history",
        "turn",
        "responses",
        "response",
        "mapping",
        "chunks",
    ),
    *("fragments", "children", "steps", "nodes", "user", "answer turn", "event", "versions", "update", "data"),
)


def lines(units: Iterable[Any]) -> list[Record]:
    chain = sha256()
    return [raw.removesuffix(b"\n") for unit in units if (raw := queries.line(unit, chain))]


def rows(name: str, *rows: dict[str, Any]) -> list[Record]:
    """Return the lines that are told of rows."""
    told = formats.load(name).told  # type: ignore[attr-defined]
    return lines(unit for row in rows for unit in queries._told(told, row))


class InMemory:
    """The pieces of a journal whose files are given by name."""

    def __init__(self, path: str, *records: Any, **files: Any) -> None:
        self.path = path.encode()
        self._lines = [json.dumps(one).encode() + b"\n" for one in records]
        self._files = files

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of the main file."""
        return iter(self._lines)

    def read(self, name: str) -> bytes:
        """Return a file."""
        return json.dumps(self._files[name]).encode() if name in self._files else b""

    def names(self, name: str) -> list[str]:
        """Return the files in a folder."""
        return [one.removeprefix(f"{name}/") for one in self._files if one.startswith(f"{name}/")]


def journal(name: str, path: str, *records: Any, **files: Any) -> list[Record]:
    """Return the lines that are told of a journal."""
    return lines(formats.load(name).replayed(InMemory(path, *records, **files)))  # type: ignore[attr-defined]


def said(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def pi(**message: Any) -> list[Record]:
    return [{"type": "message", "id": "a1", "timestamp": STAMP, "message": message}]


def qwen(**fields: Any) -> list[Record]:
    return [{"uuid": "u", "sessionId": "s", "timestamp": STAMP, "type": "user", **fields}]


def kimi(**fields: Any) -> list[Record]:
    return [{"time": 1767258000000, **fields}]


def old_kimi(kind: str, payload: Any) -> list[Record]:
    return [{"timestamp": 1767258000.5, "message": {"type": kind, "payload": payload}}]


def step(**fields: Any) -> list[Record]:
    return [{"step_index": 0, "source": "USER_EXPLICIT", "status": "DONE", "created_at": STAMP, **fields}]


def goose(content: Any) -> list[Record]:
    row = {"id": 1, "message": "m", "role": "user", "at": 1767258000, "metadata": None}
    return rows("goose", {**row, "content": json.dumps(content)})


def zed(*messages: Any) -> list[Record]:
    row = {"summary": "t", "parent": None, "folders": None, "at": None}
    return rows("zed", {**row, "data": json.dumps({"title": "t", "messages": list(messages)})})


def crush(parts: Any, role: str = "user") -> list[Record]:
    row = {"id": "m", "role": role, "at": 1767258000, "model": None, "finished": 1, "summary": 0}
    return rows("crush", {**row, "parts": json.dumps(parts)})


def bubble(**bubble: Any) -> list[Record]:
    return rows("cursor", {"bubble": json.dumps({"bubbleId": "b", "createdAt": STAMP, **bubble})})


def open_webui(chat: Any) -> list[Record]:
    return rows("open-webui", {"title": "t", "chat": json.dumps(chat)})


def opencode(part: Any, role: str = "user") -> list[Record]:
    head = json.dumps({"role": role, "time": {"created": 1, "completed": 2}})
    return rows("opencode", {"id": "m", "at": 1767258000000, "head": head, "part": json.dumps(part)})


def whole(kind: str, **data: Any) -> list[Record]:
    data = {"time": {"completed": 1}, **data}
    return rows("opencode", {"type": kind, "id": "m", "at": 1767258000000, "whole": json.dumps(data)})


def devin(message: Any) -> list[Record]:
    return rows("devin", {"id": 1, "at": 1767258000, "message": json.dumps(message)})


def cline(**row: Any) -> list[Record]:
    return [{"ts": 1767258000000, "type": "say", "say": "text", **row}]


def lm(**version: Any) -> list[Record]:
    return [{"versions": [version], "currentlySelected": 0}]


def grok(responses: Any) -> list[Record]:
    return [{"conversation": {"id": "g", "title": "t"}, "responses": responses}]


def deepseek(message: Any) -> list[Record]:
    return [{"id": "d", "title": "t", "inserted_at": STAMP, "mapping": {"1": {"id": "1", "message": message}}}]


def le_chat(**message: Any) -> list[Record]:
    return [json.dumps([{"id": "m", "chatId": "k", "role": "user", "createdAt": STAMP, **message}])]


def librechat(**message: Any) -> list[Record]:
    return [{"messageId": "a", "isCreatedByUser": True, "createdAt": STAMP, **message}]


def studio(chunks: Any) -> list[Record]:
    return [{"runSettings": {}, "chunkedPrompt": {"chunks": chunks}}]


def kiro(**turn: Any) -> list[Record]:
    history = [{"user": {"content": {"ToolUseResults": {}}}, "assistant": None, **turn}]
    return rows("kiro", {"folder": "/x", "at": 1, "value": json.dumps({"conversation_id": "c", "history": history})})


def kiro_line(kind: str, data: Any) -> list[Record]:
    return journal("kiro", "/k/sessions/cli/k.jsonl", {"version": "v1", "kind": kind, "data": data})


def forge(messages: Any) -> list[Record]:
    return rows("forge", {"title": "t", "at": 1, "context": json.dumps({"messages": messages})})


def update(update: Any) -> list[Record]:
    record = {"timestamp": 1767258000, "method": "session/update", "params": {"_meta": {}, "update": update}}
    ended = {"timestamp": 1767258009, "params": {"update": {"sessionUpdate": "turn_completed"}}}
    return journal("grok-build", "/g/sessions/%2Fx/s/updates.jsonl", record, ended)


def junie(**event: Any) -> list[Record]:
    return journal("junie", "/j/sessions/session-1/events.jsonl", {"timestampMs": 1767258000000, **event})


def block(**block: Any) -> list[Record]:
    return junie(kind="SessionA2uxEvent", event={"state": "COMPLETED", "agentEvent": {"stepId": "s", **block}})


def hands(event: Any) -> list[Record]:
    return journal("openhands", "/o/conversations/c/base_state.json", {}, **{"events/event-00000-e.json": event})


def hands_says(content: Any, **more: Any) -> list[Record]:
    return hands({"kind": "MessageEvent", "source": "user", "llm_message": {"content": content}, **more})


def activity(answers: Any) -> dict[str, Any]:
    """Return an activity of a Takeout with these answers."""
    return {"header": "Gemini Apps", "title": "Prompted a", "time": STAMP, "safeHtmlItem": answers}


def hermes(role: str, content: Any) -> list[Record]:
    row = {"id": 1, "role": role, "at": 1767258000, "calls": None, "thought": None, "display": None, "observed": 0}
    return rows("hermes", {**row, "tool": None, "call": None, "content": f"\0json:{json.dumps(content)}"})


def anythingllm(response: Any) -> list[Record]:
    return rows("anythingllm", {"id": 1, "at": 1, "prompt": "a", "response": json.dumps(response)})
