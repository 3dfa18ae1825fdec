"""What a hosted embedding provider was asked for: tokens and requests by day, in a file that workers write.

    <state>/embedding-usage.json    {"2026-11-29": {"tokens": 51200, "requests": 12, "cost": 0.001024}, …}

Days are UTC, as the providers count. Several workers may write: each change holds a lock, and replaces the file. Costs
are in the currency of the price, by the price of that time.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from importer.protocol.system.plain import plain

FILE = "embedding-usage.json"
KEPT_DAYS = 400
# List prices in US dollars per million tokens, as they were known when this was written; providers change them, and
# `embed.price_per_million` wins.
PRICES: Mapping[str, float] = {
    "text-embedding-3-small": 0.02,
    "text-embedding-3-large": 0.13,
    "text-embedding-ada-002": 0.10,
    "voyage-3.5": 0.06,
    "voyage-3.5-lite": 0.02,
    "voyage-3-large": 0.18,
    "voyage-code-3": 0.18,
    "embed-v4.0": 0.12,
    "embed-english-v3.0": 0.10,
    "embed-multilingual-v3.0": 0.10,
}


class Usage(msgspec.Struct, frozen=True):
    """What was asked for in a day, or in several."""

    tokens: int = 0
    requests: int = 0
    cost: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.tokens + other.tokens, self.requests + other.requests, self.cost + other.cost)


Days = dict[str, Usage]


def price_of(model: str, given: float) -> float:
    """Return the price of a million tokens: the one given, else the list price, 0.0 where neither is known."""
    return given or PRICES.get(model, 0.0)


def day_of(now_s: float) -> str:
    """Return the day of that time (UTC seconds) as YYYY-MM-DD."""
    return datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%d")


def until_next(now_s: float, *, month: bool) -> float:
    """Return the seconds until the next day, or the next month, begins (UTC)."""
    at = datetime.fromtimestamp(now_s, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    following = (at.replace(day=1) + timedelta(days=32)).replace(day=1) if month else at + timedelta(days=1)
    return following.timestamp() - now_s


def of_day(days: Mapping[str, Usage], now_s: float) -> Usage:
    """Return what was asked for today."""
    return days.get(day_of(now_s), Usage())


def of_month(days: Mapping[str, Usage], now_s: float) -> Usage:
    """Return what was asked for this month."""
    month = day_of(now_s)[:7]
    return sum((usage for day, usage in days.items() if day.startswith(month)), Usage())


def read(path: str) -> Days:
    """Return what the file holds, {} without one or for a damaged one: it is counted anew then."""
    try:
        with open(path, "rb", opener=plain) as file:
            return msgspec.json.decode(file.read(), type=Days)
    except (OSError, msgspec.MsgspecError):
        return {}


def add(path: str, used: Usage, now_s: float | None = None) -> None:
    """Add to today's usage. Raises OSError. Not synced: a power cut may cost the last requests' count."""
    now_s = time.time() if now_s is None else now_s
    with open(f"{path}.lock", "ab", opener=plain) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        days = read(path)
        today = day_of(now_s)
        days[today] = days.get(today, Usage()) + used
        kept = dict(sorted(days.items())[-KEPT_DAYS:])
        with open(f"{path}.new", "wb", opener=plain) as file:
            file.write(msgspec.json.encode(kept))
        os.replace(f"{path}.new", path)
