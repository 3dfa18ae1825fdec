"""Places for words in the records of agents, chat programs and exports, which `talk_records` makes."""

from __future__ import annotations

import json

from planted_shapes import Place
from talk_records import (
    RECORDS,
    STAMP,
    activity,
    anythingllm,
    block,
    bubble,
    cline,
    crush,
    deepseek,
    devin,
    forge,
    goose,
    grok,
    hands,
    hands_says,
    hermes,
    journal,
    junie,
    kimi,
    kiro,
    kiro_line,
    le_chat,
    librechat,
    lm,
    old_kimi,
    open_webui,
    opencode,
    pi,
    qwen,
    rows,
    said,
    step,
    studio,
    update,
    whole,
    zed,
)

__all__ = ["PLACES", "RECORDS"]

PLACES: dict[str, dict[str, Place]] = {
    "pi": {
        "prompt": lambda x: pi(role="user", content=x),
        "answer": lambda x: pi(role="assistant", content=x),
        "message": lambda x: [{"type": "message", "id": "a1", "timestamp": STAMP, "message": x}],
        "summary": lambda x: [{"type": "compaction", "id": "a", "timestamp": STAMP, "summary": x}],
    },
    "qwen": {
        "part": lambda x: qwen(message={"role": "user", "parts": [x]}),
        "parts": lambda x: qwen(message={"role": "user", "parts": x}),
        "text": lambda x: qwen(message={"role": "user", "parts": [{"text": x}]}),
        "answer": lambda x: qwen(type="assistant", message={"role": "model", "parts": [{"text": x}]}),
        "message": lambda x: qwen(message=x),
        "shown": lambda x: qwen(message={"role": "user", "parts": []}, systemPayload={"displayText": x}),
    },
    "kimi": {
        "prompt": lambda x: kimi(type="context.append_message", message=said("user", x)),
        "message": lambda x: kimi(type="context.append_message", message=x),
        "part": lambda x: kimi(type="context.append_loop_event", event={"type": "content.part", "part": x}),
        "event": lambda x: kimi(type="context.append_loop_event", event=x),
        "text": lambda x: kimi(
            type="context.append_loop_event", event={"type": "content.part", "part": {"type": "text", "text": x}}
        ),
        "older prompt": lambda x: old_kimi("TurnBegin", {"user_input": x}),
        "older answer": lambda x: old_kimi("ContentPart", {"type": "text", "text": x}),
        "answers": lambda x: old_kimi("QuestionResponse", {"answers": {"q": x}}),
    },
    "antigravity": {
        "prompt": lambda x: step(type="USER_INPUT", content=x),
        "answer": lambda x: step(type="PLANNER_RESPONSE", source="MODEL", content=x),
    },
    "droid": {
        "prompt": lambda x: [{"type": "message", "id": "m", "timestamp": STAMP, "message": said("user", x)}],
        "answer": lambda x: [{"type": "message", "id": "m", "timestamp": STAMP, "message": said("assistant", x)}],
        "message": lambda x: [{"type": "message", "id": "m", "timestamp": STAMP, "message": x}],
        "captured": lambda x: [{"type": "message", "session_id": "s", "timestamp": STAMP, "role": "user", "text": x}],
        "end": lambda x: [{"type": "completion", "session_id": "s", "timestamp": STAMP, "finalText": x}],
    },
    "vibe": {
        "prompt": lambda x: [{"message_id": "m", **said("user", x)}],
        "answer": lambda x: [{"message_id": "m", **said("assistant", x)}],
        "shown": lambda x: [{"message_id": "m", "user_display_content": x, **said("user", "")}],
    },
    "jan": {
        "content": lambda x: [{"object": "thread.message", "thread_id": "t", **said("user", x)}],
        "value": lambda x: [
            {"object": "thread.message", "thread_id": "t", **said("user", [{"type": "text", "text": {"value": x}}])}
        ],
    },
    "cursor": {
        "prompt": lambda x: [{"role": "user", "message": {"content": x}}],
        "answer": lambda x: [{"role": "assistant", "message": {"content": x}}],
        "message": lambda x: [{"role": "user", "message": x}],
        "bubble": lambda x: bubble(type=1, text=x),
        "answer bubble": lambda x: bubble(type=2, text=x),
        "blob": lambda x: rows("cursor", {"blob": json.dumps(said("assistant", x))}),
    },
    "cline": {
        "text": lambda x: cline(text=x),
        "feedback": lambda x: [*cline(text="a"), *cline(say="user_feedback", text=x)],
        "result": lambda x: [*cline(text="a"), *cline(say="completion_result", text=x)],
        "prompt": lambda x: [{"id": "m", "ts": 1767258000000, **said("user", x)}],
        "answer": lambda x: [{"id": "m", "ts": 1767258000000, **said("assistant", x)}],
    },
    "lm-studio": {
        "content": lambda x: lm(role="user", content=x),
        "step": lambda x: lm(role="assistant", steps=[{"type": "contentBlock", "content": x}]),
        "steps": lambda x: lm(role="assistant", steps=x),
        "versions": lambda x: [{"versions": x, "currentlySelected": 0}],
    },
    "goose": {
        "content": goose,
        "block": lambda x: goose([{"type": "text", "text": x}]),
        "older": lambda x: [{"id": "m", "created": 1767258000, **said("user", x)}],
    },
    "zed": {
        "text": lambda x: zed({"User": {"content": [{"Text": x}]}}),
        "blocks": lambda x: zed({"User": {"content": x}}),
        "answer": lambda x: zed({"Agent": {"content": [{"Text": x}]}}),
        "message": lambda x: zed(x),
        "older": lambda x: zed({"role": "user", "segments": [{"type": "text", "text": x}]}),
        "parts": lambda x: zed({"role": "user", "segments": x}),
    },
    "crush": {
        "parts": crush,
        "text": lambda x: crush([{"type": "text", "data": {"text": x}}]),
        "data": lambda x: crush([{"type": "text", "data": x}]),
        "answer": lambda x: crush([{"type": "text", "data": {"text": x}}], "assistant"),
    },
    "open-webui": {
        "content": lambda x: open_webui({"history": {"messages": {"a": {"id": "a", **said("user", x)}}}}),
        "pasted": lambda x: open_webui(
            {
                "history": {
                    "messages": {
                        "a": {"id": "a", **said("user", "a"), "files": {"name": "Pasted_Text_1.txt", "content": x}}
                    }
                }
            }
        ),
        "nodes": lambda x: open_webui({"history": {"messages": x}}),
    },
    "opencode": {
        "text": lambda x: opencode({"type": "text", "text": x}),
        "answer": lambda x: opencode({"type": "text", "text": x}, "assistant"),
        "part": opencode,
        "user": lambda x: whole("user", text=x),
        "parts": lambda x: whole("assistant", content=x),
        "whole answer": lambda x: whole("assistant", content=[{"type": "text", "text": x}]),
    },
    "grok": {
        "message": lambda x: grok([{"response": {"sender": "human", "message": x}}]),
        "response": lambda x: grok([x]),
        "responses": grok,
    },
    "deepseek": {
        "content": lambda x: deepseek({"fragments": [{"type": "REQUEST", "content": x}]}),
        "fragments": lambda x: deepseek({"fragments": x}),
        "older": lambda x: deepseek({"role": "USER", "content": x}),
        "message": deepseek,
        "mapping": lambda x: [{"id": "d", "title": "t", "inserted_at": STAMP, "mapping": x}],
    },
    "le-chat": {
        "content": lambda x: le_chat(content=x),
        "chunks": lambda x: le_chat(content="", contentChunks=x),
        "messages": lambda x: [json.dumps(x if isinstance(x, list) else [x])],
    },
    "librechat": {
        "text": lambda x: librechat(text=x),
        "content": lambda x: librechat(text="", content=x),
        "children": lambda x: librechat(text="a", children=x),
    },
    "ai-studio": {
        "text": lambda x: studio([{"role": "user", "text": x}]),
        "parts": lambda x: studio([{"role": "model", "text": "", "parts": x}]),
        "chunks": studio,
    },
    "amp": {
        "prompt": lambda x: [{"messageId": 1, **said("user", x)}],
        "answer": lambda x: [{"messageId": 1, **said("assistant", x)}],
    },
    "kiro": {
        "prompt": lambda x: kiro(user={"content": {"Prompt": {"prompt": x}}}),
        "answer": lambda x: kiro(assistant={"Response": {"content": x}}),
        "user": lambda x: kiro(user={"content": x}),
        "answer turn": lambda x: kiro(assistant=x),
        "history": lambda x: rows("kiro", {"folder": "/x", "at": 1, "value": json.dumps({"history": x})}),
        "line": lambda x: kiro_line("Prompt", {"content": [{"kind": "text", "data": x}]}),
        "blocks": lambda x: kiro_line("AssistantMessage", {"content": x}),
        "data": lambda x: kiro_line("Prompt", x),
    },
    "forge": {
        "content": lambda x: forge([{"message": {"text": said("User", x)}}]),
        "answer": lambda x: forge([{"message": {"text": said("Assistant", x)}}]),
        "raw": lambda x: forge([{"message": {"text": {"role": "User", "content": "a", "raw_content": {"Text": x}}}}]),
        "message": lambda x: forge([{"message": x}]),
        "messages": forge,
    },
    "warp": {
        "query": lambda x: rows(
            "warp", {"id": 1, "at": None, "folder": "", "model": "", "input": json.dumps([{"Query": {"text": x}}])}
        ),
    },
    "grok-build": {
        "prompt": lambda x: update({"sessionUpdate": "user_message_chunk", "content": x}),
        "answer": lambda x: update({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": x}}),
        "update": update,
        "history": lambda x: journal(
            "grok-build", "/g/sessions/x/s/chat_history.jsonl", {"type": "user", "content": x}
        ),
    },
    "junie": {
        "prompt": lambda x: junie(kind="UserPromptEvent", prompt=x),
        "shown": lambda x: junie(kind="UserPromptEvent", prompt="", presentablePrompt=x),
        "answer": lambda x: block(kind="MarkdownBlockUpdatedEvent", text=x),
        "result": lambda x: block(kind="ResultBlockUpdatedEvent", result=x),
    },
    "openhands": {
        "prompt": hands_says,
        "answer": lambda x: hands_says(x, source="agent"),
        "thought": lambda x: hands({"kind": "ActionEvent", "tool_name": "bash", "thought": x}),
        "finish": lambda x: hands({"kind": "ActionEvent", "tool_name": "finish", "action": {"message": x}}),
        "event": hands,
    },
    "claude-history": {
        "display": lambda x: [{"display": x, "timestamp": 1767258000000, "project": "/p"}],
        "pasted": lambda x: [
            {"display": "a [Pasted text #1]", "timestamp": 1, "project": "/p", "pastedContents": {"1": {"content": x}}}
        ],
        "pastes": lambda x: [{"display": "a", "timestamp": 1, "project": "/p", "pastedContents": x}],
    },
    "takeout": {
        "prompt": lambda x: [{**activity("a"), "title": x}],
        "answer": lambda x: [activity([{"html": x}])],
        "response": lambda x: [activity([x])],
        "responses": lambda x: [activity(x)],
    },
    "hermes": {
        "parts": lambda x: hermes("user", x),
        "answer": lambda x: hermes("assistant", x),
    },
    "anythingllm": {
        "text": lambda x: anythingllm({"text": x}),
        "response": anythingllm,
    },
    "devin": {
        "content": lambda x: devin({"message_id": "m", "metadata": {"is_user_input": True}, **said("user", x)}),
        "answer": lambda x: devin({"message_id": "m", **said("assistant", x)}),
        "message": devin,
    },
}
