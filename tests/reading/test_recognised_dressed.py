"""Files of every format in the dress that editors, crashes and newer versions give them: recognised, and read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from read_units import in_memory, units

from importer import formats
from importer.reading import recognition

LINE_BYTES = 32 * 1024 * 1024
STAMP = "2026-01-01T09:00:00.000Z"
STRANGE = {"type": "hologram", "n": 1}
SAID = "hi wren"
USER = {"role": "user", "content": SAID}
LINED: dict[str, list[dict[str, Any]]] = {
    "pi": [
        {"type": "session", "id": "0190", "timestamp": STAMP},
        {"type": "message", "id": "a", "timestamp": STAMP, "message": USER},
    ],
    "kimi": [
        {"type": "metadata", "protocol_version": "1.5"},
        {"type": "context.append_message", "message": USER, "time": 1},
    ],
    "qwen": [{"uuid": "u", "sessionId": "s", "type": "user", "message": {"role": "user", "parts": [{"text": SAID}]}}],
    "antigravity": [{"step_index": 0, "source": "USER_EXPLICIT", "type": "USER_INPUT", "content": SAID}],
    "droid": [{"type": "session_start", "id": "s1"}, {"type": "message", "id": "m", "message": USER}],
    "vibe": [{**USER, "message_id": "m1"}],
    "cursor": [{"role": "user", "message": {"content": [{"type": "text", "text": SAID}]}}],
    "jan": [{**USER, "id": "m", "object": "thread.message", "thread_id": "t"}],
    "goose": [{"description": "Fix", "working_dir": "/x"}, {**USER, "id": None, "created": 1780000000}],
    "claude-history": [{"display": SAID, "pastedContents": {}, "timestamp": 1780000000000, "project": "/x"}],
    "claude-code": [{"parentUuid": None, "uuid": "u", "type": "user", "sessionId": "s", "message": USER}],
    "codex": [
        {"type": "session_meta", "timestamp": STAMP, "payload": {"id": "x"}},
        {"type": "response_item", "timestamp": STAMP, "payload": {"type": "message", **USER}},
    ],
    "copilot-cli": [
        {"type": "session.start", "id": "e0", "timestamp": STAMP, "data": {"sessionId": "s"}},
        {"type": "user.message", "id": "e1", "timestamp": STAMP, "data": {"content": SAID}},
    ],
    "gemini": [
        {"sessionId": "s", "projectHash": "p", "startTime": STAMP},
        {"id": "m", "timestamp": STAMP, "type": "user", "content": SAID},
    ],
}
FRAGMENT = {"id": "1", "message": {"fragments": [{"type": "REQUEST", "content": SAID}]}}
DOCUMENTS: dict[str, Any] = {
    "grok": {
        "conversations": [
            {"conversation": {"id": "c"}, "responses": [{"response": {"sender": "human", "message": SAID}}]}
        ]
    },
    "deepseek": [{"id": "d1", "title": "t", "inserted_at": STAMP, "mapping": {"1": FRAGMENT}}],
    "le-chat": [{**USER, "id": "m1", "chatId": "k", "contentChunks": None, "createdAt": STAMP}],
    "takeout": [{"header": "Gemini Apps", "title": f"Prompted {SAID}", "time": STAMP, "safeHtmlItem": [{"html": "x"}]}],
    "ai-studio": {"runSettings": {}, "chunkedPrompt": {"chunks": [{"role": "user", "text": SAID}]}},
    "librechat": {"conversationId": "c", "endpoint": "e", "messages": [{"isCreatedByUser": True, "text": SAID}]},
    "amp": {"v": 1, "id": "T-1", "messages": [{**USER, "messageId": 0}]},
    "cline": [{"ts": 1, "type": "say", "say": "text", "text": SAID}],
    "lm-studio": {"name": "t", "createdAt": 1, "messages": [{"versions": [USER], "currentlySelected": 0}]},
}
MARK = b"\xef\xbb\xbf"
LONG = "x" * 90_000


def lines(*records: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in records)


def longer(value: Any) -> Any:
    """Return a value with a long text before what is said."""
    return json.loads(json.dumps(value).replace(SAID, f"{LONG} {SAID}"))


DRESSED_LINES: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "carriage returns": lambda records: lines(*records).replace(b"\n", b"\r\n"),
    "a mark of byte order": lambda records: MARK + lines(*records),
    "strange records first": lambda records: lines(*[STRANGE] * 25, *records),
    "many of them": lambda records: lines(*[{**STRANGE, "x": "y" * 1000}] * 200, *records),
    "NULs first": lambda records: b"\0" * 50 + b"\n" + lines(*records),
    "no last newline": lambda records: lines(*records)[:-1],
    "a long text": lambda records: lines(*longer(records)),
    "a long member first": lambda records: lines({"aaa": LONG, **records[0]}, *records[1:]),
    "no UTF-8 first": lambda records: b'{"type":"holo\xff\xfe"}\n' + lines(*records),
    "half a record first": lambda records: lines(*records)[:20] + b"\n" + lines(*records),
}
DRESSED_DOCUMENTS: dict[str, Callable[[Any], bytes]] = {
    "carriage returns": lambda value: json.dumps(value, indent=2).replace("\n", "\r\n").encode(),
    "a mark of byte order": lambda value: MARK + json.dumps(value).encode(),
    "blanks around": lambda value: b"\n\n  " + json.dumps(value).encode() + b"\n\n",
    "a long text": lambda value: json.dumps(longer(value)).encode(),
    "strange ones first": lambda value: json.dumps(
        [{}, *[{"hologram": 1}] * 22, *value]
        if isinstance(value, list)
        else {"aaa": LONG, **{f"m{at}": at for at in range(30)}, **value}
    ).encode(),
}


def read(raw: bytes) -> tuple[str | None, str]:
    """Return the format that a file is recognised as, and all that is said in it."""
    with in_memory(raw) as fd:
        name = recognition.recognise(fd, LINE_BYTES)
    texts, context = list[str](), formats.load(name).begin(b"/x/one.jsonl") if name else None
    for line in units(name, raw) if name else ():
        fed = formats.load(name or "").feed(context, line.raw, formats.Options())
        context = fed.context
        texts += [turn.text for turn in fed.turns]
    return name, "\n".join(texts)


@pytest.mark.parametrize("dress", DRESSED_LINES)
def test_lines(dress: str) -> None:
    """Of every format of JSON lines."""
    for name, records in LINED.items():
        found, said = read(DRESSED_LINES[dress](records))
        assert (found, SAID in said) == (name, True), name


@pytest.mark.parametrize("dress", DRESSED_DOCUMENTS)
def test_documents(dress: str) -> None:
    """Of every format of documents, exports among them."""
    for name, value in DOCUMENTS.items():
        found, said = read(DRESSED_DOCUMENTS[dress](value))
        assert (found, SAID in said) == (name, True), name
