"""Ollama's app: `db.sqlite` in its folder. The terminal's client keeps only what was typed, which is not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from importer.formats import Tables
from importer.formats._shared.told import RESULT, THOUGHT, Context, Unit, begin, feed, string

__all__ = ["EXCLUDE", "NAME", "TABLES", "Context", "begin", "feed", "roots", "told", "wanted"]

NAME = "ollama"
EXCLUDE = ("*/*",)

TABLES = (
    Tables(
        {"chats": "id title", "messages": "id chat_id role content stream created_at updated_at"},
        "SELECT chats.id, strftime('%s', substr(newest, 1, 19)) * 1000, newest, number, last, streaming FROM chats"
        " LEFT JOIN (SELECT chat_id, max(updated_at) AS newest, count(*) AS number, max(id) AS last,"
        " sum(stream) AS streaming FROM messages GROUP BY chat_id) ON chat_id = chats.id",
        (
            "SELECT id AS chat, title FROM chats WHERE id = :member",
            "SELECT id, chat_id AS of_chat, role, content, stream, created_at AS at, {messages.model_name} AS model,"
            " {messages.thinking} AS thought FROM messages WHERE chat_id = :member ORDER BY id",
        ),
        ("chats (id)", "messages (chat_id)"),
    ),
)


def roots(_: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return its folder on macOS and on Windows."""
    return (f"{home}/Library/Application Support/Ollama", f"{home}/AppData/Local/Ollama")


def wanted(relative: bytes) -> bool:
    """Return True for the database."""
    return relative == b"db.sqlite"


def told(row: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what a row says: a chat, or a message; one that is being written ends what is told."""
    if "chat" in row:
        yield Unit(title=string(row, "title"))
        return
    role = string(row, "role")
    at = row["at"][:19] if isinstance(row["at"], str) else row["at"]
    # the id beside the time, which has whole seconds here
    common: dict[str, Any] = {"id": f"{row['of_chat']}/{row['id']}", "at": at, "model": string(row, "model")}
    if row["stream"]:
        yield {"held": True, "id": common["id"]}
    if role in ("user", "assistant"):
        if thought := string(row, "thought"):
            yield Unit(role=role, kind=THOUGHT, text=thought, **common)
        yield Unit(role=role, text=string(row, "content"), **common)
    elif role == "tool":
        yield Unit(role="assistant", kind=RESULT, text=string(row, "content"), **common)
    elif role != "system":
        yield Unit(text=row["content"])
