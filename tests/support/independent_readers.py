"""Read what was said in the samples of agents and chat programs, a few lines each; nothing of the package is used."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

WORDS = ("text", "content", "value", "parts")


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(path.read_text())
    return connection.execute(query).fetchall()


def texts(value: Any) -> Iterator[str]:
    """Yield the text of blocks, but of thoughts, calls and results."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict) and not value.get("thought") and value.get("type", "text") in ("text", "contentBlock"):
        for name in WORDS:
            yield from texts(value.get(name))


def pi(path: Path) -> Iterator[str]:
    for line in lines(path) if path.suffix == ".jsonl" else _events(path):
        message = line.get("message") or {}
        if message.get("role") in ("user", "assistant"):
            yield from texts(message["content"])


def _events(path: Path) -> Iterator[dict[str, Any]]:
    sql = "SELECT event_json, event_zstd FROM transcript_events WHERE session_id = 'oc1' ORDER BY seq"
    yield from (json.loads(event or zstandard.decompress(packed)) for event, packed in rows(path, sql))


def qwen(path: Path) -> Iterator[str]:
    for line in lines(path):
        shown = (line.get("systemPayload") or {}).get("displayText")
        typed = line["type"] == "user" and line.get("provenance", "real_user") == "real_user"
        own = line["sessionId"] == path.stem and not line.get("isSidechain") and not line.get("agentId")
        if own and (typed or line["type"] == "assistant") and not line.get("subtype"):
            yield from texts(shown or line["message"]["parts"])


def kimi(path: Path) -> Iterator[str]:
    for line in lines(path):
        message, event = line.get("message") or {}, line.get("event") or {}
        if line.get("type") == "context.append_message" and (message.get("origin") or {}).get("kind") == "user":
            yield from texts(message["content"])
        if message.get("type") in ("TurnBegin", "ContentPart"):
            yield from texts(message["payload"].get("user_input") or message["payload"])
        yield from texts(event.get("part")) if "agent-" not in str(path) else ()


def antigravity(path: Path) -> Iterator[str]:
    for line in lines(path):
        if line["type"] == "PLANNER_RESPONSE" or line["source"] == "USER_EXPLICIT":
            yield line.get("content", "")


def messages(path: Path) -> Iterator[str]:
    """Droid, Vibe, Jan: a role and content in each line."""
    for line in lines(path):
        message = line.get("message", line)
        if message.get("role") in ("user", "assistant") and not line.get("injected"):
            yield from texts(message.get("content"))
        yield from texts(line.get("finalText"))


def cursor(path: Path) -> Iterator[str]:
    if path.name == "state.vscdb.sql":
        (composer,) = rows(path, "SELECT value FROM cursorDiskKV WHERE key LIKE 'composerData:%' LIMIT 1")[0]
        for head in json.loads(composer)["fullConversationHeadersOnly"]:
            key = f"%:{head['bubbleId']}"
            for (bubble,) in rows(path, f"SELECT value FROM cursorDiskKV WHERE key LIKE '{key}'"):
                yield json.loads(bubble).get("text", "")
    elif path.name == "store.db.sql":
        for (blob,) in rows(path, "SELECT CAST(data AS TEXT) FROM blobs WHERE substr(data, 1, 1) IN ('{', X'7B')"):
            message = json.loads(blob)
            for text in texts(message["content"]) if message["role"] in ("user", "assistant") else ():
                yield text if message["role"] == "assistant" or "<user_query>" in text else ""
    elif "subagents" not in path.parts:
        yield from messages(path)


def cline(path: Path) -> Iterator[str]:
    value = json.loads(path.read_text())
    for row in value if isinstance(value, list) else []:
        shown = row.get("say") or row.get("ask")
        if shown in ("text", "task", "user_feedback", "completion_result", "followup") and not row.get("partial"):
            text = row.get("text") or ""
            yield json.loads(text)["question"] if text.startswith("{") else text
    for message in value["messages"] if isinstance(value, dict) else []:
        yield from texts(message["content"])


