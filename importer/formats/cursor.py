"""Cursor: the editor's `state.vscdb`, its agent's `store.db` of each chat, and transcripts of the agent in JSON lines.

All three may hold one conversation, under one id. Only the editor's has times: a turn's key is a hash of the one before
it in the conversation, role and text, so that words which are alike in all of them are stored once.

    ~/.cursor/projects/<folder>/agent-transcripts/     no times, no folder (its encoded name is ambiguous)
    ~/.cursor/chats/<hash>/<conversation>/store.db     messages as JSON; other blobs are a graph that is not read
    <user>/globalStorage/state.vscdb                   a composer each conversation, its bubbles by key

What was typed and not sent is not read. A person's words stand in `<user_query>` where others were added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from importer.formats import Fed, Options, Tables
from importer.formats._shared import told as plain
from importer.formats._shared.blocks import has_wrapper, unwrapped
from importer.formats._shared.calls import id_of, used
from importer.formats._shared.message import spoken
from importer.formats._shared.told import (
    ID_BYTES,
    RESULT,
    THOUGHT,
    Context,
    Records,
    Unit,
    is_told,
    lacks,
    member,
    string,
    value,
)
from importer.formats._shared.turns import clip, stem
from importer.formats._shared.words import pieces, words

__all__ = ["EXCLUDE", "NAME", "TABLES", "Context", "begin", "feed", "recognises", "roots", "told", "wanted"]

NAME = "cursor"
EXCLUDE = ("*/terminals", "*/mcps", "*/assets", "*/agent-tools", "*.*/*")  # the last: folders of extensions

FOLDER = b"agent-transcripts"
REDACTED = "[REDACTED]"  # stands in place of words that were not written down
OF_OTHERS = frozenset(("type", "uuid", "sessionId", "parentUuid", "message_id"))
OF_OTHER_TYPES = (OF_OTHERS | {"message", "payload", "data"}) - {"type"}


PERSON, ANSWER = 1, 2  # types of bubbles
THINKING = 30  # a capability
QUERY = "user_query"

_COMPOSER = """
SELECT CAST(cursorDiskKV.value AS TEXT) AS composer, %s AS head, %s AS subagent
FROM cursorDiskKV %s WHERE cursorDiskKV.key = 'composerData:' || :member
"""
_BUBBLES = """
SELECT CAST(bubble.value AS TEXT) AS bubble
FROM (SELECT CAST(value AS TEXT) AS text FROM cursorDiskKV WHERE key = 'composerData:' || :member) AS composer
JOIN json_each(CASE WHEN json_valid(composer.text) THEN composer.text ELSE '{}' END, '$.fullConversationHeadersOnly')
  AS one
JOIN cursorDiskKV AS bubble
  ON bubble.key = 'bubbleId:' || :member || ':' || json_extract(one.value, '$.bubbleId')
ORDER BY one.key
"""
_HEADED = "JOIN composerHeaders ON composerId = :member"
_SCANNED = """
SELECT substr(key, 14), json_extract(CAST(value AS TEXT), '$.lastUpdatedAt'), length(value) FROM cursorDiskKV
WHERE key >= 'composerData:' AND key < 'composerData;' AND json_valid(CAST(value AS TEXT))
"""
_KEYED = {"cursorDiskKV": "key value"}
TABLES = (
    Tables(
        {**_KEYED, "composerHeaders": "composerId lastUpdatedAt value"},
        "SELECT composerId, lastUpdatedAt, {composerHeaders.checkpointAt} FROM composerHeaders",
        (_COMPOSER % ("composerHeaders.value", "{composerHeaders.isSubagent}", _HEADED), _BUBBLES),
    ),
    Tables(_KEYED, _SCANNED, (_COMPOSER % ("NULL", "NULL", ""), _BUBBLES)),
    Tables(
        {"blobs": "id data", "meta": "key value"},
        "SELECT key, 0, (SELECT count(*) FROM blobs), (SELECT max(rowid) FROM blobs), value FROM meta WHERE key = '0'",
        (
            "SELECT value AS meta FROM meta WHERE key = :member",
            "SELECT CAST(data AS TEXT) AS blob FROM blobs WHERE substr(data, 1, 1) IN ('{', X'7B') ORDER BY rowid",
        ),
    ),
)


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folders of its agent, and of the editor on each system."""
    agent = environ.get("CURSOR_CONFIG_DIR") or f"{home}/.cursor"
    users = (f"{environ.get('XDG_CONFIG_HOME') or f'{home}/.config'}", f"{home}/Library/Application Support")
    editors = (f"{folder}/Cursor/User/globalStorage" for folder in (*users, f"{home}/AppData/Roaming"))
    return (f"{agent}/projects", f"{agent}/chats", *editors)


