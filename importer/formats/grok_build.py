"""Grok Build: `sessions/<folder>/<session>/updates.jsonl`, what the agent's protocol sent, words in small pieces.

Pieces of one side in one prompt are joined, so all of a session is told anew at each change; a rewind cuts it back.
The last ones wait until their turn is completed. Of the oldest sessions only `chat_history.jsonl` is there, which is
derived and has no times: it counts where there are no updates. `summary.json` knows title, folder and branch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from importer.formats._journal import Journal, JournalPieces, opens_object, records
from importer.formats._shared.blocks import unwrapped
from importer.formats._shared.calls import api_calls, id_of, used
from importer.formats._shared.message import spoken
from importer.formats._shared.told import RESULT, THOUGHT, Context, Unit, begin, feed, member, objects, string, value
from importer.formats._shared.words import words

__all__ = ["JOURNAL", "NAME", "Context", "begin", "feed", "replayed", "roots", "wanted"]

NAME = "grok-build"

UPDATES, HISTORY, SHEET = "updates.jsonl", "chat_history.jsonl", "summary.json"
PERSON, ANSWER, THINKING = "user_message_chunk", "agent_message_chunk", "agent_thought_chunk"
SPOKEN = frozenset((PERSON, ANSWER, THINKING))
_SILENT = """
    tool_call_update plan available_commands_update current_mode_update session_info_update usage_update turn_started
    turn_completed config_option_update compaction_started compaction_completed hook_event
"""
SILENT = frozenset(_SILENT.split())
SUBAGENTS = ("subagent", "subagent_fork")


def _called(path: bytes) -> bool:
    """Return True for the updates or the history of a session; `sessions` lies two folders above it."""
    *folders, name = path.split(b"/")
    return name in (UPDATES.encode(), HISTORY.encode()) and b"sessions" in folders[-4:]


JOURNAL = Journal(_called, opens_object, lambda _: (SHEET,))


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of sessions."""
    return (f"{environ.get('GROK_HOME') or f'{home}/.grok'}/sessions",)


def wanted(relative: bytes) -> bool:
    """Return True for the updates or the history of a session."""
    return relative.rpartition(b"/")[2] in (UPDATES.encode(), HISTORY.encode())


def replayed(pieces: JournalPieces) -> Iterator[Any]:
    """Yield what a session says. Never raises for what is in it."""
    *_, folder, session, name = pieces.path.decode("utf-8", "replace").rsplit("/", 3)
    if name == HISTORY and UPDATES in pieces.names("."):
        return
    sheet = value(pieces.read(SHEET).decode("utf-8", "replace"))
    cwd = string(sheet, "info", "cwd") or (unquote(folder) if "%" in folder else "")
    agent = "subagent" if string(sheet, "session_kind") in SUBAGENTS else ""
    title = string(sheet, "generated_title") or string(sheet, "session_summary")
    yield Unit(conversation=session, title=title, cwd=cwd, branch=string(sheet, "head_branch"), agent=agent)
    model = string(sheet, "current_model_id")
    found = records(pieces)
    yield from _updates(found, model) if name == UPDATES else _history(found)


def _updates(found: Iterator[Any], model: str) -> Iterator[Any]:
    """Yield each side's words, joined from their pieces."""
    side, texts, common = "", list[str](), dict[str, Any]()
    for record in found:
        update = member(record, "params", "update")
        kind = string(update, "sessionUpdate")
        prompt = string(record, "params", "_meta", "promptId") or str(member(update, "_meta", "promptIndex"))
        if side and (kind, prompt) != (side, common["id"]):
            yield from _joined(side, texts, common)
            side, texts = "", []
        if kind in SPOKEN:
            if not side:
                side, common = kind, {"id": prompt, "at": _time(record), "model": model if kind != PERSON else ""}
            text, unknown = _piece(member(update, "content"))
            texts.append(text)
            yield Unit(unknown=unknown)
        else:
            yield from _beside_words(record, update, kind)
    if side:
        yield {"held": True, "id": common["id"]}
        yield from _joined(side, texts, common)


def _time(record: Any) -> Any:
    """Return when a piece was sent, in milliseconds where that is told."""
    return member(record, "params", "_meta", "agentTimestampMs") or member(record, "timestamp")


def _beside_words(record: Any, update: Any, kind: str) -> Iterator[Any]:
    """Yield the call of a tool; what is not known is counted."""
    if isinstance(record, str):
        yield record
    elif kind == "tool_call":
        yield _call(update)
    elif kind == "tool_call_update" and (result := _output(update)):
        yield Unit(role="assistant", kind=RESULT, text=result, of=id_of(update.get("toolCallId"), ""), at=_time(record))
    elif kind not in SILENT:
        yield Unit(unknown=1)


def _piece(content: Any) -> tuple[str, int]:
    """Return the words of a piece with the blanks around them, and how many could not be read; others without them."""
    text = member(content, "text")
    return (text, 0) if string(content, "type") == "text" and isinstance(text, str) else words(content)


def _joined(side: str, texts: list[str], common: dict[str, Any]) -> Iterator[Unit]:
    """Yield what one side said in one go."""
    text = "".join(texts)
    if side == PERSON:
        yield Unit(role="user", text=unwrapped(text), **common)
    else:
        yield Unit(role="assistant", text=text, kind=THOUGHT if side == THINKING else "", **common)


def _call(update: Any) -> Unit:
    """Return the call of a tool; what it edits stands among its places."""
    name = string(update, "_meta", "toolName") or string(update, "title").partition(" ")[0]
    found = used([(member(update, "toolCallId"), name, member(update, "rawInput"))])
    places = [string(one, "path") for one in objects(member(update, "locations"))]
    edited = [path for path in places if path] if string(update, "kind") in ("edit", "delete", "move") else []
    found["files"] = edited or found["files"]
    return Unit(role="assistant", id=string(update, "toolCallId"), **found)


def _output(update: Any) -> Any:
    """Return what a call gave back: the program's own form of it, or blocks."""
    told = [member(one, "content") or one for one in objects(member(update, "content"))]
    return member(update, "rawOutput") or told


def _history(found: Iterator[Any]) -> Iterator[Any]:
    """Yield what the history says; of a person's lines what the program put in is marked, but for interjections."""
    chained: dict[str, Any] = {"chained": True}
    for record in found:
        if not isinstance(record, dict):
            yield record if isinstance(record, str) else Unit(unknown=1)
            continue
        side = string(record, "type") or string(record, "role")
        if side == "user" and string(record, "synthetic_reason") in ("", "interjection"):
            yield from spoken(side, record.get("content"), chained)
        elif side == "assistant":
            yield from spoken(side, record.get("content"), {**chained, "model": string(record, "model_id")})
            yield Unit(role=side, chained=True, **used(api_calls(record.get("tool_calls"))))
        elif side in ("tool", "tool_result"):
            of = id_of(record.get("tool_call_id"), record.get("name"))
            yield Unit(role="assistant", kind=RESULT, text=record.get("content"), of=of)
        elif side not in ("user", "system", "reasoning", "backend_tool_call"):
            yield Unit(unknown=1)
