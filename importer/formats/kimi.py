"""Kimi Code and the older kimi-cli: `wire.jsonl` in a session's folder, of each agent one.

Kimi Code tells a prompt twice, as a turn and as a message of the context: the message counts. What an undo takes out of
the model's view was said all the same.

Title and folder stand in `state.json` of the session, the folder in `session_index.jsonl` of all sessions as well. The
older program's folders are hashes of the paths in its `kimi.json`.

An answer is told in parts, each as it arrives: nothing is lost where it breaks off.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import md5
from typing import Any

from importer.formats import Document
from importer.formats._journal import Journal, JournalPieces, opens_object
from importer.formats._shared.blocks import unwrapped
from importer.formats._shared.calls import api_calls, id_of, used
from importer.formats._shared.told import (
    ABOUT,
    ANSWER,
    ID_BYTES,
    PLAN,
    RESULT,
    THOUGHT,
    Context,
    Records,
    Unit,
    inner,
    member,
    objects,
    speech,
    string,
    value,
)
from importer.formats._shared.turns import clip, key, stem

__all__ = [
    "DOCUMENT",
    "JOURNAL",
    "NAME",
    "Context",
    "begin",
    "feed",
    "recognises",
    "recognises_document",
    "replayed",
    "roots",
    "wanted",
]

NAME = "kimi"

WIRE, INDEX, FOLDERS = b"wire.jsonl", "session_index.jsonl", "kimi.json"
SHEETS = (b"state.json", b"metadata.json")  # the second one of old versions
# Members that tell a sheet: of Kimi Code, of kimi-cli, and of its old versions.
SIGNS = (("isCustomTitle", "agents"), ("custom_title", "approval"), ("title_generated", "session_id"))
FURTHER = (("agents", "createdAt"), ("approval", "version"))  # where there is no title
DOCUMENT = Document(sheet=("isCustomTitle", "custom_title", "title_generated", "agents", "approval"))
INDEXED = ("sessionId", "sessionDir", "workDir")
UNTITLED = ("New Session", "Untitled")
_session = re.compile(rb"(?:\A|/)(?:session_[^/]*|[0-9a-f-]{4,36})\Z")
MAIN = "main"
PLACES = ("config.update", "environment.set_binding")
ANSWERS = ("QuestionResponse", "interaction.resolved")
# Messages of the older program that are a side's words, and the members that hold them.
SPOKEN = {
    "TurnBegin": ("user", ("user_input", "input")),
    "SteerInput": ("user", ("user_input", "input")),
    "PlanDisplay": ("assistant", ("content",)),
    "BtwBegin": ("user", ("question",)),
    "BtwEnd": ("assistant", ("response",)),
}
# Others that hold no words of either side, or repeat them.
_SILENT = """
    TurnEnd StepBegin StepInterrupted StepRetry CompactionBegin CompactionEnd HookTriggered HookResolved StatusUpdate
    MCPLoadingBegin MCPLoadingEnd Notification ToolCallPart ApprovalRequest ApprovalResponse ApprovalRequestResolved
    SubagentEvent ToolCallRequest TaskStatus
"""
SILENT = frozenset(_SILENT.split())
MOST_STEERED = 8  # prompts put in while the assistant was at work, which become messages later
DIGITS = 12  # of the hash of each
NOTHING = "-"
ROLES = frozenset(("user", "assistant", "system", "tool", "developer"))


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folders of sessions of both programs, and what tells the working folders of these."""
    new, old = environ.get("KIMI_CODE_HOME") or f"{home}/.kimi-code", environ.get("KIMI_SHARE_DIR") or f"{home}/.kimi"
    return (f"{new}/sessions", f"{new}/{INDEX}", f"{old}/sessions", f"{old}/{FOLDERS}")


