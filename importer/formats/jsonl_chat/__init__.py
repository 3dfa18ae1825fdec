"""Plain chats as JSON lines or one document, in the shapes people use; there is no authority for any of them.

    {"role": "user", "content": "…"}                     a message a line; a conversation id may stand beside it
    {"messages": [{"role": …, "content": …}, …]}         a conversation a line
    {"conversations": [{"from": "human", "value": …}]}   the same in other words, of which there are more
    {"prompt": "…", "completion": "…"}                   a question and its answer; instruction, input and output too

A document is a list of messages or conversations, or a single conversation that is laid out over several lines; what
stands beside its list of messages comes before them, and names it. Read that way or by lines, keys are the same.

Where a message has a time or an id, its key is a hash of that, role and text. Where it has neither, keys are chained:
each is a hash of the one before it in the conversation, role and text, so the same words said twice stay two turns, and
a copy of the file has the same keys.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from importer.formats import Document, Fed, Options
from importer.formats._shared.json_lines import Lines
from importer.formats._shared.turns import clip, key, moment, once
from importer.formats.jsonl_chat.detect import LISTS, MARKS, ROLES, SIDES, SPEAKERS, WORDS, is_message, opens, speaks
from importer.formats.jsonl_chat.record import SAYING, Record, record_of, said_in, text_of, words_beside
from importer.protocol.records import ConversationFacts, Facts, Turn

NAME = "jsonl-chat"
LAST = True

DOCUMENT = (Document(lined=True), *(Document(name, head=True, lined=True) for name in LISTS))

CONVERSATIONS = 8  # whose chain is remembered; where ids alternate between more, an old one's chain begins afresh
ID_BYTES = 100  # encoded: it stands in the context, which is bounded
NAME_CHARS = 200
NAME_BYTES = 600  # encoded, as ID_BYTES

# By themselves are found documents that are called what they are: any other JSON would have to be looked into.
_document = re.compile(rb"(?i)[^/]*(?:chat|gpt|conversation|dialog|message|transcript|thread)[^/]*\.json\Z")


_lines = Lines(Record)


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The file's stem, for messages that name no conversation, and the last key of each recent conversation.

    The others are what the first line or a document's head says of the messages that follow.
    """

    stem: str = ""
    chains: tuple[tuple[str, str], ...] = ()
    name: str = ""
    title: str = ""
    model: str = ""
    at: str = ""


def roots(_: Mapping[str, str], __: str) -> tuple[str, ...]:
    """Return none: such files lie wherever people put them."""
    return ()


def wanted(relative: bytes) -> bool:
    """JSON lines by their usual endings, and documents by their names; any other can be given by itself."""
    return relative.endswith((b".jsonl", b".ndjson")) or bool(_document.match(relative.rpartition(b"/")[2]))


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for one of the shapes; a `type` or a payload means some program's own format."""
    return any(_is_ours(record) for record in records)


def _is_ours(record: Mapping[str, Any]) -> bool:
    """Return True if one record is of a shape we know and of no program's own format."""
    if not MARKS.isdisjoint(record):
        return False
    said = next((record[name] for name in LISTS if record.get(name)), None)
    if isinstance(said, list):
        return any(map(speaks, said))
    pair = "prompt" in record and ("completion" in record or "response" in record)
    return pair or {"instruction", "output"} <= record.keys() or is_message(record)


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for a message, or a list of them.

    Such names are used for anything, so `recognises_opening` has the last word.
    """
    single = not set(SIDES).isdisjoint(keys) and not set(WORDS).isdisjoint(keys)
    return MARKS.isdisjoint(keys) and (single or not set(LISTS).isdisjoint(keys))


def recognises_opening(head: bytes) -> bool:
    """Return True if a message in it has a speaker, by a word for a side of a conversation."""
    return opens(head)


def begin(path: bytes) -> Context:
    """Return the context before the first line."""
    stem = path.rpartition(b"/")[2].rpartition(b".")[0].decode("utf-8", "replace")
    return Context(stem=clip(stem, ID_BYTES))


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turns of one line: a message, or a whole conversation. Never raises."""
    return _lines.feed(context, raw, options, _step)


def _step(context: Context, record: Record, _: Options) -> Fed:
    """Take one record: a message, or a conversation whose keys are chained within the line."""
    given = _conversation(record)
    if given is None:
        return _headed(context, record) or _one(context, record)
    # Chained from its own beginning: where the line stands in the file plays no part.
    chain, turns = "", []
    messages = [message for message in map(record_of, given) if message]
    unknown = len(given) - len(messages) + sum(_strange(message) for message in messages)
    named = _name(record) or _name(Record(conversation_id=record.id))  # here `id` is the line's, so the conversation's
    # By all that is said in it: a line that was copied elsewhere is the same conversation.
    conversation = named or f"chat-{key(*(text_of(message) for message in messages))[:16]}"
    for message in messages:
        if turn := _turn(message, record, conversation, chain):
            chain = turn.key
            turns.append(turn)
    unknown += words_beside(record, messages)
    # Collections hold conversations that never began; those are nothing new.
    unknown = max(unknown, int(not turns and bool(given)))
    return Fed(context, tuple(turns), unknown, facts=_facts(named, _short(record.title)))


