"""Make the parts of a turn that all formats need: keys that survive copying, times in UTC, bounded lengths."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec

KEY_BYTES = 16
MAX_NAMES = 32  # tools and files one turn may carry
MAX_NAME_CHARS = 1024
MILLISECONDS_FROM = 1e11  # as seconds this is the year 5138, as milliseconds 1973
MICROSECONDS_FROM, NANOSECONDS_FROM = 1e14, 1e17  # the same a thousand times finer each

_number = re.compile(r"\d{9,20}(?:\.\d+)?\Z")  # a date in ISO 8601 without dashes has eight digits


def key(*parts: str) -> str:
    """Hash the parts into hex digits: equal only when all parts are. 16 bytes of BLAKE2b.

    Lone surrogates, which UTF-8 cannot hold, count as "?".
    """
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=KEY_BYTES).hexdigest()


def utc(stamp: str | None) -> str:
    """Convert an ISO 8601 time to RFC 3339 UTC with milliseconds, "" when it is none.

    A time without a zone is taken as UTC.
    """
    if not stamp:
        return ""
    try:
        moment = datetime.fromisoformat(stamp)
        # Nearly all are 2026-02-11T20:31:54.120Z already, and need no formatting.
        if len(stamp) == 24 and stamp[10] == "T" and stamp[19] == "." and stamp[23] == "Z":
            return stamp
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return ""


def since_1970(stamp: float) -> str:
    """Convert seconds, or thousandths of these down to nanoseconds, since 1970 to RFC 3339 UTC, "" when out of range.

    Which of them is told by size: see MILLISECONDS_FROM.
    """
    try:
        stamp = stamp / 1000 if abs(stamp) > NANOSECONDS_FROM else stamp
        stamp = stamp / 1000 if abs(stamp) > MICROSECONDS_FROM else stamp
        found = datetime.fromtimestamp(stamp / 1000 if abs(stamp) > MILLISECONDS_FROM else stamp, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return utc(found.isoformat())


def moment(stamp: Any) -> str:
    """Convert a time in either form, the number as text, too; "" for anything else."""
    if isinstance(stamp, str):
        return since_1970(float(stamp)) if _number.match(stamp) else utc(stamp)
    return since_1970(stamp) if isinstance(stamp, int | float) and not isinstance(stamp, bool) else ""


def clip(text: str, limit_bytes: int) -> str:
    """Return the longest convenient beginning of the text whose JSON form has at most `limit_bytes` bytes.

    A loop, for the first cut is a guess: characters take one to six bytes.
    """
    if len(text) * 6 <= limit_bytes:  # one character is at most six bytes in JSON: \\u0000
        return text
    while (size := len(msgspec.json.encode(text)) - 2) > limit_bytes:
        text = text[: min(len(text) - 1, len(text) * limit_bytes // size)]
    return text


def stem(path: bytes) -> str:
    """Return a file's name without the endings that tell its form.

    It names the conversation of lines that do not say theirs.
    """
    name = path.rpartition(b"/")[2]
    for ending in (b".zst", b".jsonl", b".json"):  # from the outside in: a session keeps its name when it is packed
        name = name.removesuffix(ending)
    return name.decode("utf-8", "replace")


def once(names: Iterable[str]) -> tuple[str, ...]:
    """Return each name once, in order, cut to MAX_NAME_CHARS, at most MAX_NAMES of them; empty ones are left out."""
    return tuple(dict.fromkeys([name[:MAX_NAME_CHARS] for name in names if name]))[:MAX_NAMES]
