"""LM Studio: `conversations/**/<conversation>.conversation.json`, one document, rewritten whole at each change.

Messages have neither ids nor times: each key is a hash of the one before it, role and text. Of an answer that was made
several times the chosen version counts; thoughts are steps of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from importer.formats import Document
from importer.formats._shared.told import ID_BYTES, THOUGHT, Context, Records, Unit, member, parted, string, wordy
from importer.formats._shared.turns import clip, stem

__all__ = [
    "DOCUMENT",
    "NAME",
    "Context",
    "begin",
    "feed",
    "recognises_document",
    "recognises_opening",
    "roots",
    "wanted",
]

NAME = "lm-studio"
DOCUMENT = Document("messages", head=True)

SILENT = frozenset(("toolStatus", "debugInfoBlock", "toolCallRequest", "toolCallResult", "status", "citations"))
ENDING = b".conversation.json"


def roots(_: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folders of conversations of newer and of older versions."""
    return (f"{home}/.lmstudio/conversations", f"{home}/.cache/lm-studio/conversations")


def wanted(relative: bytes) -> bool:
    """Return True for a conversation by its ending."""
    return relative.endswith(ENDING)


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for messages beside a name and a time."""
    return {"name", "createdAt", "messages"} <= set(keys)


def recognises_opening(head: bytes) -> bool:
    """Return True if messages have versions."""
    return b'"versions"' in head


def begin(path: bytes) -> Context:
    """Return the context before the head; the file's name is the conversation's."""
    return Context(session=clip(stem(path).removesuffix(".conversation"), ID_BYTES))


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what the head or a message says."""
    versions = record.get("versions")
    if not isinstance(versions, list):
        yield Unit(unknown=int(bool(versions)))
        yield Unit(title=string(record, "name"))
        return
    chosen = record.get("currentlySelected")
    at = chosen if isinstance(chosen, int) and 0 <= chosen < len(versions) else len(versions) - 1
    version = versions[at] if versions else None
    role, model = string(version, "role"), string(version, "senderInfo", "senderName")
    if role not in ("user", "assistant"):
        yield Unit(unknown=int(role != "system"))
        return
    steps, strange = parted(member(version, "steps") or {"only": {"content": member(version, "content")}})
    yield Unit(unknown=strange)
    for step in steps:
        thought = string(step, "style", "type") == "thinking"
        kind = string(step, "type")
        if kind in ("", "contentBlock"):
            yield Unit(role=role, text=wordy(step), kind=THOUGHT if thought else "", model=model, chained=True)
        elif kind not in SILENT:
            yield Unit(unknown=1)


feed = Records(_said).feed
