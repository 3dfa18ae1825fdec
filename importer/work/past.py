"""Read what was done in one conversation's file: its calls with their results, in order.

Files are read as an import reads them (lines, documents, databases, archives). Nothing is stored of it: the transcripts
are the index, at the speed of a search through bytes. What an assistant has swept is not found.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from importer.chunking.redact import mask
from importer.protocol.system.plain import plain
from importer.reading.gather import Reading
from importer.reading.turns import UnreadableFile, lines_of
from importer.state.spoken import Spoken
from importer.work.actions import Result, WorkCall, actions

TIMES = ("timestamp", "time", "ts", "created_at", "createdAt")
PLAIN = (b".jsonl", b".json", b".md")  # suffixes of files in which a word can be looked for as bytes


@dataclass(frozen=True, slots=True)
class PastAction:
    """One call and what came of it; `at` is as the record tells it, `cwd` where the assistant worked then."""

    call: WorkCall
    output: str
    failed: bool | None
    at: str
    cwd: str


def mentions(path: bytes, needles: Sequence[bytes], least: int) -> bool:
    """Return True if a file holds at least so many of the words, or is of a kind that cannot be asked so."""
    if not path.endswith(PLAIN):
        return True
    try:
        with open(path, "rb", opener=plain) as file:
            if not os.fstat(file.fileno()).st_size:
                return False
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
                return sum(held.find(one) >= 0 for one in needles) >= least
    except (OSError, ValueError):
        return True


def done_in(one: Spoken, reading: Reading) -> list[PastAction]:
    """Return what was done in a file, in order; nothing where it cannot be read."""
    try:
        return list(_joined(lines_of(one.path, one.source, reading)))
    except UnreadableFile:
        return []


def _joined(lines: Iterable[bytes]) -> Iterator[PastAction]:
    """Yield each call with its result, when that comes or, without one, at the end."""
    waiting: dict[str, PastAction] = {}
    at = cwd = ""
    for line in lines:
        record = _decoded(line)
        at, cwd = _told(record, TIMES) or at, _told(record, ("cwd", "workdir")) or cwd
        for one in actions(record):
            if isinstance(one, WorkCall):
                waiting[one.id or f"call {len(waiting)}"] = PastAction(one, "", None, at, cwd)
            elif (called := waiting.pop(one.id, None)) is not None:
                yield _answered(called, one)
    yield from waiting.values()


def _answered(called: PastAction, result: Result) -> PastAction:
    """Return an action with its result."""
    return PastAction(called.call, result.output, result.failed, called.at, called.cwd)


def _decoded(line: bytes) -> Any:
    """Return a line's value, None for one that is no JSON."""
    try:
        return msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return None


def _told(record: Any, names: Sequence[str]) -> str:
    """Return the first of these texts that a record has, on itself or one step inside."""
    holders = [record, *record.values()] if isinstance(record, dict) else []
    found = (one[name] for one in holders if isinstance(one, dict) for name in names if isinstance(one.get(name), str))
    return next(found, "")


def shown(text: str, most_chars: int) -> str:
    """Return the beginning of a text as it may be shown: secrets masked."""
    masked = mask(text.strip())
    return masked if len(masked) <= most_chars else f"{masked[: most_chars - 1]}…"
