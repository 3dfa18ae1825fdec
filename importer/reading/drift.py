"""Notice that a tool writes what its format does not know: what is counted of a store, and under which names.

    store/<format>/<what>                     lines, messages, chunks, skipped, quarantined, unknown records of a store
    version/<format>/<version>/<what>         of those that a version of the tool wrote: lines, and unknown records
    kind/<format>/<version>/<kind>            unknown records by their shape

A kind is made of the types that a record and its blocks say they have, never of what is said in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from importer.protocol.records import Tally

LOOKED_AT = 8  # lines of a slice, until one names the version
MOST_TYPES = 3
UNNAMED = "?"
_word = re.compile(r"[A-Za-z][\w.:-]{0,39}\Z")
_version = re.compile(r"v?\d[\w.+-]{0,30}\Z")
_TYPES = ("type", "subtype", "kind", "role", "sessionUpdate")
_HOLDERS = ("message", "payload", "data", "event", "update", "params", "content", "parts", "attachment", "part")


class _Versioned(msgspec.Struct, rename={"cli": "cli_version", "camel": "cliVersion", "copilot": "copilotVersion"}):
    """The members that name the version of the tool, in the record or in what it carries."""

    version: Any = None
    cli: Any = None
    camel: Any = None
    copilot: Any = None
    payload: Any = None
    data: Any = None


_decode = msgspec.json.Decoder(_Versioned).decode


def version_of(raw: bytes) -> str:
    """Return the version of the tool that a line names, "" for none. Never raises."""
    try:
        line = _decode(raw)
    except (ValueError, RecursionError):
        return ""
    carried = [one for one in (line.payload, line.data) if isinstance(one, dict)]
    found = [line.version, line.cli, line.camel, line.copilot]
    found += [one.get(name) for one in carried for name in ("cli_version", "cliVersion", "copilotVersion", "version")]
    return next((one for one in found if isinstance(one, str) and _version.match(one)), "")


def kind_of(raw: bytes) -> str:
    """Return the kind of a record that is not known: the types in it, from outside in. Never raises."""
    try:
        record = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return UNNAMED
    found = dict.fromkeys(_types(record, 4))
    return "/".join(list(found)[:MOST_TYPES]) or UNNAMED


def _types(value: Any, depth: int) -> Iterator[str]:
    """Yield the types that a value and what it holds say they have, as far as they are single words."""
    if isinstance(value, list) and depth:
        for one in value[:20]:
            yield from _types(one, depth - 1)
    elif isinstance(value, dict) and depth:
        yield from (value[name] for name in _TYPES if isinstance(value.get(name), str) and _word.match(value[name]))
        for name in _HOLDERS:
            yield from _types(value.get(name), depth - 1)


def counters(
    name: str, version: str, tally: Tally, chunks: int, strange: Mapping[str, int]
) -> tuple[tuple[str, int], ...]:
    """Return what a slice adds to the counters of the store of a format, and of a version of its tool."""
    of_store = {
        "lines": tally.lines_read,
        "messages": tally.messages,
        "chunks": chunks,
        "skipped": tally.lines_skipped,
        "quarantined": tally.lines_quarantined,
        "unknown": tally.unknown,
    }
    found = {f"store/{name}/{what}": number for what, number in of_store.items()}
    found |= {f"version/{name}/{version}/{what}": of_store[what] for what in ("lines", "unknown")}
    found |= {f"kind/{name}/{version}/{kind}": number for kind, number in strange.items()}
    return tuple((one, number) for one, number in found.items() if number)
