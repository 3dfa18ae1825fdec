"""A time as people write it becomes the span it means, in their own zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.protocol import moments
from importer.protocol.moments import FIRST, instant, read

EAST = timezone(timedelta(hours=2))
NOW = datetime(2026, 11, 29, 14, 3, 22, tzinfo=EAST)  # a Sunday
# with summers; with clocks that skip midnight, that repeat it, that once left out a whole day; far from Greenwich
ZONES = [
    *("UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Beirut", "America/Havana"),
    *("Pacific/Apia", "Pacific/Kiritimati", "Australia/Lord_Howe", "Asia/Kathmandu"),
]
moments_in_zones = st.builds(
    lambda at, name: at.replace(tzinfo=UTC).astimezone(ZoneInfo(name)),
    st.datetimes(datetime(2005, 1, 1), datetime(2036, 1, 1)),
    st.sampled_from(ZONES),
)


def days(text: str, now: datetime = NOW) -> tuple[str, str]:
    """Return the first and the last local day of a span that begins and ends with whole days."""
    span = read(text, now)
    assert span is not None, text
    first, last = span.first.astimezone(now.tzinfo), span.last.astimezone(now.tzinfo)
    assert (first.time().isoformat(), last.time().isoformat()) == ("00:00:00", "23:59:59.999999")
    return first.date().isoformat(), last.date().isoformat()


@pytest.mark.parametrize(
    ("texts", "first", "last"),
    [
        ("today|this day|0 days ago|0d|29.11.2026|sunday|on sunday|Nov 29|29 november", "2026-11-29", "2026-11-29"),
        ("yesterday|1d|1 day ago|a day ago|-1d|last day|Saturday|sat|20261128|2026/11/28", "2026-11-28", "2026-11-28"),
        ("tomorrow", "2026-11-30", "2026-11-30"),
        ("monday|mon|last monday|6d", "2026-11-23", "2026-11-23"),
        ("last sunday|7d|7 d|7 days ago|a week ago|one week ago|1w", "2026-11-22", "2026-11-22"),
        ("2 weeks ago|two weeks ago|2-weeks-ago|2w|14 days|1 week 7 days ago", "2026-11-15", "2026-11-15"),
        ("a month ago|1mo|1 month", "2026-10-29", "2026-10-29"),
        ("9 months ago", "2026-02-28", "2026-02-28"),
        ("a year ago|1y|12 months ago", "2025-11-29", "2025-11-29"),
        ("last week|Last-Week|previous week|2026-W47|2026W47", "2026-11-16", "2026-11-22"),
        ("this week", "2026-11-23", "2026-11-29"),
        ("past week|last 7 days|past seven days|the last 7 days", "2026-11-22", "2026-11-29"),
        ("past month|last 1 month", "2026-10-29", "2026-11-29"),
        (
            "last month|October|OCT|oct.|in october|2026-10|2026/10|last october|october 2026",
            "2026-10-01",
            "2026-10-31",
        ),
        ("this month|november", "2026-11-01", "2026-11-30"),
        ("december|dec 2025|december 2025", "2025-12-01", "2025-12-31"),
        ("last november", "2025-11-01", "2025-11-30"),
        ("february 2024|2024-02", "2024-02-01", "2024-02-29"),
        ("2025|last year", "2025-01-01", "2025-12-31"),
        ("this year", "2026-01-01", "2026-12-31"),
        ("3 october|October 3|oct 3rd|3rd Oct 2026|October 3, 2026|3.10.2026|2026-10-3", "2026-10-03", "2026-10-03"),
        ("dec 24|24. december", "2025-12-24", "2025-12-24"),
        ("2026-W47-3", "2026-11-18", "2026-11-18"),
    ],
)
def test_days(texts: str, first: str, last: str) -> None:
    """What names days means them whole, in the local zone; the newest that has begun, where there are many."""
    for text in texts.split("|"):
        assert days(text) == (first, last), text


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("now", "2026-11-29T12:03:22.000Z", "2026-11-29T12:03:22.000Z"),
        ("3h", "2026-11-29T09:03:22.000Z", "2026-11-29T09:03:22.000Z"),
        ("1.5 hours ago", "2026-11-29T10:33:22.000Z", "2026-11-29T10:33:22.000Z"),
        ("1h30m", "2026-11-29T10:33:22.000Z", "2026-11-29T10:33:22.000Z"),
        ("a day and an hour ago", "2026-11-28T11:03:22.000Z", "2026-11-28T11:03:22.000Z"),
        ("1 day 2 hours ago", "2026-11-28T10:03:22.000Z", "2026-11-28T10:03:22.000Z"),
        ("90 min", "2026-11-29T10:33:22.000Z", "2026-11-29T10:33:22.000Z"),
        ("an hour ago", "2026-11-29T11:03:22.000Z", "2026-11-29T11:03:22.000Z"),
        ("last hour", "2026-11-29T11:03:22.000Z", "2026-11-29T12:03:21.999999Z"),
        ("past 2 hours", "2026-11-29T10:03:22.000Z", "2026-11-29T12:03:21.999999Z"),
        ("14:00", "2026-11-29T12:00:00.000Z", "2026-11-29T12:00:59.999999Z"),
        ("yesterday 9am", "2026-11-28T07:00:00.000Z", "2026-11-28T07:00:59.999999Z"),
        ("monday at 18:30", "2026-11-23T16:30:00.000Z", "2026-11-23T16:30:59.999999Z"),
        ("oct 3 12:00:05", "2026-10-03T10:00:05.000Z", "2026-10-03T10:00:05.000Z"),
        ("12am", "2026-11-28T22:00:00.000Z", "2026-11-28T22:00:59.999999Z"),
        ("2026-10-03 12pm", "2026-10-03T10:00:00.000Z", "2026-10-03T10:00:59.999999Z"),
        ("2026-11-28 14:03", "2026-11-28T12:03:00.000Z", "2026-11-28T12:03:59.999999Z"),
        ("2026-11-28T14", "2026-11-28T12:00:00.000Z", "2026-11-28T12:59:59.999999Z"),
        ("2026-11-28T14:03:00Z", "2026-11-28T14:03:00.000Z", "2026-11-28T14:03:00.000Z"),
        ("2026-11-28t14:03:00.25z", "2026-11-28T14:03:00.250Z", "2026-11-28T14:03:00.250Z"),
        ("2026-11-28T14:03-03:00", "2026-11-28T17:03:00.000Z", "2026-11-28T17:03:59.999999Z"),
        ("2026-11-28 14:03 UTC", "2026-11-28T14:03:00.000Z", "2026-11-28T14:03:59.999999Z"),
        ("2026-11-28", "2026-11-27T22:00:00.000Z", "2026-11-28T21:59:59.999999Z"),
        ("", "", ""),
        # times beyond the calendar stand for "from the beginning" and "at any time": its first and last moment
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31", "9999-12-30T22:00:00.000Z", "9999-12-31T23:59:59.999Z"),
        ("9999-12", "9999-11-30T22:00:00.000Z", "9999-12-31T23:59:59.999Z"),
        ("9999", "9998-12-31T22:00:00.000Z", "9999-12-31T23:59:59.999Z"),
        ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ("9999-12-31T23:59-14:00", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ("99999999 days", "0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z"),
        ("3000 years ago", "0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z"),
        ("999999999h", "0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_moments(text: str, first: str | None, last: str | None) -> None:
    """Hours and less are exact; a time of day lasts as long as its last figure says; an own zone counts."""
    assert (instant(text, NOW), instant(text, NOW, end=True)) == (first, last)


NO_TIMES = [
    *(
        "blah",
        "5",
        "-",
        "d",
        "7",
        "13pm",
        "0am",
        "25:00",
        "24:00",
        "october 14:03",
        "february 30",
        "3 oct 4",
        "octo 14:",
    ),
    *("2026-13", "2026-00", "2026-02-30", "0000", "0000-01-01", "10000-01-01", "2026-10-03T25", "9999999999999d"),
    *(
        "1.5 months",
        "7 parsecs",
        "a",
        "ago",
        "ma",
        "mo",
        "last",
        "last blah",
        "7d 3",
        "noon o'clock",
        "\udcff",
        "² days",
    ),
]


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time(text: str) -> None:
    """What is no time is told as such, never taken for another."""
    assert instant(text, NOW) is None


@given(st.text(max_size=30), moments_in_zones)
def test_any_text(text: str, now: datetime) -> None:
    """Any text is a time or none; what it means begins before it ends."""
    span = read(text, now)
    assert span is None or span.first.astimezone(UTC) <= span.end.astimezone(UTC)


@given(moments_in_zones, st.integers(0, 40))
def test_a_day_that_is_shown_is_the_day_that_is_meant(at: datetime, later: int) -> None:
    """What was said is within the day, month and year that people see for it, and in no other day."""
    now = at + timedelta(days=later)
    day: date = at.date()
    back = (now.date() - day).days
    texts = [
        f"{day:%Y-%m-%d}",
        f"{day:%Y-%m}",
        f"{day:%Y}",
        f"{day:%d.%m.%Y}",
        f"{day:%B %d %Y}",
        f"{back} days ago",
        f"{back}d",
    ]
    texts += ["today"] * (back == 0) + ["yesterday"] * (back == 1) + [f"{day:%A}"] * (back < 7)
    for text in texts:
        span = read(text, now)
        assert span is not None
        assert span.first <= at.astimezone(UTC) <= span.last.astimezone(UTC), text
    beside = [read(f"{day + timedelta(days=step):%Y-%m-%d}", now) for step in (-1, 1)]
    assert not any(
        span is not None and span.first.astimezone(UTC) <= at <= span.last.astimezone(UTC) for span in beside
    )


@given(moments_in_zones)
def test_days_meet(now: datetime) -> None:
    """One day ends where the next begins, also when clocks change: nothing falls between them, nothing is in both."""
    for text, next_text in (
        ("yesterday", "today"),
        ("today", "tomorrow"),
        ("last week", "this week"),
        ("last month", "this month"),
    ):
        one, other = read(text, now), read(next_text, now)
        assert one is not None and other is not None
        assert one.end.astimezone(UTC) == other.first.astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "day", "shown_twice"),
    [
        ("America/Santiago", "2026-04-04", "2026-04-05T03:30:00.000Z"),
        ("Africa/Cairo", "2026-10-29", "2026-10-29T21:30:00.000Z"),
        ("Asia/Beirut", "2026-10-24", "2026-10-24T21:30:00.000Z"),
    ],
)
def test_a_day_whose_last_hour_comes_twice(zone: str, day: str, shown_twice: str) -> None:
    """The clock goes back at its end; what was said in the second of the two hours is of that day, too."""
    now = datetime(2026, 11, 29, 12, 0, tzinfo=ZoneInfo(zone))
    moment = datetime.fromisoformat(shown_twice).astimezone(ZoneInfo(zone))
    assert (moment.date().isoformat(), moment.hour) == (day, 23)
    last = instant(day, now, end=True)
    assert last is not None and shown_twice < last
    assert instant(f"{day} 23:59", now, end=True) == last


def test_the_first_moment_there_is() -> None:
    """A span before the calendar is its first moment."""
    assert read("5000 years ago", NOW) == moments.TimeSpan(FIRST, FIRST)