def wanted(relative: bytes) -> bool:
    """Return True for a transcript, JSON lines by a bare name, or a database."""
    *folders, name = relative.split(b"/")
    return (name.endswith(b".jsonl") and (not folders or FOLDER in folders)) or name in (b"state.vscdb", b"store.db")


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for a message below a role, without the members of other programs, or the end of a turn."""
    typed = [record for record in records if record.get("type") not in (None, "turn_ended")]
    return any(map(_is_message, records)) and all(OF_OTHER_TYPES.isdisjoint(one) for one in typed)


def _is_message(record: Mapping[str, Any]) -> bool:
    """Return True for a line that only says who speaks, and what."""
    message = record.get("message")
    return (
        record.get("role") in ("user", "assistant")
        and isinstance(message, dict)
        and "content" in message
        and OF_OTHERS.isdisjoint(record)
    )


def begin(path: bytes) -> Context:
    """Return the context before the first line; a transcript is called by its conversation, a subagent's lies below."""
    folders = path.split(b"/")
    agent = stem(path) if b"subagents" in folders else ""
    session = folders[-3] if agent and len(folders) > 2 else path
    return Context(session=clip(stem(session), ID_BYTES), agent=clip(agent, ID_BYTES))


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a message says."""
    role = string(record, "role")
    if role in ("user", "assistant"):
        common = {"at": record.get("timestamp"), "chained": True}
        message = record.get("message")
        content = message.get("content", message) if isinstance(message, dict) else message
        for unit in spoken(role, content, common):
            unit.text = "" if unit.text == REDACTED else unit.text
            yield unit
    elif not (record.get("type") == "turn_ended" or record.get("event") == "turn_ended"):
        yield Unit(unknown=1)


_transcripts = Records(_said)


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turns of a line of a transcript, or of one that was told of a database. Never raises."""
    return plain.feed(context, raw, options) if is_told(raw) else _transcripts.feed(context, raw, options)


def told(row: Mapping[str, Any]) -> Iterator[Unit]:
    """Yield what a row says: a composer, a bubble, the heading of a chat, or a message in it."""
    if "bubble" in row:
        yield from _bubble(value(row["bubble"]))
    elif "composer" in row:
        composer, head = value(row["composer"]), value(row["head"])
        folder = string(head, "workspaceIdentifier", "uri", "fsPath")
        title = string(head, "name") or string(composer, "name")
        yield Unit(
            title=title,
            cwd=folder,
            branch=string(composer, "createdOnBranch"),
            agent="subagent" if row["subagent"] else "",
        )
    elif "meta" in row:
        yield _heading(string(row, "meta"))
    else:
        yield from _blob(value(row["blob"]))


def _bubble(bubble: Any) -> Iterator[Unit]:
    """Yield what a bubble says; a tool's has no words."""
    if not isinstance(bubble, dict) or bubble.get("type") not in (PERSON, ANSWER):
        yield Unit(text=bubble.get("text") if isinstance(bubble, dict) else bubble)
        return
    role = "user" if bubble["type"] == PERSON else "assistant"
    common: dict[str, Any] = {"id": string(bubble, "bubbleId"), "chained": True}
    common["at"] = bubble.get("createdAt") or bubble.get("timestamp")
    text, unknown = words(bubble.get("text") or bubble.get("rawText"))
    unknown += lacks(bubble, "text", "rawText", beside=("thinking", "toolFormerData", "capabilityType"))
    if thought := string(bubble, "thinking", "text") or (text if bubble.get("capabilityType") == THINKING else ""):
        yield Unit(role=role, kind=THOUGHT, text=thought, **common)
        text = "" if thought == text else text
    text = unwrapped(text) if role == "user" else text
    text = "" if text == REDACTED else text
    yield Unit(role=role, text=text, unknown=unknown, **_called(bubble.get("toolFormerData")), **common)
    result = member(bubble, "toolFormerData", "result")
    if result and (of := _id_of(bubble["toolFormerData"])):
        yield Unit(role="assistant", kind=RESULT, text=result, of=of, **common)


def _called(tool: Any) -> dict[str, Any]:
    """Return what is told of a tool's call, which a bubble holds with its result."""
    given = next((held for held in (member(tool, "params"), member(tool, "rawArgs")) if held), None)
    return used([(_id_of(tool), member(tool, "name"), given)]) if tool else {}


def _id_of(tool: Any) -> str:
    """Return the id of a tool's call."""
    return id_of(member(tool, "toolCallId"), member(tool, "name"))


def _heading(meta: str) -> Unit:
    """Return the heading of a chat: JSON, or the same in hex digits."""
    with suppress(ValueError):
        meta = bytes.fromhex(meta).decode("utf-8", "replace")
    head = value(meta)
    return Unit(conversation=string(head, "agentId"), title=string(head, "name"), cwd=string(head, "workspacePath"))


def _blob(message: Any) -> Iterator[Unit]:
    """Yield what a message of a chat says; a person's without a query was put there by the program."""
    role = string(message, "role")
    if role == "user":
        found = pieces(member(message, "content"))
        yield Unit(unknown=found.unknown)
        for text in found.texts:
            if has_wrapper(text, QUERY):
                yield Unit(role=role, text=unwrapped(text), chained=True)
    elif role == "assistant":
        for unit in spoken(role, member(message, "content"), {"chained": True}):
            unit.text = "" if unit.text == REDACTED else unit.text
            yield unit
    elif role not in ("system", "tool"):
        yield Unit(unknown=int(bool(message)))
