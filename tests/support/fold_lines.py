"""The fold over lines of any format, for tests."""

from __future__ import annotations

import json
from typing import Any

from importer import formats
from importer.protocol.records import Turn

PLAIN = formats.Options()
EVERYTHING = formats.Options(subagents=True, thinking=True, tool_results=True, summaries=True)

Record = dict[str, Any] | bytes | str


def raw(record: Record) -> bytes:
    """Return the bytes of a line: an object as JSON, text as UTF-8, bytes as they are."""
    if isinstance(record, str):
        return record.encode()
    return record if isinstance(record, bytes) else json.dumps(record).encode()


def feed(
    name: str, *records: Record, options: formats.Options = PLAIN, path: bytes = b"/x/stem.jsonl"
) -> list[formats.Fed]:
    """Return what each line gave, folded from the beginning of a file."""
    format_ = formats.load(name)
    context, fed = format_.begin(path), []
    for record in records:
        fed.append(format_.feed(context, raw(record), options))
        context = fed[-1].context
    return fed


def turns(name: str, *records: Record, options: formats.Options = PLAIN, path: bytes = b"/x/stem.jsonl") -> list[Turn]:
    """Return all turns of the lines."""
    return [turn for fed in feed(name, *records, options=options, path=path) for turn in fed.turns]
