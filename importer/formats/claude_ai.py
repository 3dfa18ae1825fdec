"""Claude.ai: `conversations.json` of a data export, a list of conversations (or one) with their messages in order.

A message's `text` repeats the text blocks of its `content`, losing some: the blocks are read, the text where there are
none. Of attachments only the names are kept. Ids stay the same from one export to the next, so a turn's key is a hash
of conversation, message and text.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from importer.formats import Document, Fed, Options, chatgpt
from importer.formats._shared import json_lines
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.own_search import is_own_tool
from importer.formats._shared.turns import clip, key, once, utc
from importer.protocol.records import Facts, Turn

NAME = "claude-ai"
DOCUMENT = Document()

ROLES = {"human": "user", "user": "user", "assistant": "assistant"}
KNOWN_BLOCKS = frozenset(("text", "thinking", "tool_use", "tool_result", "voice_note", "token_budget", "flag"))
PLAIN = Options()  # what keys are made of: they must not depend on what is indexed besides
RESULT_CHARS = 2_000  # of each tool result, where those are indexed
ID_BYTES = 120
TITLE_CHARS = 200


class Block(msgspec.Struct, gc=False):
    """A piece of a message; `content` is what a tool answered."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    name: str | None = None
    content: Any = None


class Enclosed(msgspec.Struct, gc=False):
    """An attachment or a file."""

    file_name: str | None = None


class Message(msgspec.Struct, gc=False):
    """A message of a person or of Claude."""

    uuid: str | None = None
    sender: str = ""
    text: str | None = None
    content: list[Block] | None = None
    created_at: str | None = None
    attachments: list[Enclosed] | None = None
    files: list[Enclosed] | None = None


class Conversation(msgspec.Struct):
    """A conversation as exported; its messages are decoded one by one."""

    uuid: str | None = None
    name: str | None = None
    created_at: str | None = None
    chat_messages: list[msgspec.Raw] | None = None


class Context(msgspec.Struct, frozen=True):
    """An empty context: a conversation tells all about itself."""


_lines = Lines(Conversation)
_message = json_lines.reader(Message)


def roots(_: Mapping[str, str], __: str) -> tuple[str, ...]:
    """Return none: an export lies wherever it was unpacked."""
    return ()


def wanted(relative: bytes) -> bool:
    """`conversations.json`, as other exports call it too; projects and users beside it are no conversations."""
    return chatgpt.wanted(relative)


def recognises_document(keys: Collection[str]) -> bool:
    """Return True if the list of messages is there, which has a name of its own."""
    return "chat_messages" in keys and "uuid" in keys


def begin(_: bytes) -> Context:
    """Return an empty context: a conversation needs nothing from before it."""
    return Context()


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turns of one conversation. Never raises."""
    return _lines.feed(context, raw, options, _step)


def _step(context: Context, talk: Conversation, options: Options) -> Fed:
    """Return the turns of all messages of a conversation, in their order: branches follow one another.

    Not by the links between messages, which only about half of them have.
    """
    if talk.chat_messages is None:
        return Fed(context, (), 1)
    messages = [message for message in map(_message, talk.chat_messages) if message]
    unknown = sum(block.type not in KNOWN_BLOCKS for message in messages for block in message.content or ())
    return Fed(context, tuple(turn for one in messages if (turn := _turn(talk, one, options))), unknown)


def _turn(talk: Conversation, message: Message, options: Options) -> Turn | None:
    """Make the turn of a message, None if it says nothing."""
    role, text, blocks = ROLES.get(message.sender), _text(message, options), message.content or ()
    tools = once([block.name or "" for block in blocks if block.type == "tool_use"])
    files = once([one.file_name or "" for one in (*(message.attachments or ()), *(message.files or ()))])
    if role is None or not (text or tools or files):
        return None
    conversation = clip(talk.uuid or "", ID_BYTES) or f"chat-{key(talk.name or '')[:16]}"
    mark = key(conversation, message.uuid or message.created_at or "", role, _text(message, PLAIN), *tools, *files)
    facts = Facts(title=(talk.name or "")[:TITLE_CHARS], tools=tools, files=files)
    at = utc(message.created_at) or utc(talk.created_at)
    return Turn(conversation, message.uuid or mark, role, text, at, mark, facts)


def _text(message: Message, options: Options) -> str:
    """Return what is to be indexed of a message: its blocks, or its text where they hold none."""
    texts = [_block(block, options) for block in message.content or ()]
    # Older exports have the text alone.
    if not any(block.text and block.text.strip() for block in message.content or ()):
        texts.append(message.text or "")
    return "\n\n".join([text.strip() for text in texts if text.strip()]).replace("\0", "").strip()


def _block(block: Block, options: Options) -> str:
    """Return the text of a block if it is wanted."""
    if block.type == "thinking":
        return (block.thinking or "") if options.thinking else ""
    if block.type == "tool_result":
        shown = options.tool_results and not is_own_tool(block.name or "")
        return _answer(block.content)[:RESULT_CHARS] if shown else ""
    return block.text or ""


def _answer(content: Any) -> str:
    """Return what a tool answered, as far as it is text."""
    parts = content if isinstance(content, list) else [content]
    words = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return "\n".join(word for word in words if isinstance(word, str))
