"""Make records of a tool's call and of what it gave back, as each assistant writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from planted_shapes import Record
from talk_records import STAMP, hands, journal, opencode, rows, said, zed

ID = "call_1"
Made = Callable[[str, Any, Any], list[Record]]


def _blocks(name: str, given: Any, result: Any, **wrong: Any) -> tuple[list[Any], list[Any]]:
    """Return the blocks of Anthropic's API."""
    return (
        [{"type": "tool_use", "id": ID, "name": name, "input": given}],
        [{"type": "tool_result", "tool_use_id": ID, "content": result, **wrong}],
    )


def _api(name: str, given: Any) -> list[Any]:
    """Return the calls that OpenAI's API has beside a message's content."""
    return [{"id": ID, "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}]


def _lines(wrap: Callable[[str, Any], Record]) -> Made:
    """Return a maker of messages with blocks, each in a record of its own."""

    def make(name: str, given: Any, result: Any) -> list[Record]:
        call, answer = _blocks(name, given, result)
        return [wrap("assistant", call), wrap("user", answer)]

    return make


def _amp(name: str, given: Any, result: Any) -> list[Record]:
    answer = {"type": "tool_result", "toolUseID": ID, "run": {"status": "done", "result": result}}
    call = {"role": "assistant", "messageId": 1, "content": _blocks(name, given, result)[0]}
    return [call, {"role": "user", "messageId": 2, "content": [answer]}]


def _pi(name: str, given: Any, result: Any) -> list[Record]:
    call = {"role": "assistant", "content": [{"type": "toolCall", "id": ID, "name": name, "arguments": given}]}
    answer = {"role": "toolResult", "toolCallId": ID, "toolName": name, "content": [{"type": "text", "text": result}]}
    return [
        {"type": "message", "id": str(n), "timestamp": STAMP, "message": one} for n, one in enumerate((call, answer))
    ]


def _qwen(name: str, given: Any, result: Any) -> list[Record]:
    common = {"uuid": "u", "sessionId": "s", "timestamp": STAMP}
    call = {"functionCall": {"id": ID, "name": name, "args": given}}
    answer = {"functionResponse": {"id": ID, "name": name, "response": {"output": result}}}
    return [
        {**common, "type": "assistant", "message": {"role": "model", "parts": [call]}},
        {**common, "type": "tool_result", "message": {"role": "user", "parts": [answer]}},
    ]


def _kimi(name: str, given: Any, result: Any) -> list[Record]:
    events = [
        {"type": "tool.call", "toolCallId": ID, "name": name, "args": given},
        {"type": "tool.result", "toolCallId": ID, "result": {"output": result}},
    ]
    return [{"type": "context.append_loop_event", "event": one, "time": 1767258000000} for one in events]


def _old_kimi(name: str, given: Any, result: Any) -> list[Record]:
    messages = [
        {"type": "ToolCall", "payload": _api(name, given)[0]},
        {"type": "ToolResult", "payload": {"tool_call_id": ID, "return_value": {"output": result}}},
    ]
    return [{"timestamp": 1767258000.5, "message": one} for one in messages]


def _vibe(name: str, given: Any, result: Any) -> list[Record]:
    call = {"message_id": "1", "role": "assistant", "content": "", "tool_calls": _api(name, given)}
    return [call, {"message_id": "2", "role": "tool", "content": result, "tool_call_id": ID, "name": name}]


def _bubble(name: str, given: Any, result: Any) -> list[Record]:
    tool = {"name": name, "toolCallId": ID, "params": json.dumps(given), "result": result}
    return rows("cursor", {"bubble": json.dumps({"type": 2, "bubbleId": "b", "text": "", "toolFormerData": tool})})


def _goose(name: str, given: Any, result: Any) -> list[Record]:
    call = {"status": "success", "value": {"name": name, "arguments": given}}
    answer = {"status": "success", "value": [{"type": "text", "text": result}]}
    contents = (
        ("assistant", {"type": "toolRequest", "id": ID, "toolCall": call}),
        ("user", {"type": "toolResponse", "id": ID, "toolResult": answer}),
    )
    row = {"message": None, "at": 1767258000, "metadata": None}
    return rows(
        "goose", *({**row, "id": n, "role": r, "content": json.dumps([c])} for n, (r, c) in enumerate(contents))
    )


def _zed(name: str, given: Any, result: Any) -> list[Record]:
    answer = {ID: {"tool_use_id": ID, "tool_name": name, "content": {"Text": result}}}
    call = {"ToolUse": {"id": ID, "name": name, "input": given}}
    return zed({"Agent": {"content": [call], "tool_results": answer}})


def _crush(name: str, given: Any, result: Any) -> list[Record]:
    call = {"type": "tool_call", "data": {"id": ID, "name": name, "input": json.dumps(given)}}
    answer = {"type": "tool_result", "data": {"tool_call_id": ID, "name": name, "content": result}}
    row = {"at": 1767258000, "model": None, "finished": 1, "summary": 0}
    parts = (("assistant", call), ("tool", answer))
    return rows("crush", *({**row, "id": r, "role": r, "parts": json.dumps([p])} for r, p in parts))


def _opencode(name: str, given: Any, result: Any) -> list[Record]:
    state = {"status": "error", "input": given, "error": result}
    return opencode({"type": "tool", "callID": ID, "tool": name, "state": state}, "assistant")


def _kiro(name: str, given: Any, result: Any) -> list[Record]:
    use = {"kind": "toolUse", "data": {"toolUseId": ID, "name": name, "input": given}}
    answer = {"kind": "toolResult", "data": {"toolUseId": ID, "content": [{"kind": "text", "data": result}]}}
    records = [
        {"version": "v1", "kind": kind, "data": {"content": [block]}}
        for kind, block in (("AssistantMessage", use), ("ToolResults", answer))
    ]
    return journal("kiro", "/k/sessions/cli/k.jsonl", *records)


def _old_kiro(name: str, given: Any, result: Any) -> list[Record]:
    use = {"ToolUse": {"message_id": "m", "content": "", "tool_uses": [{"id": ID, "name": name, "args": given}]}}
    answer = {"ToolUseResults": {"tool_use_results": [{"tool_use_id": ID, "content": [{"Text": result}]}]}}
    history = [{"user": None, "assistant": use}, {"user": {"content": answer}, "assistant": None}]
    return rows("kiro", {"folder": "/x", "at": 1, "value": json.dumps({"conversation_id": "c", "history": history})})


def _forge(name: str, given: Any, result: Any) -> list[Record]:
    call = {"text": {"role": "Assistant", "tool_calls": [{"call_id": ID, "name": name, "arguments": given}]}}
    answer = {"tool": {"call_id": ID, "name": name, "output": {"values": [{"text": result}]}}}
    talk = {"messages": [{"message": call}, {"message": answer}]}
    return rows("forge", {"title": "t", "at": 1, "context": json.dumps(talk)})


def _grok_build(name: str, given: Any, result: Any) -> list[Record]:
    updates = (
        {"sessionUpdate": "tool_call", "toolCallId": ID, "_meta": {"toolName": name}, "rawInput": given},
        {"sessionUpdate": "tool_call_update", "toolCallId": ID, "rawOutput": result},
    )
    records = [{"timestamp": 1767258000, "params": {"update": one}} for one in updates]
    return journal("grok-build", "/g/sessions/%2Fx/s/updates.jsonl", *records)


def _grok_history(name: str, given: Any, result: Any) -> list[Record]:
    call = {"type": "assistant", "content": "", "tool_calls": [{"id": ID, "name": name, "arguments": given}]}
    answer = {"type": "tool_result", "tool_call_id": ID, "content": result}
    return journal("grok-build", "/g/sessions/x/s/chat_history.jsonl", call, answer)


def _devin(name: str, given: Any, result: Any) -> list[Record]:
    messages = (
        {"message_id": "1", "role": "assistant", "tool_calls": [{"id": ID, "name": name, "arguments": given}]},
        {"message_id": "2", "role": "tool", "tool_call_id": ID, "content": result},
    )
    return rows("devin", *({"id": n, "at": 1767258000, "message": json.dumps(one)} for n, one in enumerate(messages)))


def _hermes(name: str, given: Any, result: Any) -> list[Record]:
    row = {"at": 1767258000.5, "calls": None, "thought": None, "display": None, "observed": 0, "tool": None}
    call = {**row, "id": 1, "role": "assistant", "content": "", "calls": json.dumps(_api(name, given)), "call": None}
    return rows("hermes", call, {**row, "id": 2, "role": "tool", "content": result, "tool": name, "call": ID})


def _claude(name: str, given: Any, result: Any) -> list[Record]:
    call, answer = _blocks(name, given, result, is_error=True)
    common = {"sessionId": "s", "timestamp": STAMP, "parentUuid": None}
    return [
        {**common, "uuid": "1", "type": "assistant", "message": said("assistant", call)},
        {**common, "uuid": "2", "type": "user", "message": said("user", answer)},
    ]


def _gemini(name: str, given: Any, result: Any) -> list[Record]:
    response = [{"functionResponse": {"id": ID, "name": name, "response": {"output": result}}}]
    call = {"id": ID, "name": name, "args": given, "result": response}
    return [{"id": "m", "timestamp": STAMP, "type": "gemini", "content": "", "toolCalls": [call]}]


def _codex(name: str, given: Any, result: Any) -> list[Record]:
    items = (
        {"type": "function_call", "name": name, "arguments": json.dumps(given), "call_id": ID},
        {"type": "function_call_output", "call_id": ID, "output": result},
    )
    return [{"type": "response_item", "timestamp": STAMP, "payload": one} for one in items]


def _copilot(name: str, given: Any, result: Any) -> list[Record]:
    common = {"id": "e", "timestamp": STAMP}
    request = {"toolCallId": ID, "name": name, "arguments": given}
    done = {"toolCallId": ID, "success": name.startswith("ask"), "result": {"content": result}}
    return [
        {**common, "type": "assistant.message", "data": {"content": "", "toolRequests": [request]}},
        {**common, "type": "tool.execution_complete", "data": done},
    ]


def _hands(name: str, given: Any, result: Any) -> list[Record]:
    call = {"kind": "ActionEvent", "id": "e1", "tool_name": name, "action": given}
    observed = {"content": [{"type": "text", "text": result}]}
    return [
        *hands(call),
        *hands({"kind": "ObservationEvent", "id": "e2", "action_id": "e1", "observation": observed}),
    ]


MADE: dict[str, Made] = {
    "amp": _amp,
    "antigravity": lambda name, given, result: [
        {"step_index": 1, "source": "MODEL", "type": "PLANNER_RESPONSE", "tool_calls": [{"name": name, "args": given}]}
    ],
    "claude-code": _claude,
    "cline": _lines(lambda role, content: {"id": role, "ts": 1767258000000, **said(role, content)}),
    "codex": _codex,
    "copilot-cli": _copilot,
    "crush": _crush,
    "cursor": _lines(lambda role, content: {"role": role, "message": {"content": content}}),
    "cursor bubble": _bubble,
    "devin": _devin,
    "droid": _lines(
        lambda role, content: {"type": "message", "id": role, "timestamp": STAMP, "message": said(role, content)}
    ),
    "forge": _forge,
    "gemini": _gemini,
    "goose": _goose,
    "grok-build": _grok_build,
    "grok-build history": _grok_history,
    "hermes": _hermes,
    "kimi": _kimi,
    "kimi old": _old_kimi,
    "kiro": _kiro,
    "kiro old": _old_kiro,
    "opencode": _opencode,
    "openhands": _hands,
    "pi": _pi,
    "qwen": _qwen,
    "vibe": _vibe,
    "zed": _zed,
}
