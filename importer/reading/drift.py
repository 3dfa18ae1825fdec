"""Notice that a tool writes what its format does not know: what is counted of a store, and under which names.

    store/<format>/<what>                     lines, messages, chunks, skipped, quarantined, unknown records of a store
    version/<format>/<version>/<what>         of those that a version of the tool wrote: lines, and unknown records
    kind/<format>/<version>/<kind>            unknown records by their shape

A tool that names no version may have any: the month stands for it in which its records are read (`~2026-11`).

A kind is the shape of a record (`protocol.foreign.kinds`), which holds nothing of what is said in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from importer.protocol.foreign.kinds import kind_of
from importer.protocol.records import Tally

__all__ = ["LOOKED_AT", "MONTH", "counters", "kind_of", "month_of", "version_of"]

MONTH = "~"  # in front of one
LOOKED_AT = 8  # lines of a slice, until one names the version
_version = re.compile(r"v?\d[\w.+-]{0,30}\Z")


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


def month_of(now_ns: int) -> str:
    """Return what stands for the version of a tool that names none: the month, in UTC."""
    return datetime.fromtimestamp(now_ns / 1e9, UTC).strftime(f"{MONTH}%Y-%m")


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
