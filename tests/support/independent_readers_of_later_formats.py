"""Read what was said in the samples of later agents, and in exports, as `independent_readers` does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from independent_readers import lines, rows, texts


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
