"""ChatGPT: `conversations.json` of a data export, a list of conversations (or one), often on a single long line.

A conversation is a tree of messages: what was regenerated or edited stands beside what took its place. Read is the
active thread, from the current node up to the root. A message's id stays the same from one export to the next, so a
turn's key is a hash of conversation, message and text: a newer export adds only what is new.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from importer.formats import Document, Fed, Options
from importer.formats._shared import json_lines
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.own_search import is_own_tool
from importer.formats._shared.turns import clip, key, moment, once
from importer.protocol.records import Facts, Turn

NAME = "chatgpt"
DOCUMENT = Document()

SIGNS = frozenset(("title", "create_time", "id", "conversation_id", "current_node"))
# Kinds of content: said, thought, and answered by a tool. The last two are options.
SAID = frozenset(("text", "multimodal_text", "code"))
THOUGHT = frozenset(("thoughts", "reasoning_recap"))
ANSWERED = frozenset(("execution_output", "tether_quote", "tether_browsing_display", "computer_output", "system_error"))
_PASSED_OVER = """
    user_editable_context model_editable_context citable_code_output app_pairing_content sonic_webpage
    super_widget tether_browsing_code
"""
KNOWN_CONTENTS = SAID | THOUGHT | ANSWERED | frozenset((*_PASSED_OVER.split(), ""))
ROLES = frozenset(("user", "assistant"))
RESULT_CHARS = 2_000  # of each tool result, where those are indexed
ID_BYTES = 120  # encoded; real ones are uuids of 36
TITLE_CHARS = 200

_named = re.compile(rb"conversations(?:[-_]\d+)?\.json\Z")  # large exports come in numbered parts
_cited = re.compile("\ue200[^\ue200\ue201]*\ue201|[\ue200-\ue206]")  # marks of sources, which only their page can show


class Author(msgspec.Struct, gc=False):
    """The author of a message: `name` is a tool's."""

    role: str = ""
    name: str | None = None


class Thought(msgspec.Struct, gc=False):
    """A thought that the model showed."""

    summary: str | None = None
    content: str | None = None


class Content(msgspec.Struct, gc=False):
    """The content of a message; `content_type` tells which field holds it."""

    content_type: str = ""
    parts: list[Any] | None = None
    text: str | None = None
    result: str | None = None
    content: str | None = None
    thoughts: list[Thought] | None = None


class Metadata(msgspec.Struct, gc=False):
    """The part of a message's metadata that is read."""

    model_slug: str | None = None
    is_visually_hidden_from_conversation: bool | None = None


class Message(msgspec.Struct, gc=False):
    """A message; `recipient` is "all" or the tool it is for."""

    id: str | None = None
    author: Author | None = None
    create_time: float | str | None = None
    content: Content | None = None
    recipient: str | None = None
    metadata: Metadata | None = None


class Node(msgspec.Struct, gc=False):
    """A place in the tree; the root holds no message."""

    parent: str | None = None
    children: list[str] | None = None
    message: Message | None = None


class Conversation(msgspec.Struct):
    """A conversation as exported; its nodes are decoded one by one.

    `mapping` goes by node, and its order means nothing; what connects nodes are their parents.
    """

    id: str | None = None
    conversation_id: str | None = None
    title: str | None = None
    create_time: float | str | None = None
    current_node: str | None = None
    default_model_slug: str | None = None
    mapping: dict[str, msgspec.Raw] | None = None


class Context(msgspec.Struct, frozen=True):
    """An empty context: a conversation tells all about itself."""


_lines = Lines(Conversation)
_node = json_lines.reader(Node)


def roots(_: Mapping[str, str], __: str) -> tuple[str, ...]:
    """Return none: an export lies wherever it was unpacked."""
    return ()