def _facts(named: str, title: str) -> tuple[ConversationFacts, ...]:
    """Return the title of a conversation that has a name of its own: a newer file may hold another."""
    return (ConversationFacts(named, title),) if named and title else ()


def _headed(context: Context, record: Record) -> Fed | None:
    """Return the context after what is said of a conversation before its first message, None for any other record."""
    if context.chains or any(getattr(record, name) is not None for name in SAYING):
        return None
    named = _name(record) or _name(Record(conversation_id=record.id))
    title, model = clip(_short(record.title), NAME_BYTES), clip(_short(record.model), NAME_BYTES)
    if not (named or title or model or _at(record)):
        return None
    context = msgspec.structs.replace(context, name=named, title=title, model=model, at=_at(record))
    return Fed(context, facts=_facts(named or context.stem, title))


def _one(context: Context, record: Record) -> Fed:
    """Take a record that is a message: its key may be chained to the conversation's last.

    The conversation moves to the end of the list, so the one that was silent longest is forgotten first.
    """
    conversation = _name(record) or context.name or context.stem
    chains = dict(context.chains)
    head = Record(title=record.title or context.title, model=context.model, created=context.at)
    turn = _turn(record, head, conversation, chains.pop(conversation, ""))
    if turn is None:
        return Fed(context, (), max(_strange(record), int(_side(record) is None)))
    recent = (*chains.items(), (conversation, turn.key))[-CONVERSATIONS:]
    facts = _facts(conversation, _short(record.title))
    unknown = _strange(record) + words_beside(record, [record])
    return Fed(msgspec.structs.replace(context, chains=recent), (turn,), unknown, facts=facts)


def _conversation(record: Record) -> list[Any] | None:
    """Return the messages of a line that holds a conversation, None for a line that is a message."""
    for said in (getattr(record, name) for name in LISTS):
        if isinstance(said, list):
            return said
    asked = [one for one in (record.prompt, record.instruction) if one is not None]
    answered = [one for one in (record.completion, record.response, record.output) if one is not None]
    if not (asked and answered):
        return None
    return [{"role": "user", "content": [*asked, record.input]}, {"role": "assistant", "content": answered}]


def _turn(message: Record, line: Record, conversation: str, chain: str) -> Turn | None:
    """Make the turn of a message of `line`, None for one of another role or without content.

    A time or an id makes the key independent of what stands around the message.
    """
    role, text = _role(message), text_of(message)
    tools = _tools(message) if role == "assistant" else ()
    if not role or not (text or tools):
        return None
    stamp = next(
        (str(mark) for mark in (message.timestamp, message.created_at, message.created, message.id) if mark), ""
    )
    mark = key(role, stamp or f"after {chain}", text, *tools)
    facts = Facts(title=_short(line.title), model=_short(message.model or line.model), tools=tools)
    at = _at(message) or _at(line)
    return Turn(conversation, _short(message.id) or mark, role, text, at, mark, facts)


def _side(message: Record) -> Any:
    """Return what a message calls the side that speaks; an author may be an object with a role."""
    named = (message.role, message.from_, message.author, message.speaker, message.sender)
    side = next((one for one in named if one is not None), None)
    return side.get("role", side.get("name")) if isinstance(side, dict) else side


def _role(message: Record) -> str:
    """user or assistant, "" for any other."""
    said = _side(message)
    return ROLES.get(said.lower(), "") if isinstance(said, str) else ""


def _strange(message: Record) -> int:
    """Return how many pieces of a message cannot be read: of its content, or all of it where no known side speaks."""
    side, said = _side(message), said_in(message)
    if _role(message):
        nothing = message.content is message.value is message.text is message.parts is message.tool_calls is None
        return said.unknown + nothing
    known = isinstance(side, str) and side.lower() in SPEAKERS
    return 0 if known else said.unknown or int(bool(said.text))


def _tools(message: Record) -> tuple[str, ...]:
    """Return the names of the functions an answer calls."""
    calls = message.tool_calls if isinstance(message.tool_calls, list) else ()
    functions = (call.get("function") for call in calls if isinstance(call, dict))
    names = (function.get("name") for function in functions if isinstance(function, dict))
    return once([name for name in names if isinstance(name, str)])


def _name(record: Record) -> str:
    """Return the conversation's id as the record gives it, "" for none."""
    found = (record.conversation_id, record.session_id, record.thread_id)
    return clip(next((str(id_) for id_ in found if isinstance(id_, str | int)), ""), ID_BYTES)


def _short(value: Any) -> str:
    """Return a word or number as text of bounded length, "" for anything else."""
    return str(value)[:NAME_CHARS] if isinstance(value, str | int) else ""


def _at(record: Record) -> str:
    """Return a message's time: ISO 8601, or seconds or milliseconds since 1970."""
    stamps = (record.timestamp, record.created_at, record.created, record.create_time, record.time)
    return next((at for stamp in stamps if (at := moment(stamp))), "")
