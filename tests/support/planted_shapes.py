"""Records of every format with words planted in odd shapes: what is asked is where each word went.

A shape is made of lists, objects and strings around words; each word is another one, so that the loss of one beside
others is seen. What stands beside the place in a record is as real writers have it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

Record = dict[str, Any] | bytes | str
Place = Callable[[Any], list[Record]]

MEMBERS = ("text", "content", "parts", "value", "refusal")
MEDIA = ("image", "audio", "document")  # of whose members only the text beside them is words
TYPES = ("text", "input_text", "output_text", "hologram", "markdownContent", *MEDIA)
RECORDS = (
    "message",
    "messages",
    "reply",
    "payload",
    "event payload",
    "data",
    "answer data",
    "list",
    "titled list",
    "set",
    "mapping",
    "attachment",
    "artifact input",
)
SCALARS = (None, True, False, 0, 7, 1.5, "", " ", [], {})
COPILOT = {"id": "e1", "timestamp": "2026-06-25T01:50:00.403Z"}
GEMINI = {"id": "m1", "timestamp": "2026-03-01T09:00:00.000Z"}
STAMP = "2026-02-11T20:31:54.120Z"
CLAUDE = {"sessionId": "s1", "uuid": "u1", "parentUuid": None, "timestamp": STAMP, "cwd": "/home/ann/app"}
CALLED = {"type": "tool_use", "id": "toolu_1"}


class Planter:
    """Draws shapes; `words` are those that it planted where a reader has to find or count them."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.words: list[str] = []

    def word(self) -> str:
        """Return a new word."""
        self.words.append(f"wren{len(self.words)}w")
        return self.words[-1]

    def shape(self, depth: int = 4) -> Any:
        """Return a value of any shape that has words in it, or none."""
        kind = self._chance.choice(("word", "word", "word", "list", "block", "block", "object", "scalar"))
        if kind == "word" or (depth == 0 and kind != "scalar"):
            return f"the {self.word()} sings"
        if kind == "scalar":
            return self._chance.choice(SCALARS)
        if kind == "list":
            return [self.shape(depth - 1) for _ in range(self._chance.randrange(4))]
        type_ = self._chance.choice(TYPES) if kind == "block" else ""
        names = self._chance.sample(MEMBERS, self._chance.randrange(1, 3))
        if type_ in MEDIA:
            names = ["text"]
        elif kind == "object" and self._chance.random() < 0.3:
            names = ["odd"]  # alone: beside words it is any of the marks that blocks have
        return {**({"type": type_} if type_ else {}), **{name: self.shape(depth - 1) for name in names}}

    def record(self) -> Any:
        """Return a value in the place of a whole record: not more than one member of an object is another's name."""
        kind = self._chance.choice(("shape", "list", "object"))
        if kind == "list":
            return [self.record() for _ in range(self._chance.randrange(3))]
        if kind == "object":
            return {self._chance.choice((*MEMBERS, "odd")): self.shape(2)}
        return self.shape(0)


def _claude(type_: str, **fields: Any) -> list[Record]:
    return [{**CLAUDE, "type": type_, **fields}]


def _called(name: str, **given: Any) -> list[Record]:
    return _claude("assistant", message={"role": "assistant", "content": [{**CALLED, "name": name, "input": given}]})


def _attached(**attachment: Any) -> list[Record]:
    return _claude("attachment", attachment=attachment)


def _queued(operation: str, **fields: Any) -> Record:
    return {"type": "queue-operation", "operation": operation, "timestamp": STAMP, "sessionId": "s1", **fields}


def _codex(type_: str, **payload: Any) -> list[Record]:
    return [{"type": type_, "timestamp": STAMP, "payload": payload}]


def _codex_call(name: str, **given: Any) -> list[Record]:
    return _codex("response_item", type="function_call", name=name, call_id="c1", arguments=json.dumps(given))


def _copilot(type_: str, **data: Any) -> list[Record]:
    return [{**COPILOT, "type": type_, "data": data}]


def _copilot_call(name: str, given: Any) -> list[Record]:
    return _copilot(
        "assistant.message", content="", toolRequests=[{"toolCallId": "c1", "name": name, "arguments": given}]
    )


def _gemini(type_: str, **fields: Any) -> list[Record]:
    return [{**GEMINI, "type": type_, **fields}]


def _chatgpt(message: Any) -> list[Record]:
    nodes = {"n": {"id": "n", "parent": None, "children": [], "message": message}}
    return [{"id": "c1", "title": "t", "current_node": "n", "mapping": nodes}]


def _claude_ai(**message: Any) -> list[Record]:
    return [{"uuid": "c1", "chat_messages": [{"uuid": "m1", "sender": "human", **message}]}]


