"""Amp: `threads/T-<id>.json`, a thread each document, rewritten whole; `amp threads export` writes the same.

Since 2026 threads are kept on its server; those from before stay where they are. Results of tools stand in messages of
the user's. A message that is being written waits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from importer.formats import Document
from importer.formats._shared.message import spoken
from importer.formats._shared.told import Context, Records, Unit, begin_by_name, member, string
from importer.formats._shared.words import listed

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

NAME = "amp"
DOCUMENT = Document("messages", head=True)

begin = begin_by_name


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of threads."""
    return (f"{environ.get('XDG_DATA_HOME') or f'{home}/.local/share'}/amp/threads",)


def wanted(relative: bytes) -> bool:
    """Return True for a thread by its name."""
    name = relative.rpartition(b"/")[2]
    return name.startswith(b"T-") and name.endswith(b".json")


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for messages beside a count of writes."""
    return {"v", "id", "messages"} <= set(keys)


def recognises_opening(head: bytes) -> bool:
    """Return True if it has the id of a thread."""
    return b'"T-' in head


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what the head or a message says."""
    role = string(record, "role")
    if "role" not in record and "content" not in record:
        trees = [one for one in listed(member(record, "env", "initial", "trees")) if isinstance(one, dict)]
        place = trees[0] if trees else {}
        branch = string(place, "repository", "ref").removeprefix("refs/heads/")
        folder = string(place, "uri").removeprefix("file://")
        yield Unit(conversation=string(record, "id"), title=string(record, "title"), cwd=folder, branch=branch)
    elif role not in ("user", "assistant"):
        yield Unit(unknown=1)
    elif string(record, "state", "type") != "streaming":
        common = {"id": f"message-{record.get('messageId')}", "at": member(record, "meta", "sentAt")}
        yield from spoken(role, record.get("content"), {**common, "model": string(record, "usage", "model")})


feed = Records(_said).feed
