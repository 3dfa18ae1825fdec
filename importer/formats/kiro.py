"""Kiro's command line: `sessions/cli/<session>.jsonl`, before it a database, `data.sqlite3`; Amazon Q's was the same.

Title and folder of a session stand in `<session>.json` beside it, so it is told anew when that changes. The database
holds logins beside conversations: no other table is asked, and it is never copied. The editor's own sessions are not
read: what they keep of an answer is often not what was said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from importer.formats import Tables
from importer.formats._journal import Journal, JournalPieces
from importer.formats._shared.calls import call_of
from importer.formats._shared.told import (
    RESULT,
    THOUGHT,
    Context,
    Unit,
    begin,
    feed,
    member,
    parted,
    speech,
    string,
    text_of,
    value,
)

__all__ = ["JOURNAL", "NAME", "TABLES", "UNCOPIED", "Context", "begin", "feed", "replayed", "roots", "told", "wanted"]

NAME = "kiro"
UNCOPIED = (b"data.sqlite3",)  # databases that hold secrets, too

TABLES = (
    Tables(
        {"conversations_v2": "key conversation_id value updated_at"},
        "SELECT conversation_id, updated_at, length(value) FROM conversations_v2",
        ("SELECT key AS folder, value, created_at AS at FROM conversations_v2 WHERE conversation_id = :member",),
    ),
    Tables(
        {"conversations": "key value", "auth_kv": "key"},
        "SELECT key, 0, length(value), substr(value, -200) FROM conversations",
        ("SELECT key AS folder, value, NULL AS at FROM conversations WHERE key = :member",),
    ),
)
SILENT = frozenset(("image", "json", "toolResult", "redactedThinking"))
_sessions = b"/sessions/cli/"


def _sheet(pieces: JournalPieces) -> tuple[str]:
    """Return the name of the sheet of a session."""
    return (pieces.path.decode("utf-8", "replace").rpartition("/")[2].removesuffix("l"),)


JOURNAL = Journal(
    lambda path: path.endswith(b".jsonl") and _sessions in path,
    lambda head: head.startswith(b"{") and b'"kind"' in head,
    _sheet,
)


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folders of sessions, and of the databases of both programs."""
    data, mac = environ.get("XDG_DATA_HOME") or f"{home}/.local/share", f"{home}/Library/Application Support"
    databases = [f"{base}/{program}" for program in ("kiro-cli", "amazon-q") for base in (data, mac)]
    return (f"{environ.get('KIRO_HOME') or f'{home}/.kiro'}/sessions", *databases)


def wanted(relative: bytes) -> bool:
    """Return True for a session of the command line, or the database."""
    *folders, name = relative.split(b"/")
    return name in UNCOPIED or (name.endswith(b".jsonl") and (not folders or folders[-1] == b"cli"))


def replayed(pieces: JournalPieces) -> Iterator[Any]:
    """Yield what a session says. Never raises for what is in it."""
    (name,) = _sheet(pieces)
    sheet = value(pieces.read(name).decode("utf-8", "replace"))
    session = string(sheet, "session_id") or name.removesuffix(".json")
    yield Unit(conversation=session, title=string(sheet, "title"), cwd=string(sheet, "cwd"))
    own = ""
    for raw in pieces.lines():
        if raw.strip(b" \t\r\n\0"):
            try:
                record = msgspec.json.decode(raw)
            except (ValueError, RecursionError):
                yield "a line of the session that cannot be read"
                continue
            for unit in _said(record, own):
                own = unit.note or own
                yield unit


def _said(record: Any, own: str) -> Iterator[Unit]:
    """Yield what a line of a session says; the call of this memory is `own`."""
    kind, data = string(record, "kind"), member(record, "data")
    role = {"Prompt": "user", "AssistantMessage": "assistant"}.get(kind, "")
    common: dict[str, Any] = {"id": string(data, "message_id"), "at": member(data, "meta", "timestamp")}
    blocks, strange = parted(member(data, "content") or [])
    for block in blocks:
        held, what = block.get("data"), string(block, "kind")
        if what == "thinking":
            yield Unit(role="assistant", kind=THOUGHT, text=text_of(held), **common)
        elif what == "toolUse":
            call = call_of(member(held, "name"), member(held, "input"))
            yield Unit(role="assistant", tools=call.tools, files=call.files, **common)
            yield Unit(note=string(held, "toolUseId") if call.own else "")
        elif what == "toolResult" and not (own and string(held, "toolUseId") == own):
            yield Unit(role="assistant", kind=RESULT, text=_answer(member(held, "content")), **common)
        elif what not in SILENT:
            found = speech(role, held, **common)
            found.unknown += not what or ((what != "text" or not role) and bool(found.text))
            yield found
    yield Unit(unknown=strange + (data is not None and member(data, "content") is None))
    if not role and kind not in ("ToolResults", "Clear", "Compaction", "ResetTo"):
        yield Unit(unknown=1)


def _answer(content: Any) -> str:
    """Return what a tool answered: text, or the output of a command."""
    shown = [member(one, "data") for one in content] if isinstance(content, list) else []
    return "\n".join([string(one, "stdout") if isinstance(one, dict) else text_of(one) for one in shown]).strip()


def told(row: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what a conversation of the database says; `transcript` beside its history repeats it."""
    talk = value(row["value"])
    yield Unit(conversation=string(talk, "conversation_id"), cwd=string(row, "folder"))
    turns, strange = parted(member(talk, "history"))
    yield Unit(unknown=strange)
    for turn in turns:
        asked, answer = turn.get("user"), turn.get("assistant")
        at = member(asked, "timestamp") or row["at"]
        content = member(asked, "content")
        if isinstance(content, dict) and "Prompt" in content:
            yield speech("user", member(content, "Prompt", "prompt"), at=at, chained=True)
        elif content and not (isinstance(content, dict) and {"ToolUseResults", "CancelledToolUses"} & content.keys()):
            yield Unit(unknown=1)
        if asked is None and answer is None:
            yield Unit(unknown=1)
        yield from _answered(answer, {"at": member(turn, "request_metadata", "stream_end_timestamp_ms") or at})


def _answered(answer: Any, common: dict[str, Any]) -> Iterator[Unit]:
    """Yield an answer's words, and the calls in it."""
    held = member(answer, "Response") or member(answer, "ToolUse")
    if held is None:
        yield Unit(unknown=int(bool(answer)))
        return
    uses, strange = parted(member(held, "tool_uses") or [])
    calls = [call_of(one.get("name"), one.get("args")) for one in uses]
    said = speech("assistant", member(held, "content"), chained=True, **common)
    said.tools, said.files = [n for call in calls for n in call.tools], [p for call in calls for p in call.files]
    said.unknown += strange
    said.id = string(held, "message_id")
    yield said
