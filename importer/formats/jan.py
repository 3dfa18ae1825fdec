"""Jan: `threads/<thread>/messages.jsonl`, a message each line. An edit writes the file anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.formats._shared.told import ID_BYTES, Context, Records, Unit, string
from importer.formats._shared.turns import clip, stem

__all__ = ["NAME", "Context", "begin", "feed", "recognises", "roots", "wanted"]

NAME = "jan"

MESSAGES = b"messages.jsonl"
OBJECT = "thread.message"
WRITING = "in_progress"


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of threads on each system."""
    config = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    bases = (config, f"{home}/Library/Application Support", f"{home}/AppData/Roaming")
    return tuple(f"{base}/Jan/data/threads" for base in bases)


def wanted(relative: bytes) -> bool:
    """Return True for the messages of a thread."""
    return relative.rpartition(b"/")[2] == MESSAGES


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for messages that say they are of a thread."""
    return any(record.get("object") == OBJECT and "thread_id" in record for record in records)


def begin(path: bytes) -> Context:
    """Return the context before the first line; messages name their thread."""
    folder, _, name = path.rpartition(b"/")
    return Context(session=clip(stem(folder if name == MESSAGES else path), ID_BYTES))


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a message says."""
    role = string(record, "role")
    if role not in ("user", "assistant"):
        if role not in ("system", "tool"):
            yield Unit(unknown=1)
    elif string(record, "status") != WRITING:
        yield Unit(conversation=string(record, "thread_id"))
        yield Unit(role=role, text=record.get("content"), id=string(record, "id"), at=record.get("created_at"))


feed = Records(_said).feed
