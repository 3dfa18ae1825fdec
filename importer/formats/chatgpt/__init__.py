"""ChatGPT: `conversations.json` of a data export, a list of conversations (or one), often on a single long line.

A conversation is a tree of messages: what was regenerated or edited stands beside what took its place. Read is the
active thread, from the current node up to the root. A message's id stays the same from one export to the next, so a
turn's key is a hash of conversation, message and text: a newer export adds only what is new.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import msgspec

from importer.formats import Document, Fed, Options
from importer.formats._shared import artifacts
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.own_search import is_own_tool
from importer.formats._shared.turns import clip, key, moment, once
from importer.formats._shared.words import MEMBERS, Words, beside, clean, joined, kind_of, listed, of_members, words
from importer.formats.chatgpt.thread import ThreadMessage, thread
from importer.protocol.records import ConversationFacts, Facts, Turn

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
SILENT = frozenset(("system", "tool", "developer", "critic"))  # authors that are no side of the conversation
HIDDEN = ("is_visually_hidden_from_conversation", "is_user_system_message")  # the latter are custom instructions
FIELDS = ("parts", "text", "result", "content", "thoughts")  # of content, each type with its own
PASTES = ("extracted_content", "content", "text", "value")  # of an attachment
RESULT_CHARS = 2_000  # of each tool result, where those are indexed
ID_BYTES = 120  # encoded; real ones are uuids of 36
TITLE_CHARS = 200

_named = re.compile(rb"conversations(?:[-_]\d+)?\.json\Z")  # large exports come in numbered parts
_cited = re.compile("\ue200[^\ue200\ue201]*\ue201|[\ue200-\ue206]")  # marks of sources, which only their page can show


class ChatgptConversation(msgspec.Struct):
    """A conversation as exported; its nodes are decoded one by one.

    `mapping` goes by node, and its order means nothing; what connects nodes are their parents. It may be a list.
    """

    id: str | None = None
    conversation_id: str | None = None
    title: str | None = None
    create_time: Any = None
    current_node: str | None = None
    default_model_slug: str | None = None
    mapping: dict[str, msgspec.Raw] | list[msgspec.Raw] | None = None


class Context(msgspec.Struct, frozen=True):
    """An empty context: a conversation tells all about itself."""


_lines = Lines(ChatgptConversation)


def roots(_: Mapping[str, str], __: str) -> tuple[str, ...]:
    """Return none: an export lies wherever it was unpacked."""
    return ()


def wanted(relative: bytes) -> bool:
    """`conversations.json`, and the numbered parts of a large export.

    Claude.ai calls its export the same; what is in it decides.
    """
    return bool(_named.match(relative.rpartition(b"/")[2]))


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for a tree of messages beside a member that names its conversation; `inserted_at` is DeepSeek's."""
    return "mapping" in keys and "inserted_at" not in keys and not SIGNS.isdisjoint(keys)


def begin(_: bytes) -> Context:
    """Return an empty context: a conversation needs nothing from before it."""
    return Context()


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turns of one conversation. Never raises."""
    return _lines.feed(context, raw, options, _step)


def _step(context: Context, talk: ChatgptConversation, options: Options) -> Fed:
    """Return the turns of a conversation's active thread."""
    if talk.mapping is None:
        return Fed(context, (), 1)
    turns: list[Turn] = []
    unknown = 0
    for message in thread(talk.mapping, talk.current_node):
        told = _told(talk, message, options) if isinstance(message, ThreadMessage) else ThreadTurns((), 1)
        turns += told.turns
        unknown += told.unknown
    return Fed(context, tuple(turns), unknown, (), _facts(talk))


def _facts(talk: ChatgptConversation) -> tuple[ConversationFacts, ...]:
    """Return the title, which a newer export may hold another of."""
    title, named = _title(talk), talk.conversation_id or talk.id
    return (ConversationFacts(_id(talk), title),) if title and named else ()


def _id(talk: ChatgptConversation) -> str:
    """Return the conversation's id, made of its title where it has none."""
    return clip(talk.conversation_id or talk.id or "", ID_BYTES) or f"chat-{key(talk.title or '')[:16]}"


def _title(talk: ChatgptConversation) -> str:
    """Return the conversation's title, of bounded length."""
    return (talk.title or "")[:TITLE_CHARS]


class ThreadTurns(NamedTuple):
    """What a message gives: its turns, and how many parts of it could not be read."""

    turns: tuple[Turn, ...] = ()
    unknown: int = 0


