"""Read times as people write them (pure): a text, the present moment and its zone give a span of time.

    now, today, yesterday, 14:03, yesterday 9am        3h, 90 min, 7d, 2 weeks ago, a month ago, last 3 days
    monday, last friday                                this week, last week, past month, last year
    October, oct 2025, 3 October, Oct 3 2025           2026, 2026-10, 2026-10-03, 2026-W40, 3.10.2026
    2026-10-03 14:03, 2026-10-03T14:03:00Z, 2026-10-03T14:03+02:00

Everything without a zone is in that of `now`, and a day is a whole day there: the days that people are shown. A span of
days, weeks, months or years back is the whole day that lies so far back; hours and less are exact. A name of a day or a
month means the newest that has begun.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

EXAMPLES = (
    "today, yesterday, monday, 7d, 3h, '2 weeks ago', 'last week', October, 2026-03, 2026-03-01, '2026-03-01 14:30'"
)
FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(microsecond=999_000, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)

_MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september"]
_MONTHS += ["october", "november", "december"]
_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
_NUMBERS |= {"nine": 9, "ten": 10, "eleven": 11, "twelve": 12}
_SECONDS = {"s": 1, "min": 60, "h": 3600}
_DAYS = {"d": 1, "w": 7}
_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), "w"),
    **dict.fromkeys(("mo", "mos", "month", "months"), "mo"),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), "y"),
}
_WORDS = "|".join(sorted(_NUMBERS, key=len, reverse=True))
_COUNT = rf"(?:(?P<count>\d{{1,9}}(?:\.\d{{1,3}})?) ?|(?<![a-z])(?P<word>{_WORDS}) )"
_AMOUNT = re.compile(rf"(?<![\d.]){_COUNT}(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![a-z])")
_CLOCK = re.compile(r"(?:^| )(?:at )?(\d{1,2})(?::(\d\d)(?::(\d\d))?)? ?(am|pm)?$")
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(?P<rest>[a-z]*)\.?"
_DATED = re.compile(
    rf"(?:(?P<before>\d{{1,2}})(?:st|nd|rd|th|\.)? )?{_MONTH}"
    r"(?: (?P<after>\d{1,2})(?:st|nd|rd|th)?)?,?(?: (?P<year>\d{4}))?"
)
_ZONE = re.compile(r"(?:Z|[+-]\d\d(?::?\d\d){0,2})$")


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A span of time from `first` to just before `end`, both with a zone; a moment, when they are equal."""

    first: datetime
    end: datetime

    @property
    def last(self) -> datetime:
        """The last moment, to the microsecond, which is what stores compare to; of hours that come twice the second."""
        if self.end is LAST or self.end is self.first:
            return self.end
        try:
            return (self.end.astimezone(UTC) - MICROSECOND).astimezone(self.end.tzinfo)
        except (ValueError, OverflowError):  # beyond the calendar in UTC
            return self.end - MICROSECOND


def instant(text: str, now: datetime, *, end: bool = False) -> str | None:
    """Return a written time as RFC 3339 UTC: the first moment of its span, or the last with `end`.

    `now` has the zone that is meant. "" stays "", None says that the text is no time. A time outside the years 1 to
    9999 becomes their first or last moment, for it means "from the beginning" or "without an end".
    """
    if not text:
        return ""
    span = read(text, now)
    if span is None:
        return None
    return rfc3339(span.last if end else span.first)


def rfc3339(moment: datetime) -> str:
    """Return a moment with a zone as text in UTC, one of the calendar's ends for a moment beyond them."""
    try:
        utc = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        utc = FIRST if moment.year == FIRST.year else LAST
    precision = "microseconds" if utc.microsecond % 1000 else "milliseconds"
    return utc.isoformat(timespec=precision).replace("+00:00", "Z")


def read(text: str, now: datetime) -> TimeSpan | None:
    """Return the span that a text means, None for a text that is no time."""
    written = " ".join(text.split())
    words = re.sub(r"(?<=[a-z\d])[-_](?=[a-z])|(?<=[a-z])[-_](?=\d)", " ", written.casefold())
    for reader in _READERS:
        try:
            found = reader(written.upper() if reader in _AS_WRITTEN else words, now)
        except OverflowError:  # so far back that there is no calendar
            return TimeSpan(FIRST, FIRST)
        except ValueError:  # such as 30 February
            return None
        if found is not None:
            return found
    return None


