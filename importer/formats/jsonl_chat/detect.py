"""Tell by its speakers whether JSON opens as a plain chat: lists of `messages` are found in files of many kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from importer.formats._shared.json_text import QUOTE, end_of, first, members, skip_gap

ROLES = {
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bard", "bot", "model", "ai"), "assistant"),
}
SPEAKERS = frozenset((*ROLES, "system", "developer", "tool", "function", "function_call", "observation"))
# What a conversation's list of messages is called, and in a message the side that speaks, and its words.
LISTS = ("messages", "conversations", "conversation", "dialogue", "dialog", "turns")
SIDES = ("role", "from", "author", "speaker", "sender")
WORDS = ("content", "value", "text", "parts")
# Members of some program's own format. Those have clearer signs; a plain chat is what no other format claims.
MARKS = frozenset(
    ("type", "payload", "projectHash", "sessionId", "uuid", "mapping", "chat_messages", "loglines", "requests")
)
LOOKED_AT = 20  # elements of a list: the first conversations may be empty


def speaks(message: Any) -> bool:
    """Return True if a value is a message of a speaker we know."""
    return isinstance(message, dict) and any(_is_speaker(message.get(name)) for name in SIDES)


def is_message(record: Mapping[str, Any]) -> bool:
    """Return True if a record that stands by itself is a message: it has a side that speaks, and words."""
    return speaks(record) and any(name in record for name in WORDS)


def opens(head: bytes) -> bool:
    """Return True if a document's first bytes show a message: in its list, or in a conversation's."""
    at = first(head)
    if head[at : at + 1] != b"[":
        return _converses(head, at)
    return any(
        is_message(_spoken(head, one)) or _converses(head, one) for one in islice(_elements(head, at + 1), LOOKED_AT)
    )


def _converses(text: bytes, at: int) -> bool:
    """Return True if the object at `at` has a list with a message."""
    if text[at : at + 1] != b"{":
        return False
    lists = (member.start for member in members(text, at + 1) if member.key.decode("utf-8", "replace") in LISTS)
    return any(
        speaks(_spoken(text, one))
        for start in lists
        if text[start : start + 1] == b"["
        for one in islice(_elements(text, start + 1), LOOKED_AT)
    )


def _spoken(text: bytes, at: int) -> dict[str, str]:
    """Return the members of the object at `at` that tell a message; of its words, only the beginning may be there."""
    if text[at : at + 1] != b"{":
        return {}
    found = (
        (member.key.decode("utf-8", "replace"), text[member.start : member.end]) for member in members(text, at + 1)
    )
    return {name: _word(value) for name, value in found if name in SIDES or name in WORDS}


def _elements(text: bytes, at: int) -> Iterator[int]:
    """Yield where the values of the list begin that opens just before `at`, as far as they can be seen."""
    end: int | None = at
    while end is not None and (at := skip_gap(text, end)) < len(text) and text[at : at + 1] not in (b"]", b"}"):
        yield at
        end = end_of(text, at)


def _word(value: bytes) -> str:
    """Return the text of a short string; "" for anything else, as no speaker is called so."""
    return value[1:-1].decode("utf-8", "replace") if value[:1] == value[-1:] == QUOTE else ""


def _is_speaker(name: Any) -> bool:
    """Return True if this is what a side of a conversation is called."""
    return isinstance(name, str) and name.lower() in SPEAKERS
