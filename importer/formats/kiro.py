"""Kiro's command line: `sessions/cli/<session>.jsonl`, before it a database, `data.sqlite3`; Amazon Q's was the same.

Title and folder of a session stand in `<session>.json` beside it, so it is told anew when that changes. The database
holds logins beside conversations: no other table is asked, and it is never copied. The editor's own sessions are not
read: what they keep of an answer is often not what was said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from importer.formats import Tables
from importer.formats._journal import Journal, JournalPieces, opens_object, records
from importer.formats._shared.calls import id_of, used
from importer.formats._shared.told import (
    RESULT,
    THOUGHT,
    Context,
    Unit,
    begin,
    feed,
    inner,
    member,
    objects,
    parted,
    prompt,
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
SILENT = frozenset(("image", "json", "redactedThinking"))
_sessions = b"/sessions/cli/"


def _sheet(pieces: JournalPieces) -> tuple[str]:
    """Return the name of the sheet of a session."""
    return (pieces.path.decode("utf-8", "replace").rpartition("/")[2].removesuffix("l"),)


JOURNAL = Journal(
    lambda path: path.endswith(b".jsonl") and _sessions in path,
    opens_object,
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
    for record in records(pieces):
        yield from [record] if isinstance(record, str) else _said(record)


def _said(record: Any) -> Iterator[Unit]:
    """Yield what a line of a session says."""
    kind, data = string(record, "kind"), member(record, "data")
    role = {"Prompt": "user", "AssistantMessage": "assistant"}.get(kind, "")
    common: dict[str, Any] = {"id": string(data, "message_id"), "at": member(data, "meta", "timestamp")}
    blocks, strange = parted(member(data, "content") or [])
    for block in blocks:
        held, what = block.get("data"), string(block, "kind")
        if what == "thinking":
            yield Unit(role="assistant", kind=THOUGHT, text=text_of(held), **common)
        elif what == "toolUse":
            call = (member(held, "toolUseId"), member(held, "name"), member(held, "input"))
            yield Unit(role="assistant", **used([call]), **common)
        elif what == "toolResult":
            of = id_of(member(held, "toolUseId"), "")
            yield Unit(role="assistant", kind=RESULT, text=_answer(member(held, "content")), of=of, **common)
        elif what not in SILENT:
            found = prompt(held, **common) if role == "user" else speech(role, held, **common)
            found.unknown += not what or ((what != "text" or not role) and bool(found.text))
            yield found
    yield Unit(unknown=strange + (data is not None and member(data, "content") is None))
    if not role and kind not in ("ToolResults", "Clear", "Compaction", "ResetTo"):
        yield Unit(unknown=1)


def _answer(content: Any) -> str:
    """Return what a tool answered: text, or the output of a command."""
    shown = [next((one[name] for name in ("data", "Text", "Json") if name in one), one) for one in objects(content)]
    return "\n".join([string(one, "stdout") or text_of(one) for one in shown]).strip() or text_of(content)


def told(row: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what a conversation of the database says; `transcript` beside its history repeats it."""
    talk = value(row["value"])
    yield Unit(conversation=string(talk, "conversation_id"), cwd=string(row, "folder"))
    turns, strange = parted(member(talk, "history"))
    yield Unit(unknown=strange + (bool(talk) and member(talk, "history") is None))
    for turn in turns:
        asked, answer = turn.get("user"), turn.get("assistant")
        at = member(asked, "timestamp") or row["at"]
        yield from _asked(inner(asked, "content"), at)
        if asked is None and answer is None:
            yield Unit(unknown=1)
        yield from _answered(answer, {"at": member(turn, "request_metadata", "stream_end_timestamp_ms") or at})


def _asked(content: Any, at: Any) -> Iterator[Unit]:
    """Yield what a person typed, also in place of tools that were cancelled, and what tools answered."""
    kinds = content if isinstance(content, dict) else {}
    for kind in kinds:
        held = kinds[kind]
        if kind == "Prompt" or (kind == "CancelledToolUses" and member(held, "prompt")):
            yield prompt(inner(held, "prompt"), at=at, chained=True)
        elif kind not in ("ToolUseResults", "CancelledToolUses"):
            yield Unit(unknown=1)
        for one in objects(member(held, "tool_use_results")):
            of = id_of(one.get("tool_use_id") or one.get("id"), "")
            yield Unit(role="assistant", kind=RESULT, text=_answer(one.get("content")), of=of, at=at)
    if content and not kinds:
        yield Unit(unknown=1)


def _answered(answer: Any, common: dict[str, Any]) -> Iterator[Unit]:
    """Yield an answer's words, and the calls in it."""
    held = member(answer, "Response") or member(answer, "ToolUse")
    if held is None:
        yield Unit(unknown=int(bool(answer)))
        return
    uses, strange = parted(member(held, "tool_uses") or [])
    calls = used([(one.get("id"), one.get("name"), one.get("args")) for one in uses])
    said = speech("assistant", inner(held, "content"), chained=True, **calls, **common)
    said.unknown += strange
    said.id = string(held, "message_id")
    yield said
