"""AnythingLLM: `anythingllm.db`, SQLite, a prompt with its answer each row; a thread of a workspace is a conversation.

A chat that was reset is kept there, and was said. Documents that an answer was made from are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from importer.formats import Tables
from importer.formats._shared.told import THOUGHT, Context, Unit, begin, feed, inner, string, value
from importer.formats._shared.words import words

__all__ = ["EXCLUDE", "NAME", "TABLES", "Context", "begin", "feed", "roots", "told", "wanted"]

NAME = "anythingllm"
EXCLUDE = ("*/*",)  # documents, models and vectors

_THREAD = "workspaceId || '/' || coalesce({workspace_chats.thread_id}, '')"
_THREADS = """
SELECT %s, CASE WHEN typeof(max(lastUpdatedAt)) = 'text' THEN strftime('%%s', max(lastUpdatedAt)) * 1000
  ELSE max(lastUpdatedAt) END, count(*), max(id), max(lastUpdatedAt)
FROM workspace_chats WHERE {workspace_chats.api_session_id} IS NULL GROUP BY 1
"""
_WORKSPACE = """
SELECT name AS workspace FROM workspaces WHERE id = (SELECT workspaceId FROM workspace_chats WHERE %s = :member)
"""
_CHATS = """
SELECT id, prompt, response, createdAt AS at FROM workspace_chats
WHERE %s = :member AND {workspace_chats.api_session_id} IS NULL ORDER BY id
"""
TABLES = (
    Tables(
        {"workspaces": "id name", "workspace_chats": "id workspaceId prompt response createdAt lastUpdatedAt"},
        _THREADS % _THREAD,
        (_WORKSPACE % _THREAD, _CHATS % _THREAD),
        ("workspaces (id)", f"workspace_chats ({_THREAD})"),
    ),
)
_thought = re.compile(r"\s*<think>(.*?)</think>\s*", re.DOTALL)


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of the desktop's program on each system."""
    config = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    bases = (config, f"{home}/Library/Application Support", f"{home}/AppData/Roaming")
    return tuple(f"{base}/anythingllm-desktop/storage" for base in bases)


def wanted(relative: bytes) -> bool:
    """Return True for the database."""
    return relative.rpartition(b"/")[2] == b"anythingllm.db"


def told(row: Mapping[str, Any]) -> Iterator[Unit]:
    """Yield what a row says: a workspace, or a prompt and its answer."""
    if "workspace" in row:
        yield Unit(title=string(row, "workspace"))
        return
    answer, common = value(row["response"]), {"at": row["at"]}
    yield Unit(role="user", text=string(row, "prompt"), id=f"{row['id']}/user", **common)
    text, unknown = words(inner(answer, "text"))
    if found := _thought.match(text):
        yield Unit(role="assistant", kind=THOUGHT, text=found[1], id=f"{row['id']}/assistant", **common)
        text = text[found.end() :]
    yield Unit(role="assistant", text=text, unknown=unknown, id=f"{row['id']}/assistant", **common)
