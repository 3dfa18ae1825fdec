"""Crush: `.crush/crush.db` in each project, SQLite. Its folder is the project's; one file lists the projects."""

from __future__ import annotations

import posixpath
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from importer.formats import Tables
from importer.formats._shared.blocks import of_person
from importer.formats._shared.calls import id_of, used
from importer.formats._shared.told import (
    NAME_BYTES,
    OF_PATH,
    RESULT,
    SUMMARY,
    THOUGHT,
    Context,
    Unit,
    feed,
    member,
    objects,
    parted,
    string,
    value,
    wordy,
)
from importer.formats._shared.turns import clip

__all__ = ["NAME", "TABLES", "Context", "begin", "feed", "roots", "told", "wanted"]

NAME = "crush"

FOLDER, DATABASE = "/.crush/", "crush.db"
PASTED = "paste"  # how names of pasted texts begin
KNOWN = frozenset(("text", "reasoning", "tool_call", "tool_result", "finish", "binary", "image_url", "shell_command"))
TABLES = (
    Tables(
        {"sessions": "id title updated_at", "messages": "id session_id role parts created_at updated_at"},
        "SELECT sessions.id, CASE WHEN newest > 100000000000 THEN newest ELSE newest * 1000 END, number, times"
        " FROM sessions LEFT JOIN (SELECT session_id, max(updated_at) AS newest, count(*) AS number,"
        " total(updated_at) AS times FROM messages GROUP BY session_id) ON session_id = sessions.id",
        (
            "SELECT id AS session, title, {sessions.parent_session_id} AS parent FROM sessions WHERE id = :member",
            "SELECT id, role, parts, created_at AS at, {messages.model} AS model, {messages.finished_at} AS finished,"
            " {messages.is_summary_message} AS summary FROM messages WHERE session_id = :member"
            " ORDER BY created_at, rowid",
        ),
        ("sessions (id)", "messages (session_id)"),
    ),
)


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of its own data; the last is that of Windows."""
    if named := environ.get("CRUSH_GLOBAL_DATA"):
        return (named,)
    return (f"{environ.get('XDG_DATA_HOME') or f'{home}/.local/share'}/crush", f"{home}/AppData/Local/crush")


def _elsewhere(text: str) -> Iterator[str]:
    """Yield the databases of the projects that the list names. Raises ValueError where it is no JSON."""
    held: Any = msgspec.json.decode(text)
    for project in objects(member(held, "projects") if isinstance(held, dict) else held):
        path, below = string(project, "path"), string(project, "data_dir") or FOLDER.strip("/")
        if path.startswith("/"):
            yield posixpath.join(path, below, DATABASE)


ELSEWHERE = ("projects.json", _elsewhere)


def wanted(relative: bytes) -> bool:
    """Return True for a database by its name."""
    return relative.rpartition(b"/")[2] == DATABASE.encode()


def begin(path: bytes) -> Context:
    """Return the context before the first line: the folder with the database is the project's."""
    project, found, _ = path.decode("utf-8", "replace").rpartition(FOLDER)
    return Context(cwd=clip(project, NAME_BYTES), note=OF_PATH) if found else Context()


def told(row: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what a row says: a session, or a message; one that is being written ends what is told."""
    if "session" in row:
        yield Unit(title=string(row, "title"), agent="subagent" if row["parent"] else "")
        return
    role = string(row, "role")
    parts, strange = parted(value(row["parts"]))
    if role not in ("user", "assistant", "tool"):
        yield Unit(unknown=int(role != "system"))
        return
    if role == "assistant" and not (row["finished"] or any(one.get("type") == "finish" for one in parts)):
        yield {"held": True, "id": row["id"]}
    yield Unit(unknown=strange)
    results = [part.get("data") for part in parts if part.get("type") == "tool_result"]
    yield from (_result(one, {"id": string(row, "id"), "at": row["at"]}) for one in results)
    if role != "tool":
        yield from _message(role, parts, row)


def _message(role: str, parts: list[dict[str, Any]], row: Mapping[str, Any]) -> Iterator[Unit]:
    """Yield the words, thoughts and calls of a message."""
    common = {"id": string(row, "id"), "at": row["at"], "model": string(row, "model")}
    for part in parts:
        if thought := string(part, "data", "thinking"):
            yield Unit(role=role, kind=THOUGHT, text=thought, **common)
    calls = [part.get("data") for part in parts if part.get("type") == "tool_call"]
    texts = [wordy(part.get("data", part)) for part in parts if part.get("type") == "text"]
    texts = [of_person(one) for one in texts] if role == "user" else texts
    yield Unit(
        role=role,
        kind=SUMMARY if row["summary"] else "",
        text=[*texts, *(_pasted(part.get("data")) for part in parts if part.get("type") == "binary")],
        unknown=sum(string(part, "type") not in KNOWN for part in parts),
        **used([(member(one, "id"), member(one, "name"), member(one, "input")) for one in calls]),
        **common,
    )


def _pasted(held: Any) -> str:
    """Return a long text that was pasted, which becomes a file beside the prompt; "" for other files."""
    given = {name.lower(): one for name, one in held.items()} if isinstance(held, dict) else {}
    name = string(given, "path").rpartition("/")[2]
    if not (name.startswith(PASTED) and string(given, "mimetype").startswith("text/")):
        return ""
    try:
        return b64decode(string(given, "data"), validate=True).decode("utf-8", "replace")
    except ValueError:
        return string(given, "data")


def _result(held: Any, common: dict[str, Any]) -> Unit:
    """Return what a tool answered."""
    of = id_of(member(held, "tool_call_id"), member(held, "name"))
    return Unit(role="assistant", kind=RESULT, text=member(held, "content"), of=of, **common)
