"""Open WebUI: `webui.db`, SQLite, a chat each row, a tree of messages, all branches in it.

It is imported by its path, for the server's folder of data can be anywhere. A database of several persons is left
alone: whose memory it would be in cannot be told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from importer.formats import Tables
from importer.formats._shared.told import Context, Unit, begin, feed, lacks, member, objects, parted, string, value
from importer.formats._shared.words import Words, words

__all__ = ["NAME", "TABLES", "Context", "begin", "feed", "roots", "told", "wanted"]

NAME = "open-webui"
PASTED = "Pasted_Text"  # in the names of files that pasted texts become

TABLES = (
    Tables(
        {"chat": "id user_id title chat updated_at"},
        "SELECT id, updated_at * 1000, length(chat) FROM chat WHERE (SELECT count(DISTINCT user_id) FROM chat) = 1",
        ("SELECT title, chat FROM chat WHERE id = :member",),
    ),
)
# what the server puts into an answer: thoughts, and the calls of tools with their results
_details = re.compile(r"<details type=\"(?:reasoning|tool_calls|code_interpreter)\"[^<>]{0,2000}>")
_closing = re.compile(r"</details>\s*")


def roots(_environ: Mapping[str, str], _home: str) -> tuple[str, ...]:
    """Return no folder: the server's may be anywhere."""
    return ()


def wanted(relative: bytes) -> bool:
    """Return True for the database of a server."""
    return relative.rpartition(b"/")[2] == b"webui.db"


def told(row: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what a chat says, in the order of time; an answer that is being written ends what is told."""
    chat = value(row["chat"])
    yield Unit(title=string(row, "title") or string(chat, "title"))
    held = member(chat, "history", "messages") or member(chat, "messages")
    found, strange = parted(held or [])
    yield Unit(unknown=strange + (bool(chat) and not held and not isinstance(member(chat, "history"), dict)))
    for node in sorted(found, key=_time):
        role = string(node, "role")
        if role == "assistant" and node.get("done") is False:
            yield {"held": True, "id": string(node, "id")}
        if role in ("user", "assistant"):
            text, unknown = words(node.get("content"))
            unknown += lacks(node, "content")
            if role == "assistant":
                text = _shown(text)
            else:
                pasted = _pasted(node)
                text = "\n\n".join([text, *(one.text for one in pasted)]).strip()
                unknown += sum(one.unknown for one in pasted)
            common: dict[str, Any] = {"id": string(node, "id"), "at": node.get("timestamp")}
            common["model"] = string(node, "model")
            yield Unit(role=role, text=text, unknown=unknown, **common)
        elif role not in ("system", "tool"):
            yield Unit(unknown=1)


def _shown(text: str) -> str:
    """Return an answer without what the server put into it; what is not closed was said."""
    kept, at = list[str](), 0
    for opening in _details.finditer(text):
        if opening.start() < at:
            continue
        closing = _closing.search(text, opening.end())
        if closing is None:
            break
        kept.append(text[at : opening.start()])
        at = closing.end()
    return "".join([*kept, text[at:]])


def _pasted(node: dict[str, Any]) -> list[Words]:
    """Return long texts that were pasted, which become files beside the prompt."""
    files = node.get("files")
    files = [
        one
        for one in objects(files if isinstance(files, list) else [files])
        if PASTED in (string(one, "name") or string(one, "file", "filename"))
    ]
    return [words(member(one, "file", "data", "content") or member(one, "content")) for one in files]


def _time(node: dict[str, Any]) -> float:
    """Return when a message was written; those without a time come first, in the order in which they stand."""
    found = node.get("timestamp")
    return found if isinstance(found, int | float) else 0.0
