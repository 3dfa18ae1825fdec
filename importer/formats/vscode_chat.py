"""VS Code's Copilot Chat: `chatSessions/<session>.json`, one document of requests, each with its response.

They lie below `workspaceStorage`, beside the folders of every extension, some of them huge: so only chats of empty
windows are looked for, others are imported by path. The journal that newer versions keep (`.jsonl`) is not read.

A turn's key is a hash of session, request and text: the document is rewritten as it grows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from importer.formats import Document, Fed, Options
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.turns import clip, key, moment, once, stem
from importer.protocol.records import Facts, Turn

NAME = "vscode-chat"
DOCUMENT = Document("requests", head=True)

USERS = (".config/Code/User", "Library/Application Support/Code/User")
FOLDERS = (b"chatSessions", b"emptyWindowChatSessions", b"transferredChatSessions")
# Kinds of parts. Plain Markdown has none.
TEXT, THOUGHT = frozenset(("", "markdownContent")), "thinking"
# What the editor shows beside the words: progress, edits, confirmations.
_PASSED_OVER = """
    inlineReference toolInvocationSerialized toolInvocation prepareToolInvocation textEditGroup textEdit
    notebookEditGroup codeblockUri undoStop progressMessage progressTask progressTaskSerialized command confirmation
    warning extensions references reference treeData mcpServersStarting elicitation elicitationSerialized pullRequest
    multiDiffData codeCitation move agentDetection
"""
KNOWN_KINDS = TEXT | frozenset((THOUGHT, *_PASSED_OVER.split()))
ID_BYTES = 120  # encoded: it stands in the context, which is bounded
TITLE_BYTES = 400

_session = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json\Z")


class Said(msgspec.Struct, gc=False):
    """The text that a person typed."""

    text: str | None = None


class FileReference(msgspec.Struct, gc=False):
    """A file, as `path` or by a name."""

    path: str | None = None
    name: str | None = None


class Part(msgspec.Struct, gc=False, rename="camel"):
    """A piece of a response: without a kind it is Markdown."""

    kind: str = ""
    value: Any = None
    content: Any = None
    inline_reference: FileReference | None = None
    tool_id: str | None = None
    uri: FileReference | None = None


class Unit(msgspec.Struct, gc=False, rename="camel"):
    """The document's head, or a request."""

    session_id: str | None = None
    custom_title: str | None = None
    request_id: str | None = None
    message: Said | None = None
    response: list[Part] | None = None
    timestamp: float | None = None
    model_id: str | None = None


_lines = Lines(Unit)


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The session as the document's head tells it."""

    session: str = ""
    title: str = ""


def roots(_: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folders of chats of windows without a folder."""
    return tuple(f"{home}/{user}/globalStorage/emptyWindowChatSessions" for user in USERS)


def wanted(relative: bytes) -> bool:
    """Return True for a session's id as a name, in a folder of sessions or by itself."""
    *folders, name = relative.split(b"/")
    return bool(_session.match(name)) and (not folders or folders[-1] in FOLDERS)


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for requests beside the name of the person who asks, or the document's version."""
    return not {"version", "requesterUsername"}.isdisjoint(keys)


def begin(path: bytes) -> Context:
    """Return the context before the head; the file's name is the session's."""
    return Context(session=clip(stem(path), ID_BYTES))


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turns of a request: what was asked, and what was answered. Never raises."""
    return _lines.feed(context, raw, options, _step)


def _step(context: Context, unit: Unit, options: Options) -> Fed:
    """Take the head, or a request.

    The key of an answer is made without its thoughts, whether they are indexed or not.
    """
    if unit.request_id is None and unit.message is None:
        session = clip(unit.session_id or "", ID_BYTES) or context.session
        return Fed(Context(session, clip((unit.custom_title or "").strip(), TITLE_BYTES)))
    parts = unit.response or ()
    asked = ((unit.message or Said()).text or "").replace("\0", "").strip()
    answered = _answer(parts, thinking=options.thinking)
    tools = once([part.tool_id or "" for part in parts])
    files = once([part.uri.path or "" for part in parts if part.uri and part.kind == "textEditGroup"])
    turns = []
    if asked:
        turns.append(_turn(context, unit, "user", asked, content=key(asked), facts=Facts(title=context.title)))
    if answered or tools or files:
        facts = Facts(title=context.title, model=unit.model_id or "", tools=tools, files=files)
        plain = key(_answer(parts, thinking=False), *tools, *files)
        turns.append(_turn(context, unit, "assistant", answered, content=plain, facts=facts))
    return Fed(context, tuple(turns), sum(part.kind not in KNOWN_KINDS for part in parts))


def _turn(context: Context, unit: Unit, role: str, text: str, *, content: str, facts: Facts) -> Turn:
    """Make a turn; `content` is the hash of what its key goes by."""
    mark = key(context.session, unit.request_id or "", role, content)
    at = moment(unit.timestamp)
    return Turn(context.session, f"{unit.request_id or mark}/{role}", role, text, at, mark, facts)


def _answer(parts: Sequence[Part], *, thinking: bool) -> str:
    """Join the response to one text: a file that is named within a sentence stands as a part of its own.

    Joined without anything in between: a sentence goes on behind the file it names.
    """
    return "".join([_words(part, thinking=thinking) for part in parts]).replace("\0", "").strip()


def _words(part: Part, *, thinking: bool) -> str:
    """Return the text of one part."""
    if part.kind == "inlineReference" and part.inline_reference:
        place = part.inline_reference
        return f"`{place.name or (place.path or '').rpartition('/')[2]}`"
    if part.kind == THOUGHT:
        return f"{_markdown(part.value)}\n\n" if thinking else ""
    return _markdown(part.content or part.value) if part.kind in TEXT else ""


def _markdown(value: Any) -> str:
    """Markdown is text, or an object that holds it."""
    text = value.get("value") if isinstance(value, dict) else value
    return text if isinstance(text, str) else ""
