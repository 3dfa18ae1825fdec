"""Pure: what a person types as a point in time becomes RFC 3339 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from importer.errors import UsageError

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def instant(text: str, *, end: bool = False) -> str:
    """RFC 3339 UTC of a date or time; "" stays "". A date means its first moment, or its last with `end`.

    A time without a zone is local time. What leads out of the years 1 to 9999 is their first or last moment: who asks
    that way means "from the beginning" or "whenever". Raises UsageError for what is no time.
    """
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"{text!r} is no date or time", hint="2026-03-01 or 2026-03-01T12:00:00Z") from error
    whole = timedelta(days=1, milliseconds=-1) if end and len(text.strip()) <= len("2026-03-01") else timedelta()
    try:
        utc = (moment + whole).astimezone(UTC)
    except (ValueError, OverflowError):  # the day after the last one, or a zone that leads out of the calendar
        utc = FIRST if moment.year == FIRST.year else LAST
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
