"""Jan: `threads/<thread>/messages.jsonl`, a message each line, and `thread.json` with its title.

An edit writes the file anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from importer.formats import Document
from importer.formats._shared.told import ABOUT, ID_BYTES, Context, Records, Unit, lacks, string
from importer.formats._shared.turns import clip, stem

__all__ = ["DOCUMENT", "NAME", "Context", "begin", "feed", "recognises", "recognises_document", "roots", "wanted"]

NAME = "jan"

MESSAGES, SHEET = b"messages.jsonl", b"thread.json"
OBJECT = "thread.message"
SIGNS = ("assistants", "title", "id")  # of the sheet
DOCUMENT = Document(sheet=SIGNS[:1])
NEW = "New Thread"
WRITING = "in_progress"


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of threads on each system."""
    config = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    bases = (config, f"{home}/Library/Application Support", f"{home}/AppData/Roaming")
    return tuple(f"{base}/Jan/data/threads" for base in bases)


def wanted(relative: bytes) -> bool:
    """Return True for the messages of a thread, and the sheet beside them."""
    return relative.rpartition(b"/")[2] in (MESSAGES, SHEET)


def recognises(records: Sequence[Mapping[str, Any]]) -> bool:
    """Return True for messages that say they are of a thread."""
    return any(record.get("object") == OBJECT and "thread_id" in record for record in records)


def recognises_document(keys: Collection[str]) -> bool:
    """Return True for the sheet: a thread's id and title, and who answers there."""
    return set(SIGNS) <= set(keys)


def begin(path: bytes) -> Context:
    """Return the context before the first line; messages and the sheet name their thread."""
    folder, _, name = path.rpartition(b"/")
    return Context(session=clip(stem(folder if name in (MESSAGES, SHEET) else path), ID_BYTES))


def _said(_: Context, record: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a message says, or the sheet tells."""
    role = string(record, "role")
    if set(SIGNS) <= set(record):
        title = string(record, "title")
        yield Unit(kind=ABOUT, conversation=string(record, "id"), title="" if title == NEW else title)
    elif role not in ("user", "assistant"):
        if role not in ("system", "tool"):
            yield Unit(unknown=1)
    elif string(record, "status") != WRITING:
        yield Unit(conversation=string(record, "thread_id"), unknown=lacks(record, "content"))
        yield Unit(role=role, text=record.get("content"), id=string(record, "id"), at=record.get("created_at"))


feed = Records(_said).feed
