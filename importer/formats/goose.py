"""Goose: `sessions.db`, SQLite; older versions wrote a file of JSON lines for each session, which newer ones import.

What a tool answered stands in messages of the person's. A compaction deletes a session's rows and writes them again
under new ids: a turn's key is a hash of role, time and text, so they are known again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.formats import Fed, Options, Tables
from importer.formats._shared import told as plain
from importer.formats._shared.calls import id_of, used
from importer.formats._shared.message import spoken
from importer.formats._shared.told import (
    ANSWER,
    Context,
    Records,
    Unit,
    begin_by_name,
    is_told,
    member,
    objects,
    string,
    value,
)

__all__ = ["NAME", "TABLES", "Context", "begin", "feed", "recognises", "roots", "told", "wanted"]

NAME = "goose"

ROLES = frozenset(("user", "assistant", "tool"))
OWN_TYPES = frozenset(("", "user", "chat", "terminal", "acp"))  # of sessions that a person leads
_SILENT = """
    systemNotification toolConfirmationRequest frontendToolRequest conversationCompacted contextLengthExceeded
    summarizationRequested actionRequired
"""
SILENT = frozenset(_SILENT.split())
TABLES = (
    Tables(
        {"sessions": "id updated_at", "messages": "id session_id role content_json created_timestamp"},
        "SELECT sessions.id, strftime('%s', sessions.updated_at) * 1000, number, newest, sessions.updated_at"
        " FROM sessions LEFT JOIN (SELECT session_id, count(*) AS number, max(id) AS newest FROM messages"
        " GROUP BY session_id) ON session_id = sessions.id",
        (
            "SELECT id AS session, {sessions.name} AS name, {sessions.description} AS description,"
            " {sessions.working_dir} AS cwd, {sessions.session_type} AS type, {sessions.parent_session_id} AS parent"
            " FROM sessions WHERE id = :member",
            "SELECT id, {messages.message_id} AS message, role, created_timestamp AS at, content_json AS content,"
            " {messages.metadata_json} AS metadata FROM messages WHERE session_id = :member ORDER BY id",
        ),
        ("sessions (id)", "messages (session_id)"),
    ),
)

begin = begin_by_name


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of sessions; the last is that of Windows."""
    if base := environ.get("GOOSE_PATH_ROOT"):
        return (f"{base}/data/sessions",)
    windows = f"{home}/AppData/Roaming/Block/goose/data/sessions"
    return (f"{environ.get('XDG_DATA_HOME') or f'{home}/.local/share'}/goose/sessions", windows)


def wanted(relative: bytes) -> bool:
    """Return True for the database, or a session's file of an older version."""
    name = relative.rpartition(b"/")[2]
    return name == b"sessions.db" or name.endswith(b".jsonl")


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for the header of an older file: a description beside a working folder."""
    return any("description" in record and "working_dir" in record for record in records)


def told(row: Mapping[str, Any]) -> Iterator[Unit]:
    """Yield what a row says: a session, or a message."""
    if "session" in row:
        kind = string(row, "type")
        agent = "" if kind in OWN_TYPES and not row["parent"] else kind or "subagent"
        yield Unit(title=string(row, "name") or string(row, "description"), cwd=string(row, "cwd"), agent=agent)
    elif member(value(row["metadata"]), "userVisible") is not False:
        id_ = string(row, "message") or str(row["id"])
        yield from _message(string(row, "role"), value(row["content"]), {"id": id_, "at": row["at"]})


def _message(role: str, content: Any, common: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a message says, and what a person answered where a tool asked."""
    if role not in ROLES:
        yield Unit(unknown=1)
        return
    yield from spoken("user" if role == "user" else "assistant", content, common, known=SILENT)
    for block in objects(content):
        data = member(block, "data") or block
        if string(data, "actionType") == "elicitation":
            asked = used([(data.get("id"), "ask_user", data)])["calls"]
            yield Unit(role="assistant", calls=asked, **common)
        elif (given := member(data, "user_data")) is not None:
            of = id_of(data.get("id"), "ask_user")
            yield Unit(role="assistant", kind=ANSWER, text={"answers": given}, of=of, **common)


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a line of an older file says."""
    if "role" in record:
        common = {"id": string(record, "id"), "at": record.get("created")}
        yield from _message(string(record, "role"), record.get("content"), common)
    else:
        yield Unit(title=string(record, "description"), cwd=string(record, "working_dir"))


_older = Records(_said)


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turns of a line that was told of the database, or of an older file. Never raises."""
    return plain.feed(context, raw, options) if is_told(raw) else _older.feed(context, raw, options)
