"""Devin's command line: `sessions.db`, SQLite, a tree of messages; one message may stand in several of its nodes.

The person's words are those of a user that are marked as typed. The visible branch and all others are imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from importer.formats import Tables
from importer.formats._shared.calls import api_calls, id_of, used
from importer.formats._shared.told import RESULT, Context, Unit, begin, feed, lacks, member, prompt, string, value

__all__ = ["EXCLUDE", "NAME", "TABLES", "Context", "begin", "feed", "roots", "told", "wanted"]

NAME = "devin"
EXCLUDE = ("*/*",)

TABLES = (
    Tables(
        {"sessions": "id last_activity_at", "message_nodes": "row_id session_id chat_message created_at"},
        "SELECT sessions.id, max(last_activity_at, coalesce(newest, 0)) * 1000, number, last FROM sessions"
        " LEFT JOIN (SELECT session_id, max(created_at) AS newest, count(*) AS number, max(row_id) AS last"
        " FROM message_nodes GROUP BY session_id) ON session_id = sessions.id",
        (
            "SELECT id AS session, {sessions.title} AS title, {sessions.working_directory} AS cwd,"
            " {sessions.model} AS model, {sessions.hidden} AS hidden FROM sessions WHERE id = :member",
            "SELECT chat_message AS message, created_at AS at FROM message_nodes WHERE session_id = :member"
            " AND row_id IN (SELECT min(row_id) FROM message_nodes WHERE session_id = :member"
            " GROUP BY CASE WHEN json_valid(chat_message) THEN"
            " coalesce(json_extract(chat_message, '$.message_id'), row_id) ELSE row_id END) ORDER BY row_id",
        ),
        ("sessions (id)", "message_nodes (session_id)"),
    ),
)


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return its folder."""
    return (f"{environ.get('XDG_DATA_HOME') or f'{home}/.local/share'}/devin/cli",)


def wanted(relative: bytes) -> bool:
    """Return True for the database."""
    return relative == b"sessions.db"


def told(row: Mapping[str, Any]) -> Iterator[Unit]:
    """Yield what a row says: a session, or a message."""
    if "session" in row:
        yield Unit(title=string(row, "title"), cwd=string(row, "cwd"), agent="hidden" if row["hidden"] else "")
        return
    message = value(row["message"])
    role, text = string(message, "role"), member(message, "content")
    common = {"id": string(message, "message_id"), "at": row["at"]}
    if role == "user" and member(message, "metadata", "is_user_input"):
        yield Unit(unknown=lacks(message, "content"))
        yield prompt(text, **common)
    elif role == "assistant":
        yield Unit(unknown=lacks(message, "content", beside=("tool_calls",)))
        yield Unit(role=role, text=text, **used(api_calls(member(message, "tool_calls"))), **common)
    elif role == "tool":
        of = id_of(member(message, "tool_call_id"), member(message, "name"))
        yield Unit(role="assistant", kind=RESULT, text=text, of=of, **common)
    elif role not in ("user", "system"):
        yield Unit(unknown=1)
