"""The zone of this machine: what is typed and shown is local, what is stored is UTC."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.errors import UsageError
from importer.protocol import clock

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "America/Havana", "Asia/Kathmandu"]
moments = st.datetimes(datetime(2005, 1, 1), datetime(2036, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@contextmanager
def local(name: str) -> Iterator[None]:
    """Set the zone of this process."""
    former = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ") if former is None else os.environ.update(TZ=former)
        time.tzset()


@pytest.fixture
def east() -> Iterator[None]:
    """Set the zone to two hours east of Greenwich, by a rule in place of a name."""
    with local("XXX-2"):
        yield


@given(moments, st.sampled_from(ZONES))
def test_the_zone_of_the_machine_is_the_one_of_its_name(at: datetime, name: str) -> None:
    """Local times and offsets agree with the database of zones at any time, hours that come twice included."""
    with local(name):
        here, there = at.astimezone(clock.HERE), at.astimezone(ZoneInfo(name))
        assert (here.replace(tzinfo=None), here.fold) == (there.replace(tzinfo=None), there.fold)
        assert here.utcoffset() == there.utcoffset()
        assert here.astimezone(UTC) == at


@given(moments, st.sampled_from(ZONES))
def test_a_minute_that_is_shown_is_found_by_itself(at: datetime, name: str) -> None:
    """What was said is between the first and the last moment of the minute that a person is shown for it."""
    with local(name):
        shown = clock.shown(at.isoformat())
        first, last = clock.instant(shown), clock.instant(shown, end=True)
        assert datetime.fromisoformat(first) <= at <= datetime.fromisoformat(last)


@pytest.mark.usefixtures("east")
@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("2026-11-28T23:03:00.000Z", "2026-11-29 01:03"),
        ("2026-11-28T23:03:00+01:00", "2026-11-29 00:03"),
        ("2026-11-28T23:03:00", "2026-11-29 01:03"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("", ""),
        ("long ago", "long ago"),
    ],
)
def test_shown(stored: str, shown: str) -> None:
    """Show a stored time in the local zone to the minute; what is no time stays as it is."""
    assert clock.shown(stored) == shown


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("UTC", "UTC"),
        ("XXX-2", "XXX (UTC+02:00)"),
        ("<+0545>-5:45", "UTC+05:45"),
        ("YYY3:30", "YYY (UTC-03:30)"),
        ("GMT0", "GMT (UTC)"),
    ],
)
def test_the_zone_s_name(zone: str, told: str) -> None:
    """Tell the zone by its name, where it has one, and by its offset."""
    with local(zone):
        assert clock.zone_name() == told


@pytest.mark.usefixtures("east")
def test_now_is_now() -> None:
    """The present moment has the offset of the zone."""
    assert clock.now().utcoffset() == timedelta(hours=2)
    assert clock.instant("now") <= clock.instant("now", end=True)


@pytest.mark.parametrize("text", ["some day", "0000-01-01", "10000-01-01", "2026-02-30", "25:00", "\udcff", "-", "7x"])
@pytest.mark.parametrize("ask", [clock.instant, lambda text: clock.instant(text, end=True)])
def test_what_is_no_time(text: str, ask: Callable[[str], str]) -> None:
    """A text that is no time is refused with examples."""
    with pytest.raises(UsageError, match="is no date or time") as caught:
        ask(text)
    assert "2026-03-01" in caught.value.hint
    assert "yesterday" in caught.value.hint


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        ("2026-11-28T12:00:00Z", "just now"),
        ("2026-11-28T11:58:59Z", "1 minute ago"),
        ("2026-11-25T11:00:00Z", "3 days ago"),
        ("2026-11-14T12:00:00+00:00", "2 weeks ago"),
        ("2024-11-14T12:00:00", "2 years ago"),
        ("2026-11-28T12:00:01Z", ""),
        ("once upon a time", ""),
    ],
)
def test_how_long_ago(stored: str, told: str) -> None:
    """In the largest unit that fits; nothing of the future, nor of what is no time."""
    assert clock.ago(stored, datetime(2026, 11, 28, 12, tzinfo=UTC)) == told