def _vscode(**request: Any) -> list[Record]:
    return [{"sessionId": "s1"}, {"requestId": "r1", **request}]


def _continue(**item: Any) -> list[Record]:
    return [{"sessionId": "s"}, item]


PLACES: dict[str, dict[str, Place]] = {
    "claude-code": {
        "prompt": lambda x: _claude("user", message={"role": "user", "content": x}),
        "block": lambda x: _claude("user", message={"role": "user", "content": [{"type": "text", "text": x}]}),
        "both": lambda x: _claude("user", message={"role": "user", "content": x, "text": x}),
        "message": lambda x: _claude("user", message=x),
        "line": lambda x: _claude("user", content=x),
        "answer": lambda x: _claude("assistant", message={"role": "assistant", "content": x}),
        "reply": lambda x: _claude("assistant", message=x),
        "beside": lambda x: _claude(
            "user", message={"role": "user", "content": [{"type": "text", "text": "a", "content": x}]}
        ),
        "line beside": lambda x: _claude("user", message={"role": "user", "content": "a"}, content=x),
        "document": lambda x: _claude(
            "user", message={"role": "user", "content": [{"type": "document", "source": {"type": "text", "data": x}}]}
        ),
        "queue": lambda x: [_queued("enqueue", content=x), _queued("remove")],
        "removed": lambda x: [_queued("remove", content=x)],
        "operation": lambda x: [_queued("hurried", content=x)],
        "queued": lambda x: _attached(type="queued_command", prompt=x),
        "pasted": lambda x: _attached(type="pasted_text", content=x),
        "pasted contents": lambda x: _claude("user", message={"content": "a"}, pastedContents=x),
        "attachment": lambda x: _claude("attachment", attachment=x),
        "plan": lambda x: _called("ExitPlanMode", plan=x),
        "plan file": lambda x: _called("Write", file_path="/home/ann/.claude/plans/a.md", content=x),
        "note": lambda x: _called("SendUserMessage", message=x),
        "question": lambda x: _called("AskUserQuestion", questions=x),
        "asked": lambda x: _called("AskUserQuestion", questions=[{"question": x}]),
        "artifact": lambda x: _called("create_artifact", title="t", content=x),
        "answers": lambda x: _claude(
            "user",
            message={"content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}]},
            toolUseResult={"questions": [], "answers": {"Which?": x}},
        ),
    },
    "codex": {
        "prompt": lambda x: _codex("response_item", type="message", role="user", content=x),
        "answer": lambda x: _codex("response_item", type="message", role="assistant", content=x),
        "event": lambda x: _codex("event_msg", type="user_message", message=x),
        "payload": lambda x: [{"type": "response_item", "timestamp": STAMP, "payload": x}],
        "event payload": lambda x: [{"type": "event_msg", "timestamp": STAMP, "payload": x}],
        "plan item": lambda x: _codex("event_msg", type="item_completed", item={"type": "Plan", "text": x}),
        "plan": lambda x: _codex_call("update_plan", plan=x),
        "step": lambda x: _codex_call("update_plan", plan=[{"step": x}]),
        "question": lambda x: _codex_call("request_user_input", questions=x),
        "asked": lambda x: _codex_call("request_user_input", questions=[{"id": "a", "question": x}]),
        "answers": lambda x: [
            *_codex_call("request_user_input", questions=[{"id": "a", "question": "Which?"}]),
            *_codex(
                "response_item", type="function_call_output", call_id="c1", output=json.dumps({"answers": {"a": x}})
            ),
        ],
    },
    "gemini": {
        "prompt": lambda x: _gemini("user", content=x),
        "answer": lambda x: _gemini("gemini", content=x),
        "parts": lambda x: _gemini("user", parts=x),
        "shown": lambda x: _gemini("user", content="a", displayContent=x),
        "untyped": lambda x: [{**GEMINI, "content": x}],
        "untyped shown": lambda x: [{**GEMINI, "displayContent": x}],
        "two": lambda x: _gemini("user", content="", text=x),
        "named": lambda x: [{"sessionId": "s", "projectHash": "p", "type": "user", "content": x}],
        "list": lambda x: [{"sessionId": "s", "projectHash": "p"}, {"$set": {"messages": x}}],
        "in list": lambda x: [{"$set": {"messages": [{**GEMINI, "type": "user", "content": x}]}}],
        "set": lambda x: [{"$set": [x]}],
        "calls": lambda x: _gemini(
            "gemini", content="a", toolCalls=[{"id": "c", "name": "write_todos", "args": {"todos": x}}]
        ),
        "question": lambda x: _gemini(
            "gemini", content="a", toolCalls=[{"id": "c", "name": "ask_user", "args": {"questions": x}}]
        ),
    },
    "copilot-cli": {
        "prompt": lambda x: _copilot("user.message", content=x),
        "transformed": lambda x: _copilot("user.message", transformedContent=x),
        "answer": lambda x: _copilot("assistant.message", content=x),
        "data": lambda x: [{**COPILOT, "type": "user.message", "data": x}],
        "answer data": lambda x: [{**COPILOT, "type": "assistant.message", "data": x}],
        "plan": lambda x: _copilot("exit_plan_mode.requested", planContent=x),
        "todo": lambda x: _copilot_call("update_todo", {"todos": x}),
        "question": lambda x: _copilot_call("ask_user", {"question": x}),
        "answered": lambda x: [
            *_copilot_call("ask_user", {"question": "Which?"}),
            *_copilot("tool.execution_complete", toolCallId="c1", success=True, result={"content": x}),
        ],
    },
    "chatgpt": {
        "content": lambda x: _chatgpt({"author": {"role": "user"}, "content": x}),
        "parts": lambda x: _chatgpt({"author": "user", "content": {"content_type": "text", "parts": x}}),
        "answer": lambda x: _chatgpt(
            {"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": [x]}}
        ),
        "message": lambda x: _chatgpt(x),
        "mapping": lambda x: [{"id": "c1", "title": "t", "mapping": x}],
        "pasted": lambda x: _chatgpt(
            {"author": {"role": "user"}, "content": "a", "metadata": {"attachments": [{"extracted_content": x}]}}
        ),
    },
    "claude-ai": {
        "content": lambda x: _claude_ai(content=x),
        "block": lambda x: _claude_ai(content=[{"type": "text", "text": x}]),
        "text": lambda x: _claude_ai(text=x),
        "answer": lambda x: _claude_ai(sender="assistant", content=x),
        "messages": lambda x: [{"uuid": "c1", "chat_messages": x}],
        "message": lambda x: [{"uuid": "c1", "chat_messages": [x]}],
        "paste": lambda x: _claude_ai(attachments=[{"extracted_content": x}]),
        "artifact": lambda x: _claude_ai(
            sender="assistant", content=[{"type": "tool_use", "name": "artifacts", "input": {"content": x}}]
        ),
        "artifact input": lambda x: _claude_ai(
            sender="assistant", content=[{"type": "tool_use", "name": "artifacts", "input": x}]
        ),
    },
    "vscode-chat": {
        "message": lambda x: _vscode(message=x, response=[]),
        "text": lambda x: _vscode(message={"text": x, "parts": []}, response=[]),
        "parts": lambda x: _vscode(message={"text": "", "parts": x}, response=[]),
        "response": lambda x: _vscode(message="a", response=x),
        "markdown": lambda x: _vscode(message="a", response=[{"value": x}]),
        "content": lambda x: _vscode(message="a", response=[{"kind": "markdownContent", "content": x}]),
        "paste": lambda x: _vscode(
            message="a", response=[], variableData={"variables": [{"kind": "paste", "code": x}]}
        ),
        "no request": lambda x: [{"sessionId": "s1"}, {"response": x}],
        "plan": lambda x: _vscode(message="a", response=[{"kind": "planReview", "title": "t", "content": x}]),
        "comment": lambda x: _vscode(
            message="a", response=[{"kind": "planReview", "content": "t", "data": {"feedback": x}}]
        ),
        "form": lambda x: _vscode(
            message="a", response=[{"kind": "questionCarousel", "questions": [], "data": {"q": x}}]
        ),
    },
    "continue-dev": {
        "content": lambda x: _continue(message={"role": "user", "content": x}),
        "answer": lambda x: _continue(message={"role": "assistant", "content": x}),
        "message": lambda x: _continue(message=x),
        "bare": lambda x: _continue(role="user", content=x),
        "sideless": lambda x: _continue(content=x),
        "both": lambda x: _continue(message={"role": "user", "content": "a"}, content=x),
        "summary": lambda x: _continue(message={"role": "user", "content": "a"}, conversationSummary=x),
    },
    "jsonl-chat": {
        "content": lambda x: [{"role": "user", "content": x}],
        "two": lambda x: [{"role": "user", "content": "a", "text": x}],
        "in list": lambda x: [{"messages": [{"role": "user", "value": x}]}],
        "list": lambda x: [{"messages": x}],
        "titled list": lambda x: [{"title": "t", "messages": x}],
        "message": lambda x: [{"messages": [x]}],
        "completion": lambda x: [{"prompt": "a", "completion": x}],
        "prompt": lambda x: [{"id": "p1", "prompt": x}],
        "answers": lambda x: [{"prompt": "a", "completion": "b", "output": x}],
        "input": lambda x: [{"instruction": "a", "input": x, "output": "b"}],
        "sideless": lambda x: [{"id": "x", "content": x}],
    },
}
