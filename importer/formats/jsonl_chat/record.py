"""The shape of a record of a plain chat, and the words that stand in it, by whichever names its writer gave them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from importer.formats._shared.words import Words, beside, of_members
from importer.formats.jsonl_chat.detect import LISTS, SIDES, WORDS

# Members that say something, or whose side does: a record with none of them is a head.
PAIRS = ("prompt", "completion", "response", "instruction", "input", "output")
SAYING = (*SIDES[:1], "from_", *SIDES[2:], *WORDS, *LISTS, *PAIRS)


class Record(msgspec.Struct, gc=False):
    """A record of any of the shapes: a field may be missing, and of any type."""

    role: Any = None
    author: Any = None
    speaker: Any = None
    sender: Any = None
    from_: Any = msgspec.field(default=None, name="from")
    content: Any = None
    value: Any = None
    text: Any = None
    parts: Any = None
    messages: Any = None
    conversations: Any = None
    conversation: Any = None
    dialogue: Any = None
    dialog: Any = None
    turns: Any = None
    prompt: Any = None
    completion: Any = None
    response: Any = None
    instruction: Any = None
    input: Any = None
    output: Any = None
    tool_calls: Any = None
    id: Any = None
    conversation_id: Any = None
    session_id: Any = None
    thread_id: Any = None
    timestamp: Any = None
    created_at: Any = None
    created: Any = None
    create_time: Any = None
    time: Any = None
    model: Any = None
    title: Any = None


def record_of(value: Any) -> Record | None:
    """Return a message inside a conversation, None for what is no object."""
    try:
        return msgspec.convert(value, Record)
    except msgspec.ValidationError:
        return None


def text_of(message: Record) -> str:
    """Return the text of a message."""
    return said_in(message).text


def said_in(message: Record) -> Words:
    """Return the text of a message, from the fields its shape uses."""
    return of_members(message.content, message.value, message.text, message.parts)


def words_beside(record: Record, messages: Sequence[Record]) -> int:
    """Count the words of a record in members that its messages were not made of, and that these do not repeat."""
    held = [one for name in (*WORDS, *LISTS, *PAIRS) if (one := getattr(record, name)) is not None]
    if len(held) < 2:
        return 0
    told = [text_of(message) for message in messages]
    return len(beside([told, *held]).texts) - len([text for text in told if text])