def _days(first: date, behind: date | None, now: datetime) -> TimeSpan:
    """Return the whole local days from `first` to before `behind`, None for the end of the calendar."""
    return TimeSpan(_midnight(first, now), LAST if behind is None else _midnight(behind, now))


def _day(day: date, now: datetime) -> TimeSpan:
    """Return one whole local day."""
    return _days(day, day + DAY if day < date.max else None, now)


def _midnight(day: date, now: datetime) -> datetime:
    """Return the first moment of a local day; where clocks skip midnight, that is the moment they skip at."""
    return datetime.combine(day, time(), now.tzinfo)


def _month(year: int, month: int, now: datetime) -> TimeSpan:
    """Return a whole month."""
    first = date(year, month, 1)
    return _days(first, None if (year, month) == (date.max.year, 12) else _first_of_month(first, 1), now)


def _first_of_month(day: date, later: int) -> date:
    """Return the first day of the month `later` months behind that of a day. Raises OverflowError before the year 1."""
    months = day.year * 12 + day.month - 1 + later
    if months < 12:
        raise OverflowError
    return date(months // 12, months % 12 + 1, 1)


def _year(year: int, now: datetime) -> TimeSpan:
    """Return a whole year."""
    return _days(date(year, 1, 1), date(year + 1, 1, 1) if year < date.max.year else None, now)


def _numeric(text: str, now: datetime) -> TimeSpan | None:
    """Read a year, a month or a day in figures: 2026, 2026-10, 2026/10/3, 3.10.2026."""
    if re.fullmatch(r"\d{4}", text):
        return _year(int(text), now)
    if found := re.fullmatch(r"(\d{4})[-/](\d{1,2})", text):
        return _month(int(found[1]), int(found[2]), now)
    if found := re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", text):
        return _day(date(int(found[1]), int(found[2]), int(found[3])), now)
    if found := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text):
        return _day(date(int(found[3]), int(found[2]), int(found[1])), now)
    return None


def _iso(text: str, now: datetime) -> TimeSpan | None:
    """Read ISO 8601 as Python does: a date, a week, a time with or without its zone; `2026-03-01 14:03 UTC`, too."""
    text = re.sub(r" ?(UTC|GMT)$", "Z", text)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        return _week(day, now) if re.fullmatch(r"\d{4}-?W\d\d", text) else _day(day, now)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
    digits = len(re.sub(r"\D", "", _ZONE.sub("", text[10:]) if "-" in text[:8] else ""))
    length = {2: timedelta(hours=1), 4: timedelta(minutes=1)}.get(digits)
    return _while(moment, length) if length else TimeSpan(moment, moment)


def _while(first: datetime, length: timedelta) -> TimeSpan:
    """Return the span of a clock's reading that lasts so long; it is both of them in the hour that comes twice."""
    try:
        end = max(first.astimezone(UTC), first.replace(fold=1).astimezone(UTC)) + length
    except (ValueError, OverflowError):
        end = LAST if first.year == LAST.year else FIRST
    return TimeSpan(first, end)


def _week(monday: date, now: datetime) -> TimeSpan:
    """Return a whole week."""
    return _days(monday, monday + 7 * DAY if (date.max - monday).days >= 7 else None, now)


def _back(text: str, now: datetime) -> TimeSpan | None:
    """Read how long ago: 3h, 7d, 2 weeks ago; and a span up to now: last 3 days, past week."""
    text = text.removeprefix("-").removesuffix(" ago")
    rolling = re.match(r"(?:the )?(?:last|past) (?=\d|[a-z]+ )|(?:the )?past ", text)
    text = text[rolling.end() :] if rolling else text
    text = f"a {text}" if rolling and text in _UNITS else text
    counted = [(float(m["count"] or _NUMBERS[m["word"]]), _UNITS[m["unit"]]) for m in _AMOUNT.finditer(text)]
    if not counted or not {*_AMOUNT.sub("", text).replace(",", " ").split()} <= {"and"}:
        return None
    then = _subtract(counted, now)
    if then is None:
        return None
    exact = any(unit in _SECONDS for _, unit in counted)
    if rolling:
        return TimeSpan(then if exact else _midnight(then.date(), now), now if exact else _day(now.date(), now).end)
    return TimeSpan(then, then) if exact else _day(then.date(), now)