def wanted(relative: bytes) -> bool:
    """Return True for a wire and the sheets in folders of sessions; the context beside it is rewritten."""
    folder, _, name = relative.rpartition(b"/")
    sheet = name in SHEETS and (not folder or bool(_session.search(folder)))
    return sheet or name in (WIRE, INDEX.encode(), FOLDERS.encode())


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for the metadata of the protocol, nearly always the first line, or a line of the index."""
    return any(
        (record.get("type") == "metadata" and "protocol_version" in record) or set(INDEXED) <= set(record)
        for record in records
    )


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for the sheet of a session."""
    return any(set(signs) <= set(keys) for signs in (*SIGNS, *FURTHER))


def _folders(pieces: JournalPieces) -> Iterator[tuple[str, str]]:
    """Yield the working folders that the older program knows, each with the folder of its sessions."""
    hashed = [(name.rpartition("_")[2], name) for name in pieces.names("sessions")]
    for one in objects(member(value(b"".join(pieces.lines()).decode("utf-8", "replace")), "work_dirs")):
        if path := string(one, "path"):
            digest = md5(path.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
            yield from ((path, f"sessions/{name}") for found, name in hashed if found == digest)


JOURNAL = Journal(
    lambda path: path.endswith(b"/" + FOLDERS.encode()),
    opens_object,
    lambda pieces: ("sessions", *(folder for _, folder in _folders(pieces))),
)


def replayed(pieces: JournalPieces) -> Iterator[Any]:
    """Yield the working folder of each session of the older program. Never raises for what is in it."""
    for path, folder in _folders(pieces):
        yield from (Unit(kind=ABOUT, conversation=session, cwd=path) for session in pieces.names(folder))


def begin(path: bytes) -> Context:
    """Return the context before the first line: folders name the session, and the agent if it is not the main one."""
    *folders, name = path.decode("utf-8", "replace").split("/")
    if name.encode() not in (WIRE, *SHEETS):
        return Context(session=clip(stem(path), ID_BYTES))
    agent = ""
    if len(folders) > 2 and folders[-2] in ("agents", "subagents"):
        agent = "" if folders[-1] == MAIN else folders[-1]
        folders = folders[:-2]
    return Context(session=clip(folders[-1] if folders else "", ID_BYTES) or "wire", agent=clip(agent, ID_BYTES))


def _said(context: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a record of either program says."""
    message, kind, at = record.get("message"), string(record, "type"), record.get("time")
    if "timestamp" in record and isinstance(message, dict) and "payload" in message:
        yield from _old(string(message, "type"), message["payload"], record["timestamp"])
    elif kind == "context.append_message":
        yield from _message(context, message, at)
    elif kind == "turn.steer" and _is_typed(record):
        yield from _steered(context, record.get("input"), at)
    elif kind == "context.append_loop_event":
        event = record.get("event")
        yield from _part(string(event, "type"), event if isinstance(event, dict) else {}, at)
    elif kind in ANSWERS:
        yield _answer({**record, **(found if isinstance(found := record.get("response"), dict) else {})}, at)
    elif kind in PLACES:
        yield Unit(cwd=string(record, "cwd") or string(record, "environmentDisclosure", "cwd"))
    elif not isinstance(record.get("type"), str):
        yield _sheet(record)


def _sheet(record: dict[str, Any]) -> Unit:
    """Return what a sheet tells of its session, or a line of the index or of the older program's folders of another."""
    if record.get("kind") == ABOUT:
        return Unit(kind=ABOUT, conversation=string(record, "conversation"), cwd=string(record, "cwd"))
    if set(INDEXED) <= set(record):
        session = string(record, "sessionDir").replace("\\", "/").rstrip("/").rpartition("/")[2]
        return Unit(kind=ABOUT, conversation=session or string(record, "sessionId"), cwd=string(record, "workDir"))
    if not recognises_document(record):
        return Unit(unknown=int("database" not in record))
    title = string(record, "custom_title") or string(record, "title")
    places = (string(record, name) for name in ("workDir", "cwd", "parent_repo_path", "worktree_path"))
    return Unit(kind=ABOUT, title="" if title in UNTITLED else title, cwd=next(filter(None, places), ""))


def _is_typed(record: Any) -> bool:
    """Return True if a person typed what a record holds, and no machinery made it."""
    return string(record, "origin", "kind") in ("", "user")


def _message(context: Context, message: Any, at: Any) -> Iterator[Unit]:
    """Yield what a message of the context says: a prompt, unless it was told when the person put it in."""
    role = string(message, "role")
    if role != "user" or not _is_typed(message):
        yield Unit(unknown=int(role not in ROLES))
        return
    said = speech(role, member(message, "content"), at=at)
    mark, steered = _mark(said.text), context.note.split()
    if mark in steered:
        steered.remove(mark)
        yield Unit(note=" ".join(steered) or NOTHING)
        return
    said.text = unwrapped(said.text)
    yield said


def _steered(context: Context, content: Any, at: Any) -> Iterator[Unit]:
    """Yield what a person put in while the assistant was at work: it becomes a message with the next turn, if ever."""
    said = speech("user", content, at=at)
    mark = _mark(said.text)
    yield said
    if said.text:
        yield Unit(note=" ".join([*context.note.split(), mark][-MOST_STEERED:]))


def _mark(text: str) -> str:
    """Return a short hash of what was put in."""
    return key(text)[:DIGITS]


def _part(kind: str, event: dict[str, Any], at: Any) -> Iterator[Unit]:
    """Yield what an event of the loop says: a part of an answer, a call, what came back."""
    part = event.get("part")
    if kind == "content.part" and string(part, "type") in ("think", "thinking"):
        yield Unit(role="assistant", kind=THOUGHT, text=string(part, "think") or string(part, "text"), at=at)
    elif kind == "content.part":
        yield Unit(role="assistant", text=part, at=at)
    elif kind == "tool.call":
        given = event.get("args") or event.get("arguments")
        yield Unit(role="assistant", at=at, **used([(_id(event), event.get("name"), given)]))
    elif kind == "tool.result":
        result = event.get("result", event.get("output"))
        text = member(result, "output") or member(result, "content") or result
        yield Unit(role="assistant", kind=RESULT, text=text, of=id_of(_id(event), event.get("name")), at=at)
    elif not kind:
        yield Unit(unknown=1)


def _old(kind: str, payload: Any, at: Any) -> Iterator[Unit]:
    """Yield what a message of the older program says."""
    if kind in SPOKEN:
        role, names = SPOKEN[kind]
        kind = PLAN if kind == "PlanDisplay" else ""
        yield Unit(role=role, kind=kind, text=inner(payload, *names) if payload else "", at=at)
    elif kind == "ContentPart" and string(payload, "type") in ("think", "thinking"):
        yield Unit(role="assistant", kind=THOUGHT, text=string(payload, "think"), at=at)
    elif kind == "ContentPart":
        yield Unit(role="assistant", text=payload, at=at)
    elif kind == "ToolResult":
        value = member(payload, "return_value") or member(payload, "result")
        text = member(value, "output") or member(value, "message") or value
        yield Unit(role="assistant", kind=RESULT, text=text, of=id_of(member(payload, "tool_call_id"), ""), at=at)
    elif kind in ("ToolCall", "QuestionRequest"):
        asks = kind == "QuestionRequest"
        found = used([(member(payload, "id"), "ask_user", payload)] if asks else api_calls([payload]))
        yield Unit(role="assistant", at=at, **{**found, "tools": [] if asks else found["tools"]})
    elif kind in ANSWERS:
        yield _answer(payload, at)
    elif kind not in SILENT:
        yield Unit(unknown=1)


def _answer(payload: Any, at: Any) -> Unit:
    """Return what a person answered."""
    told = next((held for name in ("answers", "feedback", "answer") if (held := member(payload, name))), None)
    of = id_of(member(payload, "request_id") or member(payload, "id"), "ask_user")
    return Unit(role="assistant", kind=ANSWER, text={"answers": told}, of=of, at=at)


def _id(event: dict[str, Any]) -> Any:
    """Return the id of a call, which versions call differently."""
    return next((event[name] for name in ("toolCallId", "tool_call_id", "callId", "id") if event.get(name)), None)


feed = Records(_said).feed