def lm_studio(path: Path) -> Iterator[str]:
    for message in json.loads(path.read_text())["messages"]:
        version = message["versions"][message["currentlySelected"]]
        yield from texts(version.get("content"))
        for step in version.get("steps", []):
            yield from texts(step) if (step.get("style") or {}).get("type") != "thinking" else ()


def goose(path: Path) -> Iterator[str]:
    query = (
        "SELECT content_json, metadata_json FROM messages JOIN sessions ON sessions.id = session_id"
        " WHERE session_type = 'user'"
    )
    for content, metadata in rows(path, query):
        if json.loads(metadata or "{}").get("userVisible") is not False:
            yield from texts(json.loads(content))


def zed(path: Path) -> Iterator[str]:
    for (data,) in rows(path, "SELECT CAST(data AS TEXT) FROM threads WHERE parent_id IS NULL"):
        for message in json.loads(data)["messages"]:
            for held in message.values() if isinstance(message, dict) else []:
                blocks = held.get("content", []) if isinstance(held, dict) else []
                yield from (block["Text"] for block in blocks if "Text" in block)
            for segment in message.get("segments", []) if isinstance(message, dict) else []:
                yield from texts(segment)


def crush(path: Path) -> Iterator[str]:
    query = "SELECT parts FROM messages JOIN sessions ON sessions.id = session_id WHERE parent_session_id IS NULL"
    for (parts,) in rows(path, query):
        yield from (part["data"]["text"] for part in json.loads(parts) if part["type"] == "text")


def hermes(path: Path) -> Iterator[str]:
    query = (
        "SELECT content FROM messages JOIN sessions ON sessions.id = session_id WHERE role IN ('user', 'assistant')"
        " AND source = 'cli' AND coalesce(display_kind, '') <> 'hidden'"
    )
    for (content,) in rows(path, query):
        text = content if isinstance(content, str) else (content or b"").decode()
        yield from texts(json.loads(text[6:]) if text.startswith("\0json:") else text)


def ollama(path: Path) -> Iterator[str]:
    yield from (text for (text,) in rows(path, "SELECT content FROM messages WHERE role <> 'tool' AND NOT stream"))


def open_webui(path: Path) -> Iterator[str]:
    for (chat,) in rows(path, "SELECT chat FROM chat"):
        for node in json.loads(chat)["history"]["messages"].values():
            yield from texts(node["content"]) if node.get("done") is not False else ()


def anythingllm(path: Path) -> Iterator[str]:
    query = "SELECT prompt, response FROM workspace_chats WHERE api_session_id IS NULL"
    for prompt, response in rows(path, query):
        yield prompt
        yield re.sub(r"<think>.*?</think>", "", json.loads(response)["text"], flags=re.DOTALL)


def devin(path: Path) -> Iterator[str]:
    for (chat,) in rows(path, "SELECT chat_message FROM message_nodes"):
        message = json.loads(chat)
        if message["role"] == "assistant" or (message.get("metadata") or {}).get("is_user_input"):
            yield from texts(message["content"])


def opencode(path: Path) -> Iterator[str]:
    if path.suffix == ".json":
        store, session = path.parents[2], json.loads(path.read_text())
        for message in (store / "message" / path.stem).iterdir() if not session.get("parentID") else []:
            for part in (store / "part" / message.stem).iterdir():
                value = json.loads(part.read_text())
                yield value["text"] if value["type"] == "text" and not value.get("synthetic") else ""
        return
    if path.name == "kilo.db.sql":
        for kind, data in rows(path, "SELECT type, data FROM session_message"):
            value = json.loads(data)
            yield value.get("text", "") if kind == "user" else ""
            yield from texts(value.get("content")) if (value.get("time") or {}).get("completed") else ()
        return
    query = (
        "SELECT part.data FROM part JOIN session ON session.id = part.session_id JOIN message"
        " ON message.id = message_id WHERE parent_id IS NULL AND (json_extract(message.data, '$.role') = 'user'"
        " OR json_extract(message.data, '$.time.completed'))"
    )
    for (data,) in rows(path, query):
        value = json.loads(data)
        yield (
            value["text"] if value["type"] == "text" and not value.get("synthetic") and not value.get("ignored") else ""
        )
