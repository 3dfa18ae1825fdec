"""Hermes: `state.db`, SQLite, of each profile one.

A compression goes on in a child session that copies what it keeps: a turn's key is a hash of role, time and text, so it
is known again. Rows that were rewound or folded away stay, and were said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from importer.formats import Tables
from importer.formats._retention import FOREVER, Retention
from importer.formats._shared.calls import api_calls, call_of, id_of, used
from importer.formats._shared.questions import is_question, refusal
from importer.formats._shared.told import (
    ANSWER,
    RESULT,
    THOUGHT,
    Context,
    Unit,
    begin,
    feed,
    prompt,
    string,
    text_of,
    value,
)
from importer.formats._shared.words import words

__all__ = ["EXCLUDE", "NAME", "TABLES", "Context", "begin", "feed", "roots", "told", "wanted"]

NAME = "hermes"
EXCLUDE = ("[!p]*/*", "p[!r]*/*", "profiles/*/*/*")  # skills, logs and what else lies there

SILENT = frozenset(("system", "session_meta", "developer"))  # roles without words of a side
PARTS = "\0json:"
MACHINES = frozenset(("tool", "cron", "schedule", "scheduled"))  # sources of sessions that no person leads
TABLES = (
    Tables(
        {"sessions": "id source started_at", "messages": "id session_id role content timestamp active"},
        "SELECT sessions.id, newest * 1000, number, last FROM sessions LEFT JOIN (SELECT session_id,"
        " max(timestamp) AS newest, count(*) AS number, max(id) AS last FROM messages GROUP BY session_id)"
        " ON session_id = sessions.id",
        (
            "SELECT id AS session, source, {sessions.title} AS title, {sessions.cwd} AS cwd,"
            " {sessions.git_branch} AS branch FROM sessions WHERE id = :member",
            "SELECT id, role, content, timestamp AS at, {messages.tool_calls} AS calls,"
            " {messages.reasoning} AS thought, {messages.display_kind} AS display, {messages.observed} AS observed,"
            " {messages.tool_name} AS tool, {messages.tool_call_id} AS call"
            " FROM messages WHERE session_id = :member ORDER BY id",
        ),
        ("sessions (id)", "messages (session_id)"),
    ),
)


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return its folder."""
    return (environ.get("HERMES_HOME") or f"{home}/.hermes",)


def _settings(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the file that may set how long sessions are kept."""
    return (f"{environ.get('HERMES_HOME') or f'{home}/.hermes'}/config.yaml",)


def _kept_days(text: str) -> float | None:
    """Return the days that the settings say; sessions are deleted only where `auto_prune` is on."""
    if not _prunes.search(text):
        return None
    days = _days.search(text)
    return float(days[1]) if days else DEFAULT_DAYS


DEFAULT_DAYS = 90.0
_prunes = re.compile(r"^\s+auto_prune:\s*(?:true|yes|on)\b", re.MULTILINE | re.IGNORECASE)
_days = re.compile(r"^\s+retention_days:\s*(\d{1,6})\b", re.MULTILINE)
RETENTION = Retention("Hermes", FOREVER, "auto_prune: false (below sessions:)", _settings, _kept_days)


def wanted(relative: bytes) -> bool:
    """Return True for the database of the program, or of a profile."""
    *folders, name = relative.split(b"/")
    return name == b"state.db" and (not folders or (len(folders) == 2 and folders[0] == b"profiles"))


def told(row: Mapping[str, Any]) -> Iterator[Unit]:
    """Yield what a row says: a session, or a message."""
    if "session" in row:
        source = string(row, "source")
        agent = source if source in MACHINES else ""
        yield Unit(title=string(row, "title"), cwd=string(row, "cwd"), branch=string(row, "branch"), agent=agent)
        return
    role, common = string(row, "role"), {"id": str(row["id"]), "at": row["at"]}
    content = string(row, "content")
    text = value(content[len(PARTS) :]) if content.startswith(PARTS) else content
    if role == "user" and string(row, "display") != "hidden" and not row["observed"]:
        yield prompt(text, **common)
    elif role == "assistant":
        if thought := string(row, "thought"):
            yield Unit(role=role, kind=THOUGHT, text=thought, **common)
        said = words(text)
        yield Unit(role=role, text=said.text, unknown=said.unknown, **used(api_calls(value(row["calls"]))), **common)
    elif role == "tool" and (not call_of(row["tool"], {}).own or refusal(text_of(text))):
        kind = ANSWER if is_question(string(row, "tool")) else RESULT
        yield Unit(role="assistant", kind=kind, text=text, of=id_of(row["call"], row["tool"]), **common)
    elif role not in ("user", "tool", *SILENT):
        yield Unit(unknown=1)
