"""Warp: `warp.sqlite`; prompts in one table, and whole conversations in another, packed as Protocol Buffers.

Of a conversation that is in both the packed one is told. A turn's key is a hash of the one before it in the
conversation, role and text, so that a prompt which is seen before its answer is known again. The same database holds
the history of the shell, which is not asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from importer.formats import Tables
from importer.formats._shared.told import (
    Context,
    Unit,
    begin,
    feed,
    inner,
    member,
    parted,
    prompt,
    speech,
    string,
    value,
)

__all__ = ["EXCLUDE", "NAME", "TABLES", "Context", "begin", "feed", "roots", "told", "wanted"]

NAME = "warp"
EXCLUDE = ("*/*",)

_ASKED = "SELECT conversation_id, strftime('%s', max(start_ts)) * 1000 AS newest, max(id) AS number, count(*) AS rows"
_ALL = f"{_ASKED} FROM ai_queries WHERE conversation_id IS NOT NULL GROUP BY conversation_id"
_TASKS = (
    "SELECT conversation_id, strftime('%s', max(last_modified_at)) * 1000 AS newest, total(length(task)) AS number,"
    " group_concat(last_modified_at) AS rows FROM agent_tasks GROUP BY conversation_id"
)
_QUERY = (
    "SELECT id, start_ts AS at, input, {ai_queries.working_directory} AS folder, {ai_queries.model_id} AS model"
    " FROM ai_queries WHERE conversation_id = :member %s ORDER BY id"
)
_PLACE = "SELECT working_directory AS place FROM ai_queries WHERE conversation_id = :member ORDER BY id LIMIT 1"
_TASK = "SELECT hex(task) AS task FROM agent_tasks WHERE conversation_id = :member ORDER BY rowid"
_BOTH = (
    "SELECT conversation_id, max(newest), total(number), group_concat(rows) FROM (%s UNION ALL %s)"
    " GROUP BY conversation_id"
)
_QUERIES = {"ai_queries": "id conversation_id start_ts input working_directory"}
TABLES = (
    Tables(
        {**_QUERIES, "agent_tasks": "task_id conversation_id task last_modified_at"},
        _BOTH % (_ALL, _TASKS),
        (
            _PLACE,
            _TASK,
            _QUERY % "AND NOT EXISTS (SELECT 1 FROM agent_tasks WHERE agent_tasks.conversation_id = :member)",
        ),
        ("ai_queries (conversation_id)", "agent_tasks (conversation_id)"),
    ),
    Tables(_QUERIES, _ALL, (_QUERY % "",), ("ai_queries (conversation_id)",)),
)
MESSAGES, ID, ASKED, ANSWERED, TIME = 5, 1, 2, 3, 14  # numbers of fields


def roots(environ: Mapping[str, str], home: str) -> tuple[str, ...]:
    """Return the folders of the database on each system."""
    state = environ.get("XDG_STATE_HOME") or f"{home}/.local/state"
    group = f"{home}/Library/Group Containers/2BBY89MBSN.dev.warp/Library/Application Support"
    return (
        f"{state}/warp-terminal",
        *(f"{group}/dev.warp.Warp-{channel}" for channel in ("Stable", "Preview")),
        f"{home}/AppData/Local/warp/Warp/data",
    )


def wanted(relative: bytes) -> bool:
    """Return True for the database."""
    return relative.rpartition(b"/")[2] == b"warp.sqlite"


def told(row: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what a row says: the folder of a conversation, one that is packed, or a prompt."""
    if "place" in row:
        yield Unit(cwd=string(row, "place"))
    elif "task" in row:
        yield from _packed(string(row, "task"))
    else:
        yield Unit(cwd=string(row, "folder"))
        inputs, strange = parted(value(row["input"]))
        yield Unit(unknown=strange)
        for one in inputs:
            for asked in [inner(one[kind], "text", "query") for kind in one if _asks(kind, one[kind])]:
                yield prompt(asked, id=str(row["id"]), model=string(row, "model"), chained=True, at=row["at"])


def _asks(kind: str, held: Any) -> bool:
    """Return True for an input that is, or holds, what a person typed."""
    return kind == "Query" or isinstance(member(held, "query"), str)


def _packed(digits: str) -> Iterator[Any]:
    """Yield what a packed conversation says, given as hexadecimal digits."""
    try:
        messages = [
            raw for number, raw in fields(bytes.fromhex(digits)) if number == MESSAGES and isinstance(raw, bytes)
        ]
        for message in messages:
            found = dict(fields(message))
            yield from _message(found)
    except ValueError as error:
        yield Unit(problem=f"a conversation that cannot be unpacked: {error}")


def _message(found: dict[int, bytes | int]) -> Iterator[Unit]:
    """Yield what one side said; calls of tools and the rest have no words."""
    for number, role in ((ASKED, "user"), (ANSWERED, "assistant")):
        held = found.get(number)
        if isinstance(held, bytes):
            common = {"id": _text(found.get(ID)), "at": _seconds(found.get(TIME)), "chained": True}
            text = _text(dict(fields(held)).get(1))
            yield prompt(text, **common) if role == "user" else speech(role, text, **common)


def _text(raw: bytes | int | None) -> str:
    """Return a field's text."""
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""


def _seconds(raw: bytes | int | None) -> int | None:
    """Return the seconds since 1970 of a time, whose first field they are."""
    with suppress(ValueError):
        found = dict(fields(raw)).get(1) if isinstance(raw, bytes) else None
        return found if isinstance(found, int) else None
    return None


def fields(raw: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield the numbered fields of a message in the wire format of Protocol Buffers. Raises ValueError for none."""
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        kind = tag & 7
        if kind == 0:
            number, at = _varint(raw, at)
            yield tag >> 3, number
            continue
        length, at = _varint(raw, at) if kind == 2 else ({1: 8, 5: 4}.get(kind, -1), at)
        if length < 0 or at + length > len(raw):
            raise ValueError(f"a field of kind {kind} at {at} of {len(raw)} bytes")
        yield tag >> 3, raw[at : at + length]
        at += length


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, and where it ends. Raises ValueError if it does not."""
    found = 0
    for shift in range(0, 70, 7):
        if at >= len(raw):
            break
        found |= (raw[at] & 0x7F) << shift
        at += 1
        if raw[at - 1] < 0x80:
            return found, at
    raise ValueError(f"a number that does not end at {at}")
