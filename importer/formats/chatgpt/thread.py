"""Find the active thread of a conversation: its messages are a tree, and the current node is a leaf of it."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

import msgspec

from importer.formats._shared import json_lines
from importer.formats._shared.turns import moment

UNREADABLE = ""  # in the place of a message


class ThreadMessage(msgspec.Struct, gc=False):
    """A message; `recipient` is "all" or the tool it is for. Its fields may be of any shape."""

    id: Any = None
    author: Any = None
    role: Any = None
    create_time: Any = None
    content: Any = None
    recipient: Any = None
    metadata: Any = None


class ThreadNode(msgspec.Struct, gc=False):
    """A place in the tree; the root holds no message, and a message that is no object cannot be read."""

    id: str | None = None
    parent: str | None = None
    children: list[str] | None = None
    message: ThreadMessage | list[Any] | str | float | None = None


_node = json_lines.reader(ThreadNode)


def thread(mapping: dict[str, msgspec.Raw] | list[msgspec.Raw], current: str | None) -> list[Any]:
    """Return the messages from the root to the current node, or to the last leaf where that is not told.

    Where the current node is told, only those on the way are decoded: branches that were given up cost nothing.
    """
    raws = mapping if isinstance(mapping, dict) else _by_id(mapping)
    nodes: dict[str, ThreadNode] = {}

    def parent(name: str) -> str | None:
        nodes[name] = _read(raws[name])
        return nodes[name].parent

    way = _climb(current, raws, parent)
    # No current node, or a parent that is not told: at the root stands no message.
    if len(way) < min(2, len(raws)) or (len(way) < len(raws) and nodes[way[-1]].message is not None):
        nodes.clear()  # the order of the file may be the only one
        for name in raws:
            parent(name)
        way = _search(nodes, current)
    found = [nodes[name].message for name in reversed(way) if nodes[name].message is not None]
    cut = bool(way) and nodes[way[-1]].message is not None and len(way) < len(raws)
    return [*[UNREADABLE] * (cut and _is_cut(way, nodes)), *found]


def _is_cut(way: list[str], nodes: Mapping[str, ThreadNode]) -> bool:
    """Return True if a parent is missing, or messages stand in trees of their own, of which only this one is told."""
    if nodes[way[-1]].parent:
        return True
    below = {name for name, node in nodes.items() if node.parent in nodes}
    below |= {child for node in nodes.values() for child in node.children or ()}
    return any(name not in below and node.message is not None for name, node in nodes.items() if name != way[-1])


def _read(raw: msgspec.Raw) -> ThreadNode:
    """Return a node; one that has nothing of what nodes have cannot be read."""
    node = _node(raw) or ThreadNode()
    return ThreadNode(message=UNREADABLE) if node == ThreadNode() else node


def _by_id(listed_: list[msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """Return the nodes of a list by their ids, those without one by their places."""
    named = ((_node(raw), raw) for raw in listed_)
    return {(node and node.id) or f"#{at}": raw for at, (node, raw) in enumerate(named)}


def _climb(at: str | None, known: Container[str], parent: Callable[[str], str | None]) -> list[str]:
    """Return the names of a node and of all above it; parents in a circle end it, too."""
    way: dict[str, None] = {}
    while at is not None and at in known and at not in way:
        way[at] = None
        at = parent(at)
    return list(way)


def _search(nodes: Mapping[str, ThreadNode], current: str | None) -> list[str]:
    """Return the way up from the current node, or from the last of the nodes without children.

    A link may be told by either end. Where there are none at all, all messages are the thread, by their times.
    """
    parents = {child: name for name, node in nodes.items() for child in node.children or ()}
    parents |= {name: node.parent for name, node in nodes.items() if node.parent and node.parent in nodes}
    if not parents:
        told = {name: moment(getattr(node.message, "create_time", None)) for name, node in nodes.items()}
        ordered = sorted(nodes, key=lambda name: told[name]) if all(told.values()) else list(nodes)
        return ordered[::-1]
    if current not in nodes:
        above = set(parents.values())
        current = next((name for name in reversed(list(nodes)) if name not in above and not nodes[name].children), None)
    return _climb(current, nodes, parents.get)
