"""Grok: `prod-grok-backend.json` of a data export, deep within the ZIP; a conversation each unit, with its answers.

The other files of the ZIP are of the account and of payments, and are not opened. Ids are missing in some versions: a
turn's key is a hash of role, time and text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from importer.formats import Document
from importer.formats._shared.told import (
    THOUGHT,
    Context,
    Records,
    Unit,
    begin_by_name,
    lacks,
    member,
    objects,
    parted,
    speech,
    string,
)
from importer.formats._shared.turns import key

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

NAME = "grok"
DOCUMENT = Document("conversations")

EXPORT = b"prod-grok-backend.json"
SIDES = {"human": "user", "user": "user", "assistant": "assistant", "grok": "assistant"}
# What the page draws in place of: cards of searches and citations.
_drawn = re.compile(r"<grok:render\b[^<>]*>.*?</grok:render>", re.DOTALL)

begin = begin_by_name


def roots(_: Mapping[str, str], __: str) -> tuple[str, ...]:
    """Return none: an export lies wherever it was saved."""
    return ()


def wanted(relative: bytes) -> bool:
    """Return True for the one file of an export that holds conversations."""
    return relative.rpartition(b"/")[2] == EXPORT


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for a list of conversations."""
    return "conversations" in keys


def recognises_opening(head: bytes) -> bool:
    """Return True if a conversation stands beside its responses."""
    return all(b'"%s"' % name in head for name in (b"conversation", b"responses"))


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a conversation says."""
    talk = record.get("conversation")
    title, at = string(talk, "title"), string(talk, "create_time")
    yield Unit(database=NAME, conversation=string(talk, "id") or f"grok-{key(title, at)[:16]}")
    yield Unit(title=title)
    answers, strange = parted(record.get("responses"))
    yield Unit(unknown=strange)
    for one in answers:
        response = one.get("response", one)
        if isinstance(response, dict):
            yield from _response(response)
        else:
            yield Unit(unknown=1)


def _response(response: dict[str, Any]) -> Iterator[Unit]:
    """Yield what one side said, and what the model thought before."""
    role = SIDES.get(string(response, "sender").lower(), "")
    time = response.get("create_time")
    stamp = member(time, "$date", "$numberLong") or member(time, "$date") or time
    common: dict[str, Any] = {"id": string(response, "_id"), "at": stamp, "model": string(response, "model")}
    for thought in objects(response.get("agent_thinking_traces")):
        yield Unit(role="assistant", kind=THOUGHT, text=string(thought, "thinking_trace"), **common)
    said = speech(role, response.get("message"), **common)
    said.text = _drawn.sub("", said.text) if role == "assistant" else said.text
    said.unknown += (not role or lacks(response, "message")) and bool(response)
    yield said


feed = Records(_said).feed
