"""Places for words in the records of agents, chat programs and exports: lines, rows of databases, and journals.

A row or a journal is told first, as the importer does it, and what is told becomes lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

from planted_shapes import Place, Record

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


def _lines(units: Iterable[Any]) -> list[Record]:
    chain = sha256()
    return [raw.removesuffix(b"\n") for unit in units if (raw := queries.line(unit, chain))]


def _rows(name: str, *rows: dict[str, Any]) -> list[Record]:
    """Return the lines that are told of rows."""
    told = formats.load(name).told  # type: ignore[attr-defined]
    return _lines(unit for row in rows for unit in queries._told(told, row))


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


def _journal(name: str, path: str, *records: Any, **files: Any) -> list[Record]:
    """Return the lines that are told of a journal."""
    return _lines(formats.load(name).replayed(InMemory(path, *records, **files)))  # type: ignore[attr-defined]


def _said(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def _pi(**message: Any) -> list[Record]:
    return [{"type": "message", "id": "a1", "timestamp": STAMP, "message": message}]


def _qwen(**fields: Any) -> list[Record]:
    return [{"uuid": "u", "sessionId": "s", "timestamp": STAMP, "type": "user", **fields}]


def _kimi(**fields: Any) -> list[Record]:
    return [{"time": 1767258000000, **fields}]


def _old_kimi(kind: str, payload: Any) -> list[Record]:
    return [{"timestamp": 1767258000.5, "message": {"type": kind, "payload": payload}}]


def _step(**fields: Any) -> list[Record]:
    return [{"step_index": 0, "source": "USER_EXPLICIT", "status": "DONE", "created_at": STAMP, **fields}]


def _goose(content: Any) -> list[Record]:
    row = {"id": 1, "message": "m", "role": "user", "at": 1767258000, "metadata": None}
    return _rows("goose", {**row, "content": json.dumps(content)})


def _zed(*messages: Any) -> list[Record]:
    row = {"summary": "t", "parent": None, "folders": None, "at": None}
    return _rows("zed", {**row, "data": json.dumps({"title": "t", "messages": list(messages)})})


def _crush(parts: Any, role: str = "user") -> list[Record]:
    row = {"id": "m", "role": role, "at": 1767258000, "model": None, "finished": 1, "summary": 0}
    return _rows("crush", {**row, "parts": json.dumps(parts)})


def _bubble(**bubble: Any) -> list[Record]:
    return _rows("cursor", {"bubble": json.dumps({"bubbleId": "b", "createdAt": STAMP, **bubble})})


def _open_webui(chat: Any) -> list[Record]:
    return _rows("open-webui", {"title": "t", "chat": json.dumps(chat)})


def _opencode(part: Any, role: str = "user") -> list[Record]:
    head = json.dumps({"role": role, "time": {"created": 1, "completed": 2}})
    return _rows("opencode", {"id": "m", "at": 1767258000000, "head": head, "part": json.dumps(part)})


def _whole(kind: str, **data: Any) -> list[Record]:
    data = {"time": {"completed": 1}, **data}
    return _rows("opencode", {"type": kind, "id": "m", "at": 1767258000000, "whole": json.dumps(data)})


def _devin(message: Any) -> list[Record]:
    return _rows("devin", {"id": 1, "at": 1767258000, "message": json.dumps(message)})


def _cline(**row: Any) -> list[Record]:
    return [{"ts": 1767258000000, "type": "say", "say": "text", **row}]


def _lm(**version: Any) -> list[Record]:
    return [{"versions": [version], "currentlySelected": 0}]


def _grok(responses: Any) -> list[Record]:
    return [{"conversation": {"id": "g", "title": "t"}, "responses": responses}]


def _deepseek(message: Any) -> list[Record]:
    return [{"id": "d", "title": "t", "inserted_at": STAMP, "mapping": {"1": {"id": "1", "message": message}}}]


def _le_chat(**message: Any) -> list[Record]:
    return [json.dumps([{"id": "m", "chatId": "k", "role": "user", "createdAt": STAMP, **message}])]


def _librechat(**message: Any) -> list[Record]:
    return [{"messageId": "a", "isCreatedByUser": True, "createdAt": STAMP, **message}]


def _studio(chunks: Any) -> list[Record]:
    return [{"runSettings": {}, "chunkedPrompt": {"chunks": chunks}}]


def _kiro(**turn: Any) -> list[Record]:
    history = [{"user": {"content": {"ToolUseResults": {}}}, "assistant": None, **turn}]
    return _rows("kiro", {"folder": "/x", "at": 1, "value": json.dumps({"conversation_id": "c", "history": history})})


def _kiro_line(kind: str, data: Any) -> list[Record]:
    return _journal("kiro", "/k/sessions/cli/k.jsonl", {"version": "v1", "kind": kind, "data": data})


def _forge(messages: Any) -> list[Record]:
    return _rows("forge", {"title": "t", "at": 1, "context": json.dumps({"messages": messages})})


def _update(update: Any) -> list[Record]:
    record = {"timestamp": 1767258000, "method": "session/update", "params": {"_meta": {}, "update": update}}
    ended = {"timestamp": 1767258009, "params": {"update": {"sessionUpdate": "turn_completed"}}}
    return _journal("grok-build", "/g/sessions/%2Fx/s/updates.jsonl", record, ended)


def _junie(**event: Any) -> list[Record]:
    return _journal("junie", "/j/sessions/session-1/events.jsonl", {"timestampMs": 1767258000000, **event})


def _block(**block: Any) -> list[Record]:
    return _junie(kind="SessionA2uxEvent", event={"state": "COMPLETED", "agentEvent": {"stepId": "s", **block}})


def _hands(event: Any) -> list[Record]:
    return _journal("openhands", "/o/conversations/c/base_state.json", {}, **{"events/event-00000-e.json": event})


def _hands_says(content: Any, **more: Any) -> list[Record]:
    return _hands({"kind": "MessageEvent", "source": "user", "llm_message": {"content": content}, **more})


PLACES: dict[str, dict[str, Place]] = {
    "pi": {
        "prompt": lambda x: _pi(role="user", content=x),
        "answer": lambda x: _pi(role="assistant", content=x),
        "message": lambda x: [{"type": "message", "id": "a1", "timestamp": STAMP, "message": x}],
        "summary": lambda x: [{"type": "compaction", "id": "a", "timestamp": STAMP, "summary": x}],
    },
    "qwen": {
        "part": lambda x: _qwen(message={"role": "user", "parts": [x]}),
        "parts": lambda x: _qwen(message={"role": "user", "parts": x}),
        "text": lambda x: _qwen(message={"role": "user", "parts": [{"text": x}]}),
        "answer": lambda x: _qwen(type="assistant", message={"role": "model", "parts": [{"text": x}]}),
        "message": lambda x: _qwen(message=x),
        "shown": lambda x: _qwen(message={"role": "user", "parts": []}, systemPayload={"displayText": x}),
    },
    "kimi": {
        "prompt": lambda x: _kimi(type="context.append_message", message=_said("user", x)),
        "message": lambda x: _kimi(type="context.append_message", message=x),
        "part": lambda x: _kimi(type="context.append_loop_event", event={"type": "content.part", "part": x}),
        "event": lambda x: _kimi(type="context.append_loop_event", event=x),
        "text": lambda x: _kimi(
            type="context.append_loop_event", event={"type": "content.part", "part": {"type": "text", "text": x}}
        ),
        "older prompt": lambda x: _old_kimi("TurnBegin", {"user_input": x}),
        "older answer": lambda x: _old_kimi("ContentPart", {"type": "text", "text": x}),
        "answers": lambda x: _old_kimi("QuestionResponse", {"answers": {"q": x}}),
    },
    "antigravity": {
        "prompt": lambda x: _step(type="USER_INPUT", content=x),
        "answer": lambda x: _step(type="PLANNER_RESPONSE", source="MODEL", content=x),
    },
    "droid": {
        "prompt": lambda x: [{"type": "message", "id": "m", "timestamp": STAMP, "message": _said("user", x)}],
        "answer": lambda x: [{"type": "message", "id": "m", "timestamp": STAMP, "message": _said("assistant", x)}],
        "message": lambda x: [{"type": "message", "id": "m", "timestamp": STAMP, "message": x}],
        "captured": lambda x: [{"type": "message", "session_id": "s", "timestamp": STAMP, "role": "user", "text": x}],
        "end": lambda x: [{"type": "completion", "session_id": "s", "timestamp": STAMP, "finalText": x}],
    },
    "vibe": {
        "prompt": lambda x: [{"message_id": "m", **_said("user", x)}],
        "answer": lambda x: [{"message_id": "m", **_said("assistant", x)}],
        "shown": lambda x: [{"message_id": "m", "user_display_content": x, **_said("user", "")}],
    },
    "jan": {
        "content": lambda x: [{"object": "thread.message", "thread_id": "t", **_said("user", x)}],
        "value": lambda x: [
            {"object": "thread.message", "thread_id": "t", **_said("user", [{"type": "text", "text": {"value": x}}])}
        ],
    },
    "cursor": {
        "prompt": lambda x: [{"role": "user", "message": {"content": x}}],
        "answer": lambda x: [{"role": "assistant", "message": {"content": x}}],
        "message": lambda x: [{"role": "user", "message": x}],
        "bubble": lambda x: _bubble(type=1, text=x),
        "answer bubble": lambda x: _bubble(type=2, text=x),
        "blob": lambda x: _rows("cursor", {"blob": json.dumps(_said("assistant", x))}),
    },
    "cline": {
        "text": lambda x: _cline(text=x),
        "feedback": lambda x: [*_cline(text="a"), *_cline(say="user_feedback", text=x)],
        "result": lambda x: [*_cline(text="a"), *_cline(say="completion_result", text=x)],
        "prompt": lambda x: [{"id": "m", "ts": 1767258000000, **_said("user", x)}],
        "answer": lambda x: [{"id": "m", "ts": 1767258000000, **_said("assistant", x)}],
    },
    "lm-studio": {
        "content": lambda x: _lm(role="user", content=x),
        "step": lambda x: _lm(role="assistant", steps=[{"type": "contentBlock", "content": x}]),
        "steps": lambda x: _lm(role="assistant", steps=x),
        "versions": lambda x: [{"versions": x, "currentlySelected": 0}],
    },
    "goose": {
        "content": _goose,
        "block": lambda x: _goose([{"type": "text", "text": x}]),
        "older": lambda x: [{"id": "m", "created": 1767258000, **_said("user", x)}],
    },
    "zed": {
        "text": lambda x: _zed({"User": {"content": [{"Text": x}]}}),
        "blocks": lambda x: _zed({"User": {"content": x}}),
        "answer": lambda x: _zed({"Agent": {"content": [{"Text": x}]}}),
        "message": lambda x: _zed(x),
        "older": lambda x: _zed({"role": "user", "segments": [{"type": "text", "text": x}]}),
        "parts": lambda x: _zed({"role": "user", "segments": x}),
    },
    "crush": {
        "parts": _crush,
        "text": lambda x: _crush([{"type": "text", "data": {"text": x}}]),
        "data": lambda x: _crush([{"type": "text", "data": x}]),
        "answer": lambda x: _crush([{"type": "text", "data": {"text": x}}], "assistant"),
    },
    "open-webui": {
        "content": lambda x: _open_webui({"history": {"messages": {"a": {"id": "a", **_said("user", x)}}}}),
        "nodes": lambda x: _open_webui({"history": {"messages": x}}),
    },
    "opencode": {
        "text": lambda x: _opencode({"type": "text", "text": x}),
        "answer": lambda x: _opencode({"type": "text", "text": x}, "assistant"),
        "part": _opencode,
        "user": lambda x: _whole("user", text=x),
        "parts": lambda x: _whole("assistant", content=x),
        "whole answer": lambda x: _whole("assistant", content=[{"type": "text", "text": x}]),
    },
    "grok": {
        "message": lambda x: _grok([{"response": {"sender": "human", "message": x}}]),
        "response": lambda x: _grok([x]),
        "responses": _grok,
    },
    "deepseek": {
        "content": lambda x: _deepseek({"fragments": [{"type": "REQUEST", "content": x}]}),
        "fragments": lambda x: _deepseek({"fragments": x}),
        "older": lambda x: _deepseek({"role": "USER", "content": x}),
        "message": _deepseek,
        "mapping": lambda x: [{"id": "d", "title": "t", "inserted_at": STAMP, "mapping": x}],
    },
    "le-chat": {
        "content": lambda x: _le_chat(content=x),
        "chunks": lambda x: _le_chat(content="", contentChunks=x),
        "messages": lambda x: [json.dumps(x if isinstance(x, list) else [x])],
    },
    "librechat": {
        "text": lambda x: _librechat(text=x),
        "content": lambda x: _librechat(text="", content=x),
        "children": lambda x: _librechat(text="a", children=x),
    },
    "ai-studio": {
        "text": lambda x: _studio([{"role": "user", "text": x}]),
        "parts": lambda x: _studio([{"role": "model", "text": "", "parts": x}]),
        "chunks": _studio,
    },
    "amp": {
        "prompt": lambda x: [{"messageId": 1, **_said("user", x)}],
        "answer": lambda x: [{"messageId": 1, **_said("assistant", x)}],
    },
    "kiro": {
        "prompt": lambda x: _kiro(user={"content": {"Prompt": {"prompt": x}}}),
        "answer": lambda x: _kiro(assistant={"Response": {"content": x}}),
        "user": lambda x: _kiro(user={"content": x}),
        "answer turn": lambda x: _kiro(assistant=x),
        "history": lambda x: _rows("kiro", {"folder": "/x", "at": 1, "value": json.dumps({"history": x})}),
        "line": lambda x: _kiro_line("Prompt", {"content": [{"kind": "text", "data": x}]}),
        "blocks": lambda x: _kiro_line("AssistantMessage", {"content": x}),
        "data": lambda x: _kiro_line("Prompt", x),
    },
    "forge": {
        "content": lambda x: _forge([{"message": {"text": _said("User", x)}}]),
        "answer": lambda x: _forge([{"message": {"text": _said("Assistant", x)}}]),
        "raw": lambda x: _forge([{"message": {"text": {"role": "User", "content": "a", "raw_content": {"Text": x}}}}]),
        "message": lambda x: _forge([{"message": x}]),
        "messages": _forge,
    },
    "warp": {
        "query": lambda x: _rows(
            "warp", {"id": 1, "at": None, "folder": "", "model": "", "input": json.dumps([{"Query": {"text": x}}])}
        ),
    },
    "grok-build": {
        "prompt": lambda x: _update({"sessionUpdate": "user_message_chunk", "content": x}),
        "answer": lambda x: _update({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": x}}),
        "update": _update,
        "history": lambda x: _journal(
            "grok-build", "/g/sessions/x/s/chat_history.jsonl", {"type": "user", "content": x}
        ),
    },
    "junie": {
        "prompt": lambda x: _junie(kind="UserPromptEvent", prompt=x),
        "shown": lambda x: _junie(kind="UserPromptEvent", prompt="", presentablePrompt=x),
        "answer": lambda x: _block(kind="MarkdownBlockUpdatedEvent", text=x),
        "result": lambda x: _block(kind="ResultBlockUpdatedEvent", result=x),
    },
    "openhands": {
        "prompt": _hands_says,
        "answer": lambda x: _hands_says(x, source="agent"),
        "thought": lambda x: _hands({"kind": "ActionEvent", "tool_name": "bash", "thought": x}),
        "finish": lambda x: _hands({"kind": "ActionEvent", "tool_name": "finish", "action": {"message": x}}),
        "event": _hands,
    },
    "devin": {
        "content": lambda x: _devin({"message_id": "m", "metadata": {"is_user_input": True}, **_said("user", x)}),
        "answer": lambda x: _devin({"message_id": "m", **_said("assistant", x)}),
        "message": _devin,
    },
}
