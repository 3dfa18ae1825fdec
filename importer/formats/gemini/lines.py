"""The shape of a Gemini line, and what is remembered of a chat between two of them.

A message's fields are read in any type: which of them hold words is told by their names.
"""

from __future__ import annotations

from typing import Any

import msgspec

from importer.formats._shared.json_lines import reader
from importer.formats._shared.words import Pieces, beside
from importer.formats.gemini import appended

NAME_BYTES = 120  # encoded: it stands in the context, which is bounded
EMPTY = msgspec.Raw(b"null")  # decodes as None, like a field that is null


class GeminiCall(msgspec.Struct, gc=False, rename="camel"):
    """A tool call with its result."""

    id: str | None = None
    name: str | None = None
    args: Any = None
    result: Any = None


class Thought(msgspec.Struct, gc=False):
    """A thought that the model showed."""

    subject: str | None = None
    description: str | None = None


class GeminiMessage(msgspec.Struct, gc=False, rename="camel"):
    """One message, as a line of its own or in a list. Older and foreign writers name its words in other ways."""

    id: str | None = None
    timestamp: Any = None
    type: str = ""
    content: Any = None
    display_content: Any = None
    parts: Any = None
    message: Any = None
    text: Any = None
    thoughts: list[Thought] | None = None
    tool_calls: list[GeminiCall] | None = None
    model: str | None = None


class StateChange(msgspec.Struct, gc=False):
    """A change of the chat's state: a new list of messages, a new name."""

    messages: msgspec.Raw = EMPTY
    summary: Any = None
    title: Any = None


class ChatLine(GeminiMessage, gc=False, rename="camel"):
    """A line: metadata (`session_id`), a message, or a change.

    In the older form the document's other members come first, as a line of metadata.
    """

    session_id: str | None = None
    project_hash: str | None = None
    kind: str | None = None
    summary: Any = None
    title: Any = None
    change: StateChange | list[Any] | str | float | None = msgspec.field(default=None, name="$set")
    rewind: Any = msgspec.field(default=None, name="$rewindTo")


class Context(msgspec.Struct, frozen=True, omit_defaults=True):
    """The chat's identity, the digests of the last messages, and the newest time of all; below 1.5 KB encoded.

    `recent` knows a message that comes again, `told` one that has grown, `latest` tells in a repeated list what is new.
    `named`: a person gave the chat its title, which no summary takes away.
    """

    session: str = ""
    project: str = ""
    subagent: bool = False
    latest: str = ""
    recent: tuple[str, ...] = ()
    told: appended.Told = ()
    named: bool = False


_read = reader(GeminiMessage)


def listed(raw: msgspec.Raw) -> tuple[list[GeminiMessage], int]:
    """Return the messages of a list that replaces all, and how many of its parts are none."""
    try:
        parts = msgspec.json.decode(raw, type=list[msgspec.Raw] | dict[str, msgspec.Raw] | None) or []
    except (ValueError, RecursionError):
        return [], 1
    found = [_read(part) for part in (parts.values() if isinstance(parts, dict) else parts)]
    messages = [one for one in found if one is not None]
    return messages, len(found) - len(messages)


def sent(message: GeminiMessage) -> Pieces:
    """Return the words that the model was sent, by whichever names this writer gave them."""
    return beside((message.content, message.parts, message.message, message.text))
