"""What people and assistants said in the samples of agents, programs and exports, by readers of a few lines each.

As in `test_completeness`, the readers know nothing of the package: they are written from the files, with `json`,
`sqlite3` and `re`. A person's prompt and what the assistant showed must be in a chunk; what programs wrote around it is
taken off by what it looks like.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from stored_text import chunks, even

CORPUS = Path(__file__).parents[1] / "corpus"
_around = re.compile(
    r"</?(?:user_query|USER_REQUEST|user_input|task|feedback|answer)(?: [^<>]*)?>"
    r"|<(system-reminder|ADDITIONAL_METADATA|environment_details|user_info|system_date|details|grok:render)\b.*?</\1>"
    r"|^<!-- ANSWER -->",
    re.DOTALL | re.MULTILINE,
)
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
    for line in lines(path):
        message = line.get("message") or {}
        if message.get("role") in ("user", "assistant"):
            yield from texts(message["content"])


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


def kiro(path: Path) -> Iterator[str]:
    if path.suffix == ".jsonl":
        for line in lines(path):
            yield from (one["data"] for one in line["data"]["content"] if one["kind"] == "text")
        return
    for (value,) in rows(path, "SELECT value FROM conversations_v2"):
        for turn in json.loads(value)["history"]:
            yield from (one.get("prompt", "") for one in turn["user"]["content"].values())
            yield from (one["content"] for one in turn["assistant"].values())


def forge(path: Path) -> Iterator[str]:
    for (context,) in rows(path, "SELECT context FROM conversations WHERE context IS NOT NULL"):
        for entry in json.loads(context)["messages"]:
            said = entry.get("message", entry).get("text") or {}
            if said.get("role") in ("User", "Assistant") and not said.get("droppable"):
                yield said["content"]


def warp(path: Path) -> Iterator[str]:
    yield from (json.loads(asked)[0]["Query"]["text"] for (asked,) in rows(path, "SELECT input FROM ai_queries"))
    for (task,) in rows(path, "SELECT task FROM agent_tasks"):
        yield from (text.decode() for text in re.findall(rb"[A-Z][ -~]{20,}[.?]", task))


def grok_build(path: Path) -> Iterator[str]:
    joined = ""
    for line in lines(path):
        update = (line.get("params") or {}).get("update") or {}
        kind = update.get("sessionUpdate")
        if kind == "agent_message_chunk":
            joined += update["content"]["text"]
            continue
        yield joined
        joined = ""
        yield update["content"]["text"] if kind == "user_message_chunk" else ""
        if line.get("type") in ("user", "assistant") and line.get("synthetic_reason", "interjection") == "interjection":
            yield from texts(line["content"])


def junie(path: Path) -> Iterator[str]:
    for line in lines(path):
        yield line.get("presentablePrompt") or line.get("prompt") or ""
        event = line.get("event") or {}
        agent = event.get("agentEvent") or {}
        yield (agent.get("text") or agent.get("result") or "") if event.get("state") == "COMPLETED" else ""


def openhands(path: Path) -> Iterator[str]:
    for event in [json.loads(one.read_text()) for one in (path.parent / "events").iterdir()]:
        yield from texts((event.get("llm_message") or {}).get("content"))
        yield from texts(event.get("thought"))
        yield (event.get("action") or {}).get("message", "")


def grok(path: Path) -> Iterator[str]:
    for talk in json.loads(path.read_text())["conversations"]:
        yield from (one["response"]["message"] for one in talk["responses"])


def deepseek(path: Path) -> Iterator[str]:
    for talk in json.loads(path.read_text()):
        for node in talk["mapping"].values():
            message = node["message"] or {}
            yield message.get("content", "")
            yield from (one["content"] for one in message.get("fragments", []) if one["type"].startswith("RE"))


def le_chat(path: Path) -> Iterator[str]:
    for message in json.loads(path.read_text()):
        yield from texts(message["content"] or message["contentChunks"])


def takeout(path: Path) -> Iterator[str]:
    for activity in json.loads(path.read_text()):
        yield activity["title"].removeprefix("Prompted ") if activity["title"].startswith("Prompted ") else ""
        for item in activity.get("safeHtmlItem", []):
            yield from re.findall(r"[^<>&;]{4,}(?=<|&)", item["html"])


def librechat(path: Path) -> Iterator[str]:
    pending = [json.loads(path.read_text())]
    while pending:
        one = pending.pop()
        pending += one.get("messages", one.get("messagesTree", one.get("children", [])))
        yield from texts(one.get("content") or one.get("text")) if not one.get("error") else ()


def ai_studio(path: Path) -> Iterator[str]:
    for chunk in json.loads(path.read_text())["chunkedPrompt"]["chunks"]:
        yield chunk.get("text", "") if not chunk.get("isThought") else ""


def amp(path: Path) -> Iterator[str]:
    for message in json.loads(path.read_text())["messages"]:
        yield from texts(message["content"]) if (message.get("state") or {}).get("type") != "streaming" else ()


READERS: dict[str, Callable[[Path], Iterator[str]]] = {
    "ai-studio": ai_studio,
    "amp": amp,
    "antigravity": antigravity,
    "anythingllm": anythingllm,
    "cline": cline,
    "crush": crush,
    "cursor": cursor,
    "deepseek": deepseek,
    "devin": devin,
    "droid": messages,
    "forge": forge,
    "goose": goose,
    "grok": grok,
    "grok-build": grok_build,
    "hermes": hermes,
    "jan": messages,
    "junie": junie,
    "kimi": kimi,
    "kiro": kiro,
    "le-chat": le_chat,
    "librechat": librechat,
    "lm-studio": lm_studio,
    "ollama": ollama,
    "open-webui": open_webui,
    "opencode": opencode,
    "openhands": openhands,
    "pi": pi,
    "qwen": qwen,
    "takeout": takeout,
    "vibe": messages,
    "warp": warp,
    "zed": zed,
}
BESIDE = ("summary.json", "index.jsonl", "k2.json")  # sheets
SAMPLES = [
    pytest.param(name, path, id=f"{name}-{path.stem[:30]}")
    for name in READERS
    for path in sorted((CORPUS / name).rglob("*"))
    if path.is_file() and path.name not in BESIDE and {"events", "message", "part"}.isdisjoint(path.parts)
]


@pytest.mark.parametrize(("name", "path"), SAMPLES)
def test_every_line_that_was_said_is_in_a_chunk(name: str, path: Path) -> None:
    """Without regard to blanks."""
    stored = chunks(name, path)
    said = [even(line) for text in READERS[name](path) for line in _around.sub("\n", text).split("\n")]
    assert [line for line in said if line and line not in stored] == []


def test_the_readers_find_something() -> None:
    """A reader that finds nothing proves nothing."""
    for name, reader in READERS.items():
        paths = [param.values[1] for param in SAMPLES if param.values[0] == name]
        assert sum(len(text) > 3 for path in paths for text in reader(path)) > 1, name
