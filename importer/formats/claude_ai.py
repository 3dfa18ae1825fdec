"""Claude.ai: `conversations.json` of a data export, a list of conversations (or one) with their messages in order.

A message's `text` repeats the text blocks of its `content`, losing some: the blocks are read, the text where there are
none. A long paste becomes an attachment: its text belongs to the message. What an artifact holds is a turn of its own,
the assistant's. Ids stay the same from one export to the next, so a turn's key is a hash
of conversation, message and text.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import msgspec

from importer.formats import Document, Fed, Options, chatgpt
from importer.formats._shared import artifacts, json_lines
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.own_search import is_own_tool
from importer.formats._shared.turns import clip, key, moment, once
from importer.formats._shared.words import Words, clean, kind_of, listed, words
from importer.protocol.records import ConversationFacts, Facts, Turn

NAME = "claude-ai"
DOCUMENT = Document()

ROLES = {"human": "user", "user": "user", "assistant": "assistant"}
SILENT = frozenset(("system", "tool"))  # senders that are no side of the conversation
SAID = frozenset(("", "text", "voice_note"))
UNSAID = frozenset(("thinking", "tool_result"))
KNOWN_BLOCKS = SAID | UNSAID | frozenset(("tool_use", "token_budget", "flag"))
PLAIN = Options()  # what keys are made of: they must not depend on what is indexed besides
RESULT_CHARS = 2_000  # of each tool result, where those are indexed
ID_BYTES = 120
TITLE_CHARS = 200


PASTES = ("extracted_content", "value")  # of an attachment


class ChatMessage(msgspec.Struct, gc=False):
    """A message of a person or of Claude; its fields may be of any shape."""

    uuid: Any = None
    sender: Any = None
    text: Any = None
    content: Any = None
    created_at: Any = None
    attachments: Any = None
    files: Any = None


class ClaudeConversation(msgspec.Struct):
    """A conversation as exported; its messages are decoded one by one."""

    uuid: str | None = None
    name: str | None = None
    created_at: Any = None
    project: Any = None
    chat_messages: list[msgspec.Raw] | dict[str, msgspec.Raw] | None = None


class Context(msgspec.Struct, frozen=True):
    """An empty context: a conversation tells all about itself."""


_lines = Lines(ClaudeConversation)
_message = json_lines.reader(ChatMessage)


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


def _step(context: Context, talk: ClaudeConversation, options: Options) -> Fed:
    """Return the turns of all messages of a conversation, in their order: branches follow one another.

    Not by the links between messages, which only about half of them have.
    """
    given = talk.chat_messages
    if given is None:
        return Fed(context, (), 1)
    raws = list(given.values()) if isinstance(given, dict) else given
    messages = [message for message in map(_message, raws) if message]
    told = [_told(talk, message, options) for message in messages]
    unknown = len(raws) - len(messages) + sum(one.unknown for one in told)
    return Fed(context, tuple(turn for one in told for turn in one.turns), unknown, (), _facts(talk))


def _facts(talk: ClaudeConversation) -> tuple[ConversationFacts, ...]:
    """Return the facts of the whole conversation: a newer export may hold another name of it."""
    title, project = _title(talk), _project(talk)
    return (ConversationFacts(_id(talk), title, project),) if talk.uuid and (title or project) else ()


def _id(talk: ClaudeConversation) -> str:
    """Return the conversation's id, made of its name where it has none."""
    return clip(talk.uuid or "", ID_BYTES) or f"chat-{key(talk.name or '')[:16]}"


def _title(talk: ClaudeConversation) -> str:
    """Return the conversation's name, of bounded length."""
    return (talk.name or "").strip()[:TITLE_CHARS]


def _project(talk: ClaudeConversation) -> str:
    """Return the name of the project that a conversation belongs to, "" for none."""
    named = talk.project.get("name") if isinstance(talk.project, dict) else talk.project
    return named.strip()[:TITLE_CHARS] if isinstance(named, str) else ""


class MessageTurns(NamedTuple):
    """What a message gives: its turns, and how many parts of it could not be read."""

    turns: tuple[Turn, ...] = ()
    unknown: int = 0


