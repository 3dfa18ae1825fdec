"""Pure: what a person types as a point in time becomes RFC 3339 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from importer.errors import UsageError


def instant(text: str, *, end: bool = False) -> str:
    """RFC 3339 UTC of a date or time; "" stays "". A date means its first moment, or its last with `end`.

    A time without a zone is local time. Raises UsageError for what is no time.
    """
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"{text!r} is no date or time", hint="2026-03-01 or 2026-03-01T12:00:00Z") from error
    if end and len(text.strip()) <= len("2026-03-01"):
        moment += timedelta(days=1) - timedelta(milliseconds=1)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
