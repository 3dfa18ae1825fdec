"""OpenCode and its relatives (Kilo Code, MiMo Code, ICodeMate): `opencode.db`, SQLite, a session each conversation.

Version 1 keeps messages and their parts in two tables, version 2 whole messages in one; a migrated database has both,
with the same ids and times, and what is in both is told once. Before them there was a tree of files (`storage/`), one
for each session, message and part, which a migration leaves behind; that of 2025 (`project/`) is not read.

A person's words are the text of a user's message that is neither synthetic (the text of attached files) nor ignored. A
session with a parent is a subagent's: what "the user" says there the agent above it wrote. A message that is still
being written ends what is told of its session. What a revert deletes keeps its points.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from importer.formats import Tables
from importer.formats._journal import Journal, JournalPieces, opens_object
from importer.formats._shared.blocks import of_person
from importer.formats._shared.calls import id_of, used
from importer.formats._shared.told import (
    RESULT,
    RESULT_CHARS,
    SUMMARY,
    THOUGHT,
    Context,
    begin,
    feed,
    inner,
    lacks,
    member,
    parted,
    string,
    value,
    wordy,
)
from importer.formats._shared.words import words

__all__ = ["EXCLUDE", "JOURNAL", "NAME", "TABLES", "Context", "begin", "feed", "replayed", "roots", "told", "wanted"]

NAME = "opencode"
# Logs, snapshots and, of the tree, what a session leads to: very many folders.
EXCLUDE = ("[!s]*/*", "s[!t]*/*", "storage/[!s]*", "storage/s[!e]*", "storage/session[!/]*", "storage/session/*/*/*")

FOLDERS = ("opencode", "kilo", "mimocode", "icodemate")
UNTITLED = ("New session - ", "Child session - ")
EDITS = frozenset(("edit", "write", "multiedit", "patch", "apply_patch"))
# Kinds of parts and of rows that hold no words of either side.
_SILENT = """
    step-start step-finish snapshot patch retry agent compaction file subtask synthetic system skill agent-switched
    model-switched location-switched idle shell
"""
SILENT = frozenset(_SILENT.split())


_CHANGED = """
SELECT session.id, max(session.time_updated, coalesce(newest, 0)), number, times
FROM session LEFT JOIN (
  SELECT session_id, max(time_updated) AS newest, count(*) AS number, total(time_updated) AS times
  FROM (%s) GROUP BY session_id
) ON session_id = session.id
"""
_OF_NEW = "SELECT session_id, time_updated FROM session_message"
_OF_OLD = "SELECT session_id, time_updated FROM message UNION ALL SELECT session_id, time_updated FROM part"
_SESSION = """
SELECT id AS session, {session.parent_id} AS parent, {session.directory} AS cwd, {session.title} AS title,
  {session.agent} AS agent, {session.version} AS version FROM session WHERE id = :member
"""
_WHOLE = """
SELECT type, id, time_created AS at, data AS whole FROM session_message
WHERE session_id = :member ORDER BY {session_message.seq}, time_created, id
"""
_IN_PARTS = """
SELECT message.id AS id, message.time_created AS at, message.data AS head, part.data AS part
FROM message LEFT JOIN part ON part.message_id = message.id
WHERE message.session_id = :member %s ORDER BY message.time_created, message.id, part.id
"""
_ONCE = "AND message.id NOT IN (SELECT id FROM session_message WHERE session_id = :member)"
_ROW = "id session_id time_created time_updated data"
_NEW, _OLD = {"session_message": f"{_ROW} type"}, {"message": _ROW, "part": f"{_ROW} message_id"}
_BASE = {"session": "id time_updated"}
_BY_NEW, _BY_OLD = ("session (id)", "session_message (session_id)"), ("message (session_id)", "part (message_id)")
TABLES = (
    Tables(
        {**_BASE, **_NEW, **_OLD},
        _CHANGED % f"{_OF_NEW} UNION ALL {_OF_OLD}",
        (_SESSION, _IN_PARTS % _ONCE, _WHOLE),
        (*_BY_NEW, *_BY_OLD),
    ),
    Tables({**_BASE, **_NEW}, _CHANGED % _OF_NEW, (_SESSION, _WHOLE), _BY_NEW),
    Tables({**_BASE, **_OLD}, _CHANGED % _OF_OLD, (_SESSION, _IN_PARTS % ""), ("session (id)", *_BY_OLD)),
)


SESSION = re.compile(rb"(?:\A|.*/)storage/session/[^/]+/ses_[^/]+\.json\Z", re.DOTALL)
NEWEST = 2  # messages whose parts may still change


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folders of databases; `OPENCODE_DB` names one by itself, perhaps relative to its folder."""
    base = environ.get("XDG_DATA_HOME") or f"{home}/.local/share"
    named = environ.get("OPENCODE_DB") or ""
    own = (named,) if named.startswith("/") else ()
    return (*(f"{base}/{folder}" for folder in FOLDERS), *own)


def wanted(relative: bytes) -> bool:
    """Return True for a database by the name of its program (there is one for each channel), or a session of a tree."""
    folder, _, name = relative.rpartition(b"/")
    if folder:
        return bool(SESSION.match(relative))
    return name.endswith(b".db") and name.startswith(tuple(one.encode() for one in FOLDERS))


def _session_of(pieces: JournalPieces) -> str:
    """Return the id of a session of a tree, by the name of its file."""
    return pieces.path.decode("utf-8", "replace").rpartition("/")[2].removesuffix(".json")


