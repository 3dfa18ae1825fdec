"""Le Chat by Mistral: a ZIP of `chat-<id>.json`, each a list of the messages of one chat, in no order.

All of a list is one unit, so that its messages can be put in the order of their times. A message's `content` joins the
texts of its chunks: one of the two is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from importer.formats import Document, Fed, Options
from importer.formats._shared.told import Context, Records, Unit, begin_by_name, lacks, objects, parted, string
from importer.formats._shared.turns import moment, once
from importer.formats._shared.words import SILENT, listed, words

__all__ = ["DOCUMENT", "NAME", "Context", "begin", "feed", "recognises_document", "roots", "wanted"]

NAME = "le-chat"
DOCUMENT = Document(whole=True)

CHUNKS = SILENT | {"reference", "tool_reference", "image_url", "document_url", "file"}

begin = begin_by_name


def roots(_: Mapping[str, str], __: str) -> tuple[str, ...]:
    """Return none: an export lies wherever it was saved."""
    return ()


def wanted(relative: bytes) -> bool:
    """Return True for a chat by its name."""
    name = relative.rpartition(b"/")[2]
    return name.startswith(b"chat-") and name.endswith(b".json")


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for messages of a chat, with chunks of content."""
    return {"chatId", "contentChunks", "role"} <= set(keys)


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what the messages of a chat say, in the order of time."""
    messages, strange = parted(record.get("messages", [record]))
    yield Unit(unknown=strange)
    for message in sorted(messages, key=lambda one: moment(one.get("createdAt"))):
        yield Unit(conversation=string(message, "chatId"))
        yield _message(message)


def _message(message: dict[str, Any]) -> Unit:
    """Return what a message says; names of enclosed files are its files."""
    role = string(message, "role")
    found = words(message.get("content"))
    found = found if found.text or found.unknown else words(message.get("contentChunks"), CHUNKS)
    names = once([string(one, "name") for one in objects(listed(message.get("files")))])
    side = role if role in ("user", "assistant") else ""
    strange = found.unknown + lacks(message, "content", beside=("contentChunks",)) * bool(message)
    strange += not side and role not in ("system", "tool") and bool(message)
    common: dict[str, Any] = {
        "id": string(message, "id"),
        "at": message.get("createdAt"),
        "model": string(message, "model"),
    }
    text = "" if role in ("system", "tool") else found.text
    return Unit(role=side, text=text, files=list(names), unknown=strange, **common)


_records = Records(_said)
_list = msgspec.json.Decoder(list[msgspec.Raw])


def feed(context: Context, raw: bytes, options: Options) -> Fed:
    """Return the turns of a chat; of a damaged one, those of the messages that are whole. Never raises."""
    try:
        parts = _list.decode(raw)
    except (ValueError, RecursionError):
        return _records.feed(context, raw, options)
    return _records.feed(context, b'{"messages":[%s]}' % b",".join(map(bytes, parts)), options)