def wanted(relative: bytes) -> bool:
    """`conversations.json`, and the numbered parts of a large export.

    Claude.ai calls its export the same; what is in it decides.
    """
    return bool(_named.match(relative.rpartition(b"/")[2]))


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for a tree of messages beside a member that names its conversation."""
    return "mapping" in keys and not SIGNS.isdisjoint(keys)


def begin(_: bytes) -> Context:
    """Return an empty context: a conversation needs nothing from before it."""
    return Context()


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turns of one conversation. Never raises."""
    return _lines.feed(context, raw, options, _step)


def _step(context: Context, talk: Conversation, options: Options) -> Fed:
    """Return the turns of a conversation's active thread."""
    if talk.mapping is None:
        return Fed(context, (), 1)
    turns: list[Turn] = []
    unknown = 0
    for message in _thread(talk.mapping, talk.current_node):
        turn = _turn(talk, message, options)
        turns += [turn] if turn else ()
        unknown += message.content is not None and message.content.content_type not in KNOWN_CONTENTS
    return Fed(context, tuple(turns), unknown)


def _thread(mapping: Mapping[str, msgspec.Raw], current: str | None) -> list[Message]:
    """Return the messages from the root to the current node, or to the last leaf where that is not told.

    Where the current node is told, only those on the way are decoded: branches that were given up cost nothing.
    """
    nodes: list[Node] = []
    seen: set[str] = set()
    at = current if current in mapping else _leaf(mapping)
    while at is not None and at in mapping and at not in seen:  # parents in a circle end it, too
        seen.add(at)
        node = _node(mapping[at]) or Node()
        nodes.append(node)
        at = node.parent
    return [node.message for node in reversed(nodes) if node.message]


def _leaf(mapping: Mapping[str, msgspec.Raw]) -> str | None:
    """Return the last of the nodes without children, in the order of the file."""
    for name in reversed(list(mapping)):
        node = _node(mapping[name])
        if node and not node.children:
            return name
    return None


def _turn(talk: Conversation, message: Message, options: Options) -> Turn | None:
    """Make the turn of a message, None if it says nothing; a call of a tool is a turn without text.

    Results of tools are the assistant's: they are no prompt, and belong to the exchange that goes on.
    """
    author, about, content = message.author or Author(), message.metadata or Metadata(), message.content or Content()
    if about.is_visually_hidden_from_conversation:
        return None
    called = message.recipient if author.role == "assistant" and message.recipient not in (None, "all") else None
    text = "" if called else _said(author, content, options)
    if not (text or called):
        return None
    conversation = clip(talk.conversation_id or talk.id or "", ID_BYTES) or f"chat-{key(talk.title or '')[:16]}"
    role = "user" if author.role == "user" else "assistant"
    mark = key(conversation, message.id or str(message.create_time), role, text, called or "")
    facts = Facts(
        title=(talk.title or "")[:TITLE_CHARS],
        model=(about.model_slug or talk.default_model_slug or "") if role == "assistant" else "",
        tools=once([called or ""]),
    )
    at = moment(message.create_time) or moment(talk.create_time)
    return Turn(conversation, message.id or mark, role, text, at, mark, facts)


def _said(author: Author, content: Content, options: Options) -> str:
    """Return the text of a message that is to be indexed."""
    kind = content.content_type
    if author.role == "tool":
        wanted_ = options.tool_results and not is_own_tool(author.name or "")
        return _words(content)[:RESULT_CHARS].strip() if wanted_ and kind in SAID | ANSWERED else ""
    if author.role not in ROLES or kind not in (SAID | THOUGHT if options.thinking else SAID):
        return ""
    return _words(content)


def _words(content: Content) -> str:
    """Return the text of content, from any field its type uses, without the marks of sources."""
    thoughts = (f"{thought.summary or ''}: {thought.content or ''}".strip(": ") for thought in content.thoughts or ())
    texts = [*map(_part, content.parts or ()), content.text, content.result, content.content, *thoughts]
    joined = "\n\n".join([text.strip() for text in texts if text and text.strip()])
    return _cited.sub("", joined).replace("\0", "").strip()


def _part(part: Any) -> str:
    """Return a part's text: words, or a recording's transcript."""
    text = part.get("text") if isinstance(part, dict) else part
    return text if isinstance(text, str) else ""