def _subtract(counted: list[tuple[float, str]], now: datetime) -> datetime | None:
    """Return the moment so much before now, None for a part of a month; days are local ones, hours are exact."""
    months = sum(count * {"mo": 1, "y": 12}.get(unit, 0) for count, unit in counted)
    days = sum(count * _DAYS.get(unit, 0) for count, unit in counted)
    seconds = sum(count * _SECONDS.get(unit, 0) for count, unit in counted)
    if months != int(months):
        return None
    first = _first_of_month(now.date(), -int(months))
    last = (_first_of_month(first, 1) - DAY).day
    then = now.replace(year=first.year, month=first.month, day=min(now.day, last)) if months else now
    then -= timedelta(days=int(days))  # in local time: the same time of another day
    back = timedelta(seconds=seconds, days=days - int(days))
    return (then.astimezone(UTC) - back).astimezone(now.tzinfo) if back else then


def _stretch(text: str, now: datetime) -> TimeSpan | None:
    """Read this or last week, month and year, as the calendar has them; last hour is the sixty minutes before now."""
    found = re.fullmatch(r"(?:the )?(this|current|last|previous) (day|week|month|year|hour)", text)
    if not found:
        return None
    today, ago = now.date(), 1 if found[1] in {"last", "previous"} else 0
    if found[2] == "hour":
        return TimeSpan((now.astimezone(UTC) - timedelta(hours=1)).astimezone(now.tzinfo), now)
    if found[2] == "day":
        return _day(today - ago * DAY, now)
    if found[2] == "week":
        return _week(today - timedelta(days=today.weekday() + 7 * ago), now)
    if found[2] == "month":
        first = _first_of_month(today, -ago)
        return _month(first.year, first.month, now)
    return _year(today.year - ago, now)


def _named(text: str, now: datetime) -> TimeSpan | None:
    """Read a day by its name or its month, or a whole month by its name."""
    days = {"today": 0, "yesterday": -1, "tomorrow": 1}
    if text in days:
        return _day(now.date() + days[text] * DAY, now)
    text, last = text.removeprefix("on ").removeprefix("in ").removeprefix("last "), text.startswith("last ")
    for number, name in enumerate(_WEEKDAYS):
        if len(text) >= 3 and name.startswith(text):
            back = (now.weekday() - number) % 7 or (7 if last else 0)
            return _day(now.date() - back * DAY, now)
    found = _DATED.fullmatch(text)
    if not found or not any(name.startswith(found["month"] + found["rest"]) for name in _MONTHS):
        return None
    return _dated(found, now, last=last)


def _dated(found: re.Match[str], now: datetime, *, last: bool) -> TimeSpan | None:
    """Return the day or month of a match; without a year the newest that has begun, with `last` that is over."""
    month = next(at for at, name in enumerate(_MONTHS, 1) if name.startswith(found["month"]))
    day = int(found["before"] or found["after"] or 0)
    if found["before"] and found["after"]:
        return None
    here = (now.month, now.day) if day else (now.month,)
    there = (month, day) if day else (month,)
    year = int(found["year"] or now.year - (there > here or (last and there == here)))
    return _day(date(year, month, day), now) if day else _month(year, month, now)


def _clock(text: str, now: datetime) -> TimeSpan | None:
    """Read a time of day, alone or behind a day: 14:03, yesterday 9am, monday at 18:30."""
    if text == "now":
        return TimeSpan(now, now)
    found = _CLOCK.search(text)
    if not found or not (found[2] or found[4]):
        return None
    rest = text[: found.start()].strip(" ,")
    day = _numeric(rest, now) or _named(rest, now) if rest else _day(now.date(), now)
    if day is None or (rest and day.end.date() - day.first.date() > DAY):
        return None
    hour, minute, second = (int(part or 0) for part in found.group(1, 2, 3))
    if found[4]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[4] == "pm" else 0)
    first = datetime.combine(day.first.date(), time(hour, minute, second), now.tzinfo)
    return TimeSpan(first, first) if found[3] else _while(first, timedelta(minutes=1))


_AS_WRITTEN: tuple[Callable[[str, datetime], TimeSpan | None], ...] = (_numeric, _iso)
_READERS = (*_AS_WRITTEN, _back, _stretch, _named, _clock)
