"""Gemini CLI: JSON lines under `~/.gemini/tmp/<project>/chats/`, a line of metadata and then messages with ids.

Older versions wrote the same as one JSON document, rewritten at each change: its units are its messages.

A message is appended again under its id when its tool calls arrive, `$set.messages` repeats the whole list, and
`$rewindTo` takes messages back. For a memory each message counts once, as it was first said; of one that has grown
since, what is new is a turn more. Rewinds are ignored.

A turn's key is a hash of role, message id, time and text: a resumed chat repeats them in another file, and the newer
form of an older chat, too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from importer.formats import Document, Fed, Options
from importer.formats._shared import appended
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.own_search import is_own_command, is_own_tool
from importer.formats._shared.turns import clip, key, once, stem, utc
from importer.protocol.records import Facts, Turn

NAME = "gemini"
DOCUMENT = Document("messages", head=True)

ROLES = {"user": "user", "gemini": "assistant"}
KNOWN_TYPES = frozenset((*ROLES, "info", "error", "warning", ""))
RESULT_CHARS = 2_000  # of each tool result, where those are indexed
NAME_BYTES = 120  # encoded: it stands in the context, which is bounded
RECENT = 32  # messages known again; one that is repeated later is known by its time

_hash = re.compile(r"[0-9a-f]{64}\Z")
_document = re.compile(rb"session-[^/]+\.json\Z")


class Part(msgspec.Struct, gc=False):
    """A piece of content; only text is read."""

    text: str | None = None


class Given(msgspec.Struct, gc=False):
    """The arguments of a tool call: files, and the command to know our own search by."""

    file_path: Any = None
    absolute_path: Any = None
    command: Any = None


class Call(msgspec.Struct, gc=False):
    """A tool call with its result."""

    name: str | None = None
    args: Given | None = None
    result: Any = None


class Thought(msgspec.Struct, gc=False):
    """A thought that the model showed."""

    subject: str | None = None
    description: str | None = None


Content = str | Part | list[Part] | None


class Message(msgspec.Struct, gc=False, rename="camel"):
    """One message, as a line of its own or in a list."""

    id: str | None = None
    timestamp: str | None = None
    type: str = ""
    content: Content = None
    display_content: Content = None
    thoughts: list[Thought] | None = None
    tool_calls: list[Call] | None = None
    model: str | None = None


class Change(msgspec.Struct, gc=False):
    """A change of the chat's state; only a new list of messages is read."""

    messages: list[Message] | None = None


class ChatLine(Message, gc=False, rename="camel"):
    """A line: metadata (`session_id`), a message, or a change.

    In the older form the document's other members come first, as a line of metadata.
    """

    session_id: str | None = None
    project_hash: str | None = None
    kind: str | None = None
    change: Change | None = msgspec.field(default=None, name="$set")


_lines = Lines(ChatLine)


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The chat's identity, the digests of the last messages, and the newest time of all; below 1.5 KB encoded.

    `recent` knows a message that comes again, `told` one that has grown, `latest` tells in a repeated list what is new.
    """

    session: str = ""
    project: str = ""
    subagent: bool = False
    latest: str = ""
    recent: tuple[str, ...] = ()
    told: appended.Told = ()


def roots(_: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of all projects' chats."""
    return (f"{home}/.gemini/tmp",)


def wanted(relative: bytes) -> bool:
    """Return True for any `.jsonl`, and `session-*.json`.

    Chats lie in `<project>/chats/`, those of subagents one folder deeper.
    """
    return relative.endswith(b".jsonl") or bool(_document.match(relative.rpartition(b"/")[2]))


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True if the metadata of the first line is there."""
    return any("sessionId" in record and "projectHash" in record for record in records)


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for the metadata beside the list of messages."""
    return {"sessionId", "projectHash"} <= set(keys)


def begin(path: bytes) -> Context:
    """Return the context before the first line, which names the session."""
    return Context(session=clip(stem(path), NAME_BYTES))


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turns of one line, many if it repeats the list, and the context after it. Never raises."""
    return _lines.feed(context, raw, options, _step)


def _step(context: Context, line: ChatLine, options: Options) -> Fed:
    """Take one line: the chat's head, a change, or a message."""
    if line.session_id:  # messages do not name it
        return Fed(_headed(context, line))
    if context.subagent and not options.subagents:
        return Fed(context)
    if line.change:
        return _replayed(context, line.change.messages or (), options)
    context, turns = _message(context, line, options)
    return Fed(context, turns, int(line.type not in KNOWN_TYPES))