def _told(talk: ChatgptConversation, message: ThreadMessage, options: Options) -> ThreadTurns:
    """Make the turn of a message, nothing if it says nothing; a call of a tool is a turn without text.

    Results of tools are the assistant's: they are no prompt, and belong to the exchange that goes on. What a call shows
    on the canvas is a turn of its own.
    """
    about, (author, by), kind = _object(message.metadata), _author(message), _kind(message.content)
    if any(about.get(name) for name in HIDDEN):
        return ThreadTurns()
    called = _called(message) if author == "assistant" else ""
    said = Words() if called else _said(author, by, kind, message.content, options)
    pasted = _pasted(about) if author == "user" else Words()
    text = "\n\n".join(one for one in (said.text, pasted.text) if one)
    missing = message == ThreadMessage() or (author in ("user", "assistant") and message.content is None)
    unknown = said.unknown + pasted.unknown + (kind not in KNOWN_CONTENTS) + missing
    if not (text or called):
        return ThreadTurns((), unknown)
    conversation, role = _id(talk), "user" if author == "user" else "assistant"
    # Without a paste the key is what it was before pastes were read.
    stamp = _string(message.id) or str(_time(message.create_time))
    mark = key(conversation, stamp, role, said.text, called, *filter(None, [pasted.text]))
    model = _string(about.get("model_slug")) or talk.default_model_slug or ""
    facts = Facts(title=_title(talk), model=model if role == "assistant" else "", tools=once([called]))
    at = moment(message.create_time) or moment(talk.create_time)
    turn = Turn(conversation, _string(message.id) or mark, role, text, at, mark, facts)
    shown = artifacts.made(called, _words(message.content).text) if artifacts.is_made(called) else Words()
    made = (_artifact(turn, shown.text),) if shown.text else ()
    return ThreadTurns((turn, *made), unknown + shown.unknown)


def _artifact(turn: Turn, text: str) -> Turn:
    """Make the turn of a document on the canvas, with the facts of the call that wrote it."""
    mark, facts = key(turn.key, "artifact", text), Facts("artifact", title=turn.facts.title, model=turn.facts.model)
    return Turn(turn.conversation_id, mark, "assistant", text, turn.at, mark, facts)


def _author(message: ThreadMessage) -> tuple[str, str]:
    """Return the author's role and name; some exports write the role alone, or beside it."""
    author = message.author if isinstance(message.author, dict) else {"role": message.author or message.role}
    return _string(author.get("role")).lower(), _string(author.get("name"))


def _called(message: ThreadMessage) -> str:
    """Return the name of the tool that a message is for, "" for one to the person."""
    to = _string(message.recipient)
    return "" if to == "all" else to


def _said(author: str, by: str, kind: str, content: Any, options: Options) -> Words:
    """Return the text of a message that is to be indexed."""
    if author == "tool":
        wanted_ = options.tool_results and not is_own_tool(by)
        return Words(_words(content).text[:RESULT_CHARS].strip()) if wanted_ and kind in SAID | ANSWERED else Words()
    if author not in ROLES:
        said = Words() if author in SILENT else _words(content)
        return Words("", said.unknown or int(bool(said.text)))
    return _words(content) if kind in (SAID | THOUGHT if options.thinking else SAID) else Words()


def _words(content: Any) -> Words:
    """Return the text of content, from any field its type uses, without the marks of sources."""
    if not isinstance(content, dict):
        found = [words(content)]
    elif not any(name in content for name in FIELDS):
        found = [words({**content, "content_type": None}) if set(content) - {"content_type"} else Words()]
    else:
        found = [of_members(*[content.get(name) for name in dict.fromkeys((*FIELDS, *MEMBERS)) if name != "thoughts"])]
        found += [_thought(one) for one in listed(content.get("thoughts"))]
    text = "\n\n".join([one.text for one in found if one.text])
    return Words(clean(_cited.sub("", text)), sum(one.unknown for one in found))


def _thought(thought: Any) -> Words:
    """Return a thought that the model showed, behind its summary."""
    if not isinstance(thought, dict):
        return words(thought)
    return Words(f"{_string(thought.get('summary'))}: {_string(thought.get('content'))}".strip(": "))


def _kind(content: Any) -> str:
    """Return the type of content; words, or an object that names none, are text."""
    return kind_of(content) or "text" * (content is not None)


def _pasted(about: dict[str, Any]) -> Words:
    """Return the text of attachments, where an export holds it."""
    attached = listed(about.get("attachments"))
    found = [beside([one.get(name) for name in PASTES]) for one in attached if isinstance(one, dict)]
    strange = sum([bool(one) and not isinstance(one, dict) for one in attached])
    return Words(joined([text for one in found for text in one.texts]), sum([one.unknown for one in found]) + strange)


def _time(stamp: Any) -> float | str | None:
    """Return a time as keys hold it: a whole number is the same as one with a fraction of zero."""
    return float(stamp) if isinstance(stamp, int) else stamp if isinstance(stamp, float | str) else None


def _object(value: Any) -> dict[str, Any]:
    """Return an object as it is, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def _string(value: Any) -> str:
    """Return a string as it is, "" for anything else."""
    return value if isinstance(value, str) else ""