def _told(talk: ClaudeConversation, message: ChatMessage, options: Options) -> MessageTurns:
    """Make the turn of a message, and one of each artifact in it."""
    blocks, role = [_block(one) for one in listed(message.content)], _role(message)
    said, pasted = _text(message, blocks, options), _pasted(message)
    unknown = said.unknown + pasted.unknown + sum(kind_of(block) not in KNOWN_BLOCKS for block in blocks)
    missing = None in (message.content, message.text)
    unknown += missing and not (blocks or message.text or _enclosed(message))
    if not role:
        silent = isinstance(message.sender, str) and message.sender in SILENT
        return MessageTurns((), max(unknown, int(not silent)))
    tools, files = once([_string(block.get("name")) for block in blocks if _is_call(block)]), _files(message)
    # Without a paste the key is what it was before pastes were read.
    bare = _text(message, blocks, PLAIN) if options.thinking or options.tool_results else said
    plain = (bare.text, *tools, *files, *filter(None, [pasted.text]))
    conversation, id_ = _id(talk), _string(message.uuid)
    mark = key(conversation, id_ or _string(message.created_at), role, *plain)
    at = moment(message.created_at) or moment(talk.created_at)
    facts = Facts(title=_title(talk), project=_project(talk), tools=tools, files=files)
    text = "\n\n".join(one for one in (said.text, pasted.text) if one)
    turn = Turn(conversation, id_ or mark, role, text, at, mark, facts)
    shown = [artifacts.made(_string(block.get("name")), block.get("input")) for block in blocks if _is_call(block)]
    made = tuple(_artifact(turn, one.text) for one in shown if one.text)
    return MessageTurns(((turn,) if text or tools or files else ()) + made, unknown + sum(one.unknown for one in shown))


def _artifact(turn: Turn, text: str) -> Turn:
    """Make the turn of an artifact, with the facts of the message that holds it."""
    mark, facts = key(turn.key, "artifact", text), Facts("artifact", turn.facts.project, turn.facts.title)
    return Turn(turn.conversation_id, mark, "assistant", text, turn.at, mark, facts)


def _role(message: ChatMessage) -> str:
    """Return user or assistant, "" for any other sender."""
    return ROLES.get(message.sender, "") if isinstance(message.sender, str) else ""


def _block(content: Any) -> dict[str, Any]:
    """Return a block of a message's content; words by themselves are a block of text."""
    return content if isinstance(content, dict) else {"type": "text", "text": content}


def _is_call(block: dict[str, Any]) -> bool:
    """Return True if a block calls a tool."""
    return kind_of(block) == "tool_use"


def _string(value: Any) -> str:
    """Return a string as it is, "" for anything else."""
    return value if isinstance(value, str) else ""


def _enclosed(message: ChatMessage) -> list[Any]:
    """Return what is attached to a message, files last."""
    return [*listed(message.attachments), *listed(message.files)]


def _files(message: ChatMessage) -> tuple[str, ...]:
    """Return the names of what is attached."""
    return once([_string(one.get("file_name") if isinstance(one, dict) else one) for one in _enclosed(message)])


def _pasted(message: ChatMessage) -> Words:
    """Return the text of attachments: a long paste becomes one, and the message may hold nothing else."""
    enclosed = _enclosed(message)
    pasted = words([one.get(name) for one in enclosed if isinstance(one, dict) for name in PASTES])
    strange = sum([bool(one) and not isinstance(one, dict | str) for one in enclosed])
    return Words(pasted.text, pasted.unknown + strange)


def _text(message: ChatMessage, blocks: list[dict[str, Any]], options: Options) -> Words:
    """Return what is to be indexed of a message: its blocks, or its text where they hold none."""
    texts = [_said(block, options) for block in blocks]
    # Older exports have the text alone.
    if not any(kind_of(block) not in UNSAID and said.text for block, said in zip(blocks, texts, strict=True)):
        texts.append(words(message.text))
    return Words("\n\n".join([one.text for one in texts if one.text]), sum(one.unknown for one in texts))


def _said(block: dict[str, Any], options: Options) -> Words:
    """Return the text of a block if it is wanted; of one of an unknown kind, which is counted, what it calls text."""
    kind = kind_of(block)
    if kind == "thinking":
        return words(block.get("thinking")) if options.thinking else Words()
    if kind == "tool_result":
        shown = options.tool_results and not is_own_tool(_string(block.get("name")))
        return Words(words(block.get("content")).text[:RESULT_CHARS].strip()) if shown else Words()
    if kind in SAID:
        return words(block)
    return Words(clean(_string(block.get("text"))))
