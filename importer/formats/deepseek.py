"""DeepSeek: `conversations.json` of a data export, in a ZIP; a tree of messages each conversation, all branches in it.

It looks like ChatGPT's, but for the time a conversation was begun (`inserted_at`) and for messages made of fragments.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from importer.formats import Document, chatgpt
from importer.formats._shared.told import (
    THOUGHT,
    Context,
    Records,
    Unit,
    begin_by_name,
    lacks,
    parted,
    speech,
    string,
    text_of,
)
from importer.formats._shared.turns import key

__all__ = ["DOCUMENT", "NAME", "Context", "begin", "feed", "recognises_document", "roots", "wanted"]

NAME = "deepseek"
DOCUMENT = Document()

SIDES = {"REQUEST": "user", "RESPONSE": "assistant", "TEMPLATE_RESPONSE": "assistant"}
THOUGHTS = "THINK"
SILENT = frozenset(("SEARCH", "TOOL_SEARCH", "TOOL_OPEN", "READ_LINK", "TIP", "FILE"))

PLACED = frozenset(("id", "parent", "children", "message"))  # members of a node

begin = begin_by_name


def roots(_: Mapping[str, str], __: str) -> tuple[str, ...]:
    """Return none: an export lies wherever it was saved."""
    return ()


def wanted(relative: bytes) -> bool:
    """Return True for `conversations.json`, as other exports call it, too."""
    return chatgpt.wanted(relative)


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for a tree of messages beside the time it was begun."""
    return {"mapping", "inserted_at"} <= set(keys)


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a conversation says."""
    title, at = string(record, "title"), string(record, "inserted_at")
    yield Unit(database=NAME, conversation=string(record, "id") or f"deepseek-{key(title, at)[:16]}")
    yield Unit(title=title)
    nodes, strange = parted(record.get("mapping"))
    yield Unit(unknown=strange)
    for node in _in_order(nodes):
        message = node.get("message")
        if isinstance(message, dict):
            yield from _message(message, string(node, "id"))
        elif message or not PLACED.issuperset(node):
            yield Unit(unknown=1)


def _in_order(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return nodes each behind its parent and before its later siblings; those out of reach of a root at the end."""
    known = {string(node, "id"): node for node in nodes}
    children: dict[str, list[dict[str, Any]]] = {}
    for node in nodes:
        children.setdefault(string(node, "parent"), []).append(node)
    pending = [node for node in reversed(nodes) if string(node, "parent") not in known]
    found: dict[int, dict[str, Any]] = {}
    while pending:
        node = pending.pop()
        if id(node) not in found:
            found[id(node)] = node
            pending += reversed(children.get(string(node, "id"), []))
    return [*found.values(), *(node for node in nodes if id(node) not in found)]


def _message(message: dict[str, Any], id_: str) -> Iterator[Unit]:
    """Yield what the fragments of a message say; older exports have its words beside its role."""
    common: dict[str, Any] = {"id": id_, "at": message.get("inserted_at"), "model": string(message, "model")}
    fragments, strange = parted(message.get("fragments") or [])
    yield Unit(unknown=strange)
    for fragment in fragments:
        kind = string(fragment, "type")
        if kind == THOUGHTS:
            yield Unit(role="assistant", kind=THOUGHT, text=text_of(fragment.get("content")), **common)
        elif kind in SIDES:
            yield Unit(unknown=lacks(fragment, "content"))
            yield speech(SIDES[kind], fragment.get("content"), **common)
        elif kind not in SILENT:
            yield Unit(unknown=1)
    if not fragments:
        role = string(message, "role").lower()
        yield Unit(role="assistant", kind=THOUGHT, text=text_of(message.get("reasoning_content")), **common)
        said = speech(role, message.get("content"), **common)
        strange = role not in ("user", "assistant", "system") or lacks(message, "content", "fragments")
        said.unknown += int(bool(strange and message))
        said.text = "" if role == "system" else said.text
        yield said


feed = Records(_said).feed
