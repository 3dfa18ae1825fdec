"""Google AI Studio: a chat is a file without an ending in the folder `Google AI Studio` of Drive; one JSON document.

Thoughts are chunks of their own. What was enclosed stands in Drive, and is not read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from importer.formats import Document
from importer.formats._shared.told import (
    THOUGHT,
    Context,
    Records,
    Unit,
    begin_by_name,
    inner,
    member,
    parted,
    speech,
    string,
)
from importer.formats._shared.words import of_members

__all__ = ["DOCUMENT", "NAME", "Context", "begin", "feed", "recognises_document", "roots", "wanted"]

NAME = "ai-studio"
DOCUMENT = Document()

FOLDER = b"Google AI Studio"
SIDES = {"user": "user", "model": "assistant"}
# Members of a chunk that hold what was enclosed.
ENCLOSED = frozenset(
    (
        "driveDocument",
        "driveImage",
        "driveVideo",
        "driveAudio",
        "inlineFile",
        "inlineImage",
        "inlineAudio",
        "youtubeVideo",
    )
)

begin = begin_by_name


def roots(_: Mapping[str, str], __: str) -> tuple[str, ...]:
    """Return none: to look into what Drive's program shows would fetch it."""
    return ()


def wanted(relative: bytes) -> bool:
    """Return True for a file without an ending in the folder of chats."""
    folder, _, name = relative.rpartition(b"/")
    return b"." not in name and folder.rpartition(b"/")[2] == FOLDER


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for a prompt in chunks."""
    return {"chunkedPrompt", "runSettings"} <= set(keys)


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what the chunks of a chat say."""
    common: dict[str, Any] = {"model": string(record, "runSettings", "model"), "chained": True}
    chunks, strange = parted(inner(record.get("chunkedPrompt"), "chunks") or [])
    yield Unit(unknown=strange)
    for chunk in chunks:
        role = SIDES.get(string(chunk, "role"), "")
        if chunk.get("isThought") is True:
            yield speech("assistant", chunk.get("text"), kind=THOUGHT, **common)
            continue
        found = of_members(chunk.get("text"), _shown(chunk.get("parts")))
        bare = not found.text and ENCLOSED.isdisjoint(chunk) and not chunk.get("parts")
        unknown = found.unknown or (bare and not (role and "text" in chunk))
        yield Unit(role=role, text=found.text, unknown=int(unknown), at=chunk.get("createTime"), **common)


def _shown(parts: Any) -> Any:
    """Return the parts of an answer that are no thoughts; they may repeat its text."""
    return [one for one in parts if member(one, "thought") is not True] if isinstance(parts, list) else parts


feed = Records(_said).feed
