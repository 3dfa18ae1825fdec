"""A time as users type it becomes RFC 3339 in UTC, or an error that shows how to write it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from importer.cli.text import instant
from importer.errors import UsageError


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the local time zone to two hours east of Greenwich."""
    monkeypatch.setenv("TZ", "XXX-2")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "end", "moment"),
    [
        ("", True, ""),
        ("2026-03-01", False, "2026-02-28T22:00:00.000Z"),
        ("2026-03-01", True, "2026-03-01T21:59:59.999Z"),
        ("2026-03-01T12:00:00Z", True, "2026-03-01T12:00:00.000Z"),
        ("2026-03-01T12:00:00", False, "2026-03-01T10:00:00.000Z"),
        # times beyond the calendar stand for "from the beginning" and "at any time": its first and last moment
        ("0001-01-01", False, "0001-01-01T00:00:00.000Z"),
        ("0001-01-01", True, "0001-01-01T00:00:00.000Z"),
        ("0001-01-01T00:00:00+14:00", False, "0001-01-01T00:00:00.000Z"),
        ("9999-12-31", True, "9999-12-31T23:59:59.999Z"),
        ("9999-12-31T23:59:59-14:00", True, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_dates_and_times(text: str, end: bool, moment: str) -> None:
    """Without a zone it is local time; a date is its first moment, or its last."""
    assert instant(text, end=end) == moment


@pytest.mark.parametrize("text", ["yesterday", "0000-01-01", "10000-01-01", "\udcff"])
def test_what_is_no_time(text: str) -> None:
    """A text that is no time is refused with an example."""
    with pytest.raises(UsageError, match="is no date or time") as caught:
        instant(text)
    assert "2026-03-01" in caught.value.hint
