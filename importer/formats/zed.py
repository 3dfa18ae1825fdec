"""Zed: `threads.db`, SQLite, a thread each row, packed with Zstandard and written anew at each change.

Messages have no times and answers no ids: each key is a hash of the one before it in the thread, role and text. A file
that was mentioned is an attachment; a draft was not sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from importer.formats import Tables
from importer.formats._shared.blocks import of_person
from importer.formats._shared.calls import id_of, used
from importer.formats._shared.told import (
    RESULT,
    SUMMARY,
    THOUGHT,
    Context,
    Unit,
    begin,
    feed,
    inner,
    member,
    objects,
    parted,
    string,
    value,
)
from importer.formats._shared.words import listed

__all__ = ["NAME", "TABLES", "Context", "begin", "feed", "roots", "told", "wanted"]

NAME = "zed"

SILENT = frozenset(("Mention", "Image", "RedactedThinking", "ToolResult"))
TABLES = (
    Tables(
        {"threads": "id updated_at data_type data"},
        "SELECT id, strftime('%s', updated_at) * 1000, updated_at, length(data) FROM threads",
        (
            "SELECT summary, data, {threads.parent_id} AS parent, {threads.folder_paths} AS folders,"
            " {threads.created_at} AS at FROM threads WHERE id = :member",
        ),
    ),
)


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folder of threads on each system."""
    data = environ.get("FLATPAK_XDG_DATA_HOME") or environ.get("XDG_DATA_HOME") or f"{home}/.local/share"
    others = (f"{home}/Library/Application Support/Zed/threads", f"{home}/AppData/Local/Zed/threads")
    return (f"{data}/zed/threads", *others)


def wanted(relative: bytes) -> bool:
    """Return True for the database of threads."""
    return relative.rpartition(b"/")[2] == b"threads.db"


def told(row: Mapping[str, Any]) -> Iterator[Unit]:
    """Yield what a thread says, in the present form or the older one."""
    thread = value(row["data"])
    if not isinstance(thread, dict):
        yield Unit(problem="a thread that is no JSON object")
        return
    agent = "subagent" if row["parent"] or thread.get("subagent_context") else ""
    title = string(thread, "title") or string(thread, "summary") or string(row, "summary")
    yield Unit(title=title, cwd=string(row, "folders").partition("\n")[0], agent=agent)
    common = {"at": row["at"], "model": string(thread, "model", "model"), "chained": True}
    yield Unit(unknown=int("messages" not in thread))
    for message in listed(thread.get("messages")):
        if isinstance(message, dict) and "role" in message:
            yield from _older(message, common)
        elif isinstance(message, dict):
            yield from _message(message, common)
        elif message != "Resume":
            yield Unit(unknown=1)


def _message(message: dict[str, Any], common: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a message says; its one member names who speaks."""
    for side, held in message.items():
        if side in ("User", "Agent"):
            role = "user" if side == "User" else "assistant"
            blocks, strange = parted(inner(held, "content"))
            yield Unit(unknown=strange)
            yield from _blocks(role, blocks, common)
            results = member(held, "tool_results")
            for id_, one in results.items() if isinstance(results, dict) else ():
                shown = member(one, "content", "Text") or member(one, "content") or member(one, "output")
                yield Unit(role="assistant", kind=RESULT, text=shown, of=id_of(id_, ""), **common)
        elif side == "Compaction":
            yield Unit(role="assistant", kind=SUMMARY, text=inner(held, "Summary"), **common)
        else:
            yield Unit(unknown=1)


def _blocks(role: str, blocks: list[dict[str, Any]], common: dict[str, Any]) -> Iterator[Unit]:
    """Yield the words, thoughts and calls of a message."""
    for block in blocks:
        if thought := string(block, "Thinking", "text"):
            yield Unit(role=role, kind=THOUGHT, text=thought, **common)
    texts = [of_person(block["Text"]) if role == "user" else block["Text"] for block in blocks if "Text" in block]
    calls = [block["ToolUse"] for block in blocks if isinstance(block.get("ToolUse"), dict)]
    yield Unit(
        role=role,
        text=texts,
        **used([(call.get("id"), call.get("name"), call.get("input")) for call in calls]),
        unknown=sum(
            SILENT.isdisjoint(block) and not {"Text", "Thinking", "ToolUse"} & block.keys() for block in blocks
        ),
        **common,
    )


def _older(message: dict[str, Any], common: dict[str, Any]) -> Iterator[Unit]:
    """Yield what a message of an older thread says; what was attached to it stands beside its segments."""
    role = string(message, "role")
    if role in ("user", "assistant"):
        segments, strange = parted(message.get("segments"))
        texts = [one for one in segments if string(one, "type") not in ("thinking", "redacted_thinking")]
        tools = [string(one, "name") for one in objects(message.get("tool_uses"))]
        yield Unit(role=role, text=texts, tools=tools, unknown=strange, **common)
    else:
        yield Unit(unknown=int(role != "system"))
