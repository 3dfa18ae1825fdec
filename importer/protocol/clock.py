"""The clock that people look at: times are typed and shown in the zone of this machine, and stored in UTC.

The zone is what the C library makes of `TZ`, else of /etc/localtime: the zone of every other program here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from importer.errors import UsageError
from importer.protocol import moments


class SystemZone(tzinfo):
    """The zone of this machine, with all its summers and winters (`datetime.astimezone` knows today's offset alone)."""

    def utcoffset(self, at: datetime | None) -> timedelta | None:
        """Return the offset of a local time, None without one."""
        return None if at is None else _fixed(at).utcoffset()

    def dst(self, at: datetime | None) -> timedelta | None:
        """Return None: the C library tells whether it is summer, but not by how much."""
        return None

    def tzname(self, at: datetime | None) -> str | None:
        """Return the zone's name at a local time, such as CET."""
        return None if at is None else _fixed(at).tzname()

    def fromutc(self, at: datetime) -> datetime:
        """Return a time in UTC as local time; the second one of an hour that comes twice has `fold` 1."""
        local = at.replace(tzinfo=UTC).astimezone()
        bare = local.replace(tzinfo=None)
        return bare.replace(tzinfo=self, fold=int(bare.astimezone().utcoffset() != local.utcoffset()))


def _fixed(at: datetime) -> datetime:
    """Return a local time with the offset that holds at it."""
    return at.replace(tzinfo=None).astimezone()


HERE = SystemZone()


def now() -> datetime:
    """Return the present moment in the zone of this machine."""
    return datetime.now(UTC).astimezone(HERE)


def instant(text: str, *, end: bool = False) -> str:
    """Return a typed time (see `moments`) as RFC 3339 UTC: the first moment it means, or the last with `end`.

    "" stays "". Raises UsageError for a text that is no time.
    """
    found = moments.instant(text, now(), end=end)
    if found is None:
        raise UsageError(f"{text!r} is no date or time", hint=moments.EXAMPLES)
    return found


def span(since: str, until: str) -> tuple[str, str]:
    """Return two typed times as `instant` does. Raises UsageError where the first comes after the second."""
    first, last = instant(since), instant(until, end=True)
    if first and last and first > last:
        raise UsageError(f"{since!r} is after {until!r}", hint="since is the earlier time, until the later one")
    return first, last


def shown(stored: str, zone: tzinfo = HERE) -> str:
    """Return a stored RFC 3339 time as people here read it, `2026-11-28 14:03`; a text that is no time as it is."""
    try:
        moment = datetime.fromisoformat(stored)
        local = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(zone)
    except (ValueError, OverflowError):
        return stored
    return local.isoformat(" ", "minutes")[: len("2026-11-28 14:03")]


AGES = ((365 * 86_400, "year"), (30 * 86_400, "month"), (7 * 86_400, "week"), (86_400, "day"), (3600, "hour"))


def ago(stored: str, at: datetime | None = None) -> str:
    """Return how long ago a stored time was, such as `3 days ago`; "" for one to come, and for a text that is none."""
    try:
        moment = datetime.fromisoformat(stored)
        seconds = ((at or now()) - (moment if moment.tzinfo else moment.replace(tzinfo=UTC))).total_seconds()
    except (ValueError, OverflowError):
        return ""
    for unit_s, name in (*AGES, (60, "minute")):
        if seconds >= unit_s:
            count = int(seconds // unit_s)
            return f"{count} {name}{'s' * (count > 1)} ago"
    return "just now" if seconds >= 0 else ""


def dated(stored: str) -> str:
    """Return a stored time as people here read it, with its age behind it: `2026-11-28 14:03 (3 days ago)`."""
    age = ago(stored)
    return f"{shown(stored)} ({age})" if age else shown(stored)


def zone_name(at: datetime | None = None) -> str:
    """Return what times here are in, once for all of them: `CET (UTC+01:00)`, or `UTC`."""
    moment = at or now()
    offset = f"{moment:%z}"
    told = f"UTC{offset[:3]}:{offset[3:5]}"
    name = moment.tzname() or ""
    if told == "UTC+00:00":
        return "UTC" if name in {"UTC", ""} else f"{name} (UTC)"
    return f"{name} ({told})" if name and not name.startswith(("+", "-", "UTC")) else told
