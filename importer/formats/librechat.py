"""LibreChat: a conversation exported as JSON, its messages in a list, or each below the one that it answers.

The program itself keeps them in a database server, which is not read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from importer.formats import Document
from importer.formats._shared.message import spoken
from importer.formats._shared.told import Context, Records, Unit, begin_by_name, parted, string
from importer.formats._shared.words import listed

__all__ = ["DOCUMENT", "NAME", "Context", "begin", "feed", "recognises_document", "roots", "wanted"]

NAME = "librechat"
DOCUMENT = (Document("messages", head=True), Document("messagesTree", head=True))

MOST_BELOW = 100_000  # messages below one

begin = begin_by_name


def roots(_: Mapping[str, str], __: str) -> tuple[str, ...]:
    """Return none: an export lies wherever it was saved."""
    return ()


def wanted(relative: bytes) -> bool:
    """Return True for what is called after the program: exports are called by their titles, and imported by path."""
    return relative.endswith(b".json") and b"librechat" in relative.lower()


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for messages beside an endpoint."""
    return {"conversationId", "endpoint"} <= set(keys) and not {"messages", "messagesTree"}.isdisjoint(keys)


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what the head says, or a message with all below it."""
    if "endpoint" in record and "isCreatedByUser" not in record:
        yield Unit(conversation=string(record, "conversationId"), title=string(record, "title"))
        return
    pending, seen = [record], 0
    while pending and seen < MOST_BELOW:
        message, seen = pending.pop(), seen + 1
        below, strange = parted(message.get("children") or [])
        yield Unit(unknown=strange)
        yield from _message(message)
        pending += reversed(below)
    yield Unit(unknown=len(pending))


def _message(message: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a message says; that of an error is the program's."""
    person = message.get("isCreatedByUser")
    if message.get("error") is True:
        return
    if not isinstance(person, bool):
        yield Unit(unknown=1)
        return
    common: dict[str, Any] = {
        "id": string(message, "messageId"),
        "at": message.get("createdAt"),
        "model": string(message, "model"),
    }
    content = listed(message.get("content")) or message.get("text")
    yield from spoken("user" if person else "assistant", content, common, clean=str)


feed = Records(_said).feed