def _beside(pieces: JournalPieces) -> Iterator[str]:
    """Yield what changes with a session of a tree: its folder of messages, and the newest ones with their parts."""
    folder = f"../../message/{_session_of(pieces)}"
    yield folder
    for name in pieces.names(folder)[-NEWEST:]:
        yield f"{folder}/{name}"
        parts = f"../../part/{name.removesuffix('.json')}"
        yield parts
        yield from (f"{parts}/{part}" for part in pieces.names(parts)[-NEWEST:])


JOURNAL = Journal(lambda path: bool(SESSION.match(path)), opens_object, _beside)


def replayed(pieces: JournalPieces) -> Iterator[Any]:
    """Yield what a session of a tree says, as rows of the database would say it. Never raises for what is in it."""

    def read(name: str) -> Any:
        return value(pieces.read(name).decode("utf-8", "replace"))

    session = value(b"".join(pieces.lines()).decode("utf-8", "replace"))
    id_ = string(session, "id") or _session_of(pieces)
    yield {"conversation": id_}
    given = {"parent": member(session, "parentID"), "cwd": string(session, "directory"), "agent": ""}
    yield from told({"session": id_, "title": string(session, "title"), **given})
    folder = f"../../message/{_session_of(pieces)}"
    names = [one for one in pieces.names(folder) if one.endswith(".json") and not one.startswith(".")]
    heads = [(name.removesuffix(".json"), read(f"{folder}/{name}")) for name in names]
    for name, head in sorted(heads, key=lambda one: (_created(one[1]), one[0])):
        row = {"id": string(head, "id") or name, "at": _created(head), "head": head}
        parts = f"../../part/{row['id']}"
        found = [one for one in pieces.names(parts) if one.endswith(".json") and not one.startswith(".")]
        for part in found or [""]:
            yield from told({**row, "part": (read(f"{parts}/{part}") or "") if part else None})


def _created(head: Any) -> float:
    """Return when a message was begun, 0 where that is not told."""
    found = member(head, "time", "created")
    return found if isinstance(found, int | float) else 0


def told(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what a row says: a session, a whole message, or a message with one of its parts."""
    if "session" in row:
        title = string(row, "title")
        agent = (string(row, "agent") or "subagent") if row["parent"] else ""
        named = {"version": version} if (version := string(row, "version")) else {}
        title = "" if title.startswith(UNTITLED) else title
        yield {"title": title, "cwd": string(row, "cwd"), "agent": agent, **named}
        return
    data = value(row["whole"] if "whole" in row else row["head"])
    if not isinstance(data, dict):
        yield {"problem": "a message that is no JSON object"}
        return
    whole = "whole" in row
    role = row["type"] if whole else data.get("role")
    common = {"id": row["id"], "at": row["at"], "role": role, "model": _model(data)}
    if role == "assistant" and not (member(data, "time", "completed") or data.get("error")):
        yield {"held": True, **common}
    if whole:
        yield from _whole(data, common)
    elif row["part"] is not None:
        yield from _part(value(row["part"]), common, of_summary=data.get("summary") is True)


def _whole(data: dict[str, Any], common: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what a message of version 2 says."""
    kind = common["role"]
    if kind == "user":
        yield {**common, "text": of_person(data.get("text")), "unknown": lacks(data, "text")}
    elif kind == "assistant":
        parts, strange = parted(data.get("content"))
        strange += lacks(data, "content") * bool(member(data, "time", "completed"))
        yield {"unknown": strange} if strange else {}
        for part in parts:
            yield from _part(part, common, of_summary=False)
    elif kind == "compaction":
        yield {**common, "role": "assistant", "kind": SUMMARY, "text": inner(data, "summary")}
    elif kind not in SILENT:
        yield {"unknown": 1}


def _part(part: Any, common: dict[str, Any], *, of_summary: bool) -> Iterator[dict[str, Any]]:
    """Yield what a part of a message says: words, a thought, a tool's call."""
    kind = string(part, "type")
    if kind == "text":
        if not (part.get("synthetic") or part.get("ignored")):
            text = of_person(wordy(part)) if common["role"] == "user" else wordy(part)
            yield {**common, "text": text, "kind": SUMMARY if of_summary else ""}
    elif kind == "reasoning":
        yield {**common, "text": string(part, "text"), "kind": THOUGHT}
    elif kind == "tool":
        yield from _call(part, common)
    elif kind not in SILENT:
        yield {"unknown": 1} if isinstance(part, dict) else {"problem": "a part that is no JSON object"}


def _call(part: dict[str, Any], common: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the call of a tool, and what came back, unless this memory was asked."""
    name = string(part, "tool") or string(part, "name")
    given, state = member(part, "state", "input"), member(part, "state") or {}
    id_, path = string(part, "callID") or string(part, "id"), string(given, "filePath") or string(given, "path")
    files = [path] if name in EDITS and path else []
    result = words(state.get("output") or state.get("content") or state.get("error")).text
    if name == "question" and result:  # it repeats each question with the answer that the person gave
        yield {**common, "tools": [name], "files": files}
        yield {**common, "text": result}
        return
    yield {**common, **used([(id_, name, given)]), "files": files}
    if result:
        yield {**common, "text": result[:RESULT_CHARS], "kind": RESULT, "of": id_of(id_, name)}


def _model(data: dict[str, Any]) -> str:
    """Return the model of a message, which each version names in another place."""
    return string(data, "modelID") or string(data, "model", "modelID") or string(data, "model", "id")