def _headed(context: Context, line: ChatLine) -> Context:
    """Return the context after the line of metadata."""
    # The project is a readable name only in newer versions; a hash tells a reader nothing.
    project = line.project_hash or ""
    return replace(
        context,
        session=clip(line.session_id or "", NAME_BYTES),
        project="" if _hash.match(project) else clip(project, NAME_BYTES),
        subagent=line.kind == "subagent",
    )


def _replayed(context: Context, messages: Sequence[Message], options: Options) -> Fed:
    """Take from a list that replaces all messages those newer than any seen.

    Compared by time, not by `recent`, which a long list would exceed. A message without a time counts as seen.
    """
    turns: tuple[Turn, ...] = ()
    before = context.latest
    for message in messages:
        if not before or utc(message.timestamp) > before:
            context, more = _message(context, message, options)
            turns += more
    return Fed(context, turns)


def _message(context: Context, message: Message, options: Options) -> tuple[Context, tuple[Turn, ...]]:
    """Make the turn of a message, none if it says nothing that was not said before.

    A message that is here again with its tool calls gives a turn without text. The key is by all that it says, also
    where only the rest is new: another fold that sees this form first gives the same key.
    """
    role = ROLES.get(message.type)
    if role is None:
        return context, ()
    text, at = _text(message, options), utc(message.timestamp)
    calls = message.tool_calls or ()
    tools, files = once([call.name or "" for call in calls]), once([path for call in calls for path in _paths(call)])
    mark = key(role, message.id or "", message.timestamp or "", _joined(_shown(message)))
    if text and mark[:12] not in context.recent:
        context, text = _news(context, message.id or "", text)
    else:
        text = ""
    if not text:  # here again with its tool calls, or with its token count only
        mark = key("tools", message.id or "", message.timestamp or "", *tools, *files)
    if mark[:12] in context.recent or not (text or tools or files):
        return context, ()
    recent = (*context.recent, mark[:12])[-RECENT:]  # 12 hex digits, for the context is small
    facts = Facts(
        kind="subagent" if context.subagent else "exchange",
        project=context.project,
        model=message.model or "",
        agent="subagent" if context.subagent else "",
        tools=tools,
        files=files,
    )
    turn = Turn(context.session, message.id or mark, role, text, at, mark, facts)
    # The newest of all: times may step back.
    return replace(context, recent=recent, latest=max(context.latest, at)), (turn,)


def _news(context: Context, id_: str, text: str) -> tuple[Context, str]:
    """Return the context that knows a message's text, and what of it was not said under its id before."""
    known = id_ and f"{context.session} {id_}"  # another session in the file may count its messages alike
    return replace(context, told=appended.remember(context.told, known, text)), appended.rest(context.told, known, text)


def _text(message: Message, options: Options) -> str:
    """Return what is to be indexed of a message, with thoughts and results if they are wanted."""
    texts = _shown(message)
    if options.thinking:
        texts = [f"{t.subject or ''}: {t.description or ''}".strip(": ") for t in message.thoughts or ()] + texts
    if options.tool_results:
        texts += [_result(call) for call in message.tool_calls or ()]
    return _joined(texts)


def _shown(message: Message) -> list[str]:
    """Return what the user saw, which may be shorter than what the model was sent."""
    return _words(message.display_content) or _words(message.content)


def _joined(texts: Sequence[str]) -> str:
    """Join the texts as paragraphs, empty ones left out."""
    return "\n\n".join([text.strip() for text in texts if text.strip()]).replace("\0", "").strip()


def _words(content: Content) -> list[str]:
    """Return the texts of content, in any of its forms."""
    if isinstance(content, str):
        return [content] if content.strip() else []
    parts = [content] if isinstance(content, Part) else content or []
    return [part.text for part in parts if part.text and part.text.strip()]


def _paths(call: Call) -> list[str]:
    """Return the files that a call names."""
    given = call.args
    return [path for path in (given.file_path, given.absolute_path) if isinstance(path, str)] if given else []


def _result(call: Call) -> str:
    """Return the beginning of what a tool answered, unless it was our own search.

    In the form of the API: a list of parts with a `functionResponse` each. Anything else has no text.
    """
    command = call.args.command if call.args else None
    if is_own_tool(call.name or "") or (isinstance(command, str) and is_own_command(command)):
        return ""
    try:
        answers = msgspec.convert(call.result, list[dict[str, dict[str, Any]]])
    except msgspec.ValidationError:
        return ""
    outputs = (a.get("functionResponse", {}).get("response") for a in answers)
    return "\n".join(str(o["output"]) for o in outputs if isinstance(o, dict) and "output" in o)[:RESULT_CHARS]
