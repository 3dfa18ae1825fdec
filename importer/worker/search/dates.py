"""Pure: the days, months and years that a question names, and how well a time fits them.

Named are days ("8 May 2023", "May 8th", "2023-05-08", "yesterday", "three days ago", "on Monday"), months ("in May",
"June 2023", "last month"), weeks and years. "may", "march" and three-letter forms count only beside a day, a year or a
word such as "in", for they are words themselves. Grades and days of grace were chosen on LoCoMo (RANKING study, 1):
0.3 u for a year alone, and nothing changed for days of grace between 0 and 31. Parsing takes about 20 µs a question.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

MOST_CHARS, MOST_DATES = 2_000, 6  # of a question; what is pasted may be long
BLANK = "\n"  # stands where a date was
YEARS_BACK = 12  # a date without a year is looked for in so many
MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
SHORT = {name[:3]: number for name, number in MONTHS.items()} | {"sept": 9}
DAYS = {name.lower(): number for number, name in enumerate(calendar.day_name)}
_COUNTED = "one two three four five six seven eight nine ten eleven twelve"
NUMBERS = {word: n for n, word in enumerate(_COUNTED.split(), 1)} | {"a": 1, "an": 1, "couple": 2, "few": 3}

_LONG = "|".join(name for name in MONTHS if name not in {"may", "march"})
_ANY = "|".join(sorted({*MONTHS, *SHORT}, key=len, reverse=True))
_DAY, _YEAR = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?", r"(?P<year>(?:19[89]|20[0-3])\d)"
_BEFORE = r"\b(?:in|on|of|during|early|late|mid|by|since|until|before|after|around|from|to|last|this)[\s-]+"
_UNIT = r"(?P<unit>day|week|month|year)"


@dataclass(frozen=True, slots=True)
class Named:
    """A stretch of days, both ends included, and how well times in and around it fit; `any_year` leaves its year open.

    Within it a time fits by `grade`; up to `near` days later by 0.8; from `before` days earlier to `after` later by
    0.5.
    """

    first: date
    last: date
    grade: float = 1.0
    near: int = 0
    before: int = 0
    after: int = 0
    any_year: bool = False


def named(text: str, today: date) -> tuple[Named, ...]:
    """Return what a question names, at most `MOST_DATES`; each stretch of the text is read once, days before months."""
    return tuple(dict.fromkeys(_read(text, today)[0]))[:MOST_DATES]


def undated(text: str, today: date) -> str:
    """Return a question without the dates that it names: what is asked for beside the time."""
    rest = _read(text, today)[1]
    if len(rest) != len(text[:MOST_CHARS]):  # small letters of some scripts are longer
        return rest + text[MOST_CHARS:]
    return "".join(one if left != BLANK else " " for one, left in zip(text, rest, strict=False)) + text[MOST_CHARS:]


def _read(text: str, today: date) -> tuple[list[Named], str]:
    """Return the dates of a question and what is left of it in small letters, dates as so many `BLANK`."""
    rest, found = text[:MOST_CHARS].lower(), list[Named]()
    for pattern, meaning in _MEANINGS:
        taken = []
        for match in pattern.finditer(rest):
            if (one := meaning(match, today)) is not None:
                found.append(one)
                taken.append(match.span())
        for start, end in taken:
            rest = rest[:start] + BLANK * (end - start) + rest[end:]
    return found, rest


def fit(at: str, dates: Iterable[Named]) -> float:
    """Return how well a time (RFC 3339) fits the best of the dates, from 0 to 1; 0 for a time that is none."""
    try:
        day = date.fromisoformat(at[:10])
    except ValueError:
        return 0.0
    return max((_grade(day, one) for whole in dates for one in _in_year_of(whole, day)), default=0.0)


def times(dates: Sequence[Named], today: date) -> tuple[tuple[str, str], ...]:
    """Return the stretches of time in which something can fit, as RFC 3339; for an open year one of each year."""
    spans = [one for whole in dates for one in (_years(whole, today) if whole.any_year else (whole,))]
    return tuple(
        (f"{_moved(one.first, -one.before)}T00:00:00Z", f"{_moved(one.last, max(one.near, one.after))}T23:59:59Z")
        for one in spans
    )


def _grade(day: date, one: Named) -> float:
    """Return how well a day fits."""
    if one.first <= day <= one.last:
        return one.grade
    later = (day - one.last).days
    if 0 < later <= one.near:
        return 0.8
    return 0.5 if 0 < later <= one.after or 0 < (one.first - day).days <= one.before else 0.0


def _in_year_of(whole: Named, day: date) -> Iterator[Named]:
    """Yield a date as it is, or with an open year those of the day's year and its neighbours."""
    if not whole.any_year:
        yield whole
        return
    for year in (day.year - 1, day.year, day.year + 1):
        if (one := _placed(whole, year)) is not None:
            yield one


def _years(whole: Named, today: date) -> Iterator[Named]:
    """Yield a date of open year in each year that is looked at, the newest first."""
    for year in range(today.year, today.year - YEARS_BACK - 1, -1):
        if (one := _placed(whole, year)) is not None:
            yield one


def _placed(whole: Named, year: int) -> Named | None:
    """Return a date of open year in a year, None for a 29 February that it does not have."""
    try:
        month = whole.first.day == 1 and whole.last.day > 1
        one = _month(year, whole.first.month) if month else _day(date(year, whole.first.month, whole.first.day))
    except ValueError:
        return None
    return one


def _day(day: date, *, any_year: bool = False) -> Named:
    """Return a day: people tell of it on the days after."""
    return Named(day, day, near=3, before=1, after=14, any_year=any_year)


def _week(first: date) -> Named:
    """Return seven days."""
    return Named(first, _moved(first, 6), near=1, before=1, after=7)


def _month(year: int, month: int, *, any_year: bool = False) -> Named:
    """Return a whole month. Raises ValueError for a year that no calendar has."""
    return Named(
        date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]), after=10, any_year=any_year
    )


def _year(year: int) -> Named:
    """Return a whole year, which says little."""
    return Named(date(year, 1, 1), date(year, 12, 31), grade=0.3)


def _moved(day: date, days: int) -> date:
    """Return the day so many days later, or the calendar's end."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min


def _of_month(match: re.Match[str], today: date) -> Named | None:
    """Return the day or month that a match names by a word; "may" alone was not matched."""
    parts = match.groupdict()
    word = parts["month"]
    month, year = MONTHS.get(word) or SHORT[word], int(parts.get("year") or 0)
    try:
        if parts.get("day"):
            # 2024 was a leap year, so that 29 February is a day of some year
            return _day(date(year or 2024, month, int(parts["day"])), any_year=not year)
        return _month(year or 2024, month, any_year=not year)
    except ValueError:
        return None


def _written(match: re.Match[str], today: date) -> Named | None:
    """Return a date written in numbers."""
    try:
        if match["day"] is None:
            return _month(int(match["year"]), int(match["number"]))
        return _day(date(int(match["year"]), int(match["number"]), int(match["day"])))
    except ValueError:
        return None


def _ago(match: re.Match[str], today: date) -> Named | None:
    """Return what lies so many days, weeks, months or years back."""
    count = int(match["count"]) if match["count"].isdecimal() else NUMBERS[match["count"]]
    return _back(min(count, 1_000), match["unit"], today)


def _back(count: int, unit: str, today: date) -> Named:
    """Return the day, week, month or year that lies `count` of them before today's."""
    if unit == "day":
        return _day(_moved(today, -count))
    if unit == "week":
        return _week(_moved(today, -today.weekday() - 7 * count))
    if unit == "month":
        months = max(12, today.year * 12 + today.month - 1 - count)
        return _month(months // 12, months % 12 + 1)
    return _year(max(1, today.year - count))


def _relative(match: re.Match[str], today: date) -> Named | None:
    """Return today, yesterday, this or the last week, month or year, or the last such day of the week."""
    word = match["word"]
    if word in {"today", "yesterday"}:
        return _day(_moved(today, -(word == "yesterday")))
    if word in DAYS:
        return _day(_moved(today, -((today.weekday() - DAYS[word]) % 7 or 7)))
    return _back(int(match["which"] != "this"), word, today)


_MEANINGS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], Named | None]], ...] = tuple(
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (rf"(?<![\w.-]){_YEAR}[-/](?P<number>\d\d)(?:[-/](?P<day>\d\d))?(?![\w-])", _written),
        (rf"(?<![\w.-])(?P<day>\d{{1,2}})\.(?P<number>\d{{1,2}})\.{_YEAR}(?!\w)", _written),
        (rf"\b{_DAY}\s+(?:of\s+)?(?P<month>{_ANY})\b\.?(?:,?\s+{_YEAR}\b)?", _of_month),
        (rf"\b(?P<month>{_ANY})\b\.?\s+{_DAY}\b(?!:)(?:,?\s+{_YEAR}\b)?", _of_month),
        (rf"\b(?P<month>{_ANY})\b\.?,?\s+(?:of\s+)?{_YEAR}\b", _of_month),
        (rf"{_BEFORE}(?:the\s+)?(?P<month>{_ANY})\b", _of_month),
        (rf"\b(?P<month>{_LONG})\b", _of_month),
        (rf"\b(?P<count>\d{{1,4}}|{'|'.join(NUMBERS)})\s+(?:of\s+)?{_UNIT}s?\s+ago\b", _ago),
        (r"\b(?P<word>today|yesterday)\b", _relative),
        (rf"\b(?:on|last)\s+(?P<word>{'|'.join(DAYS)})\b", _relative),
        (r"\b(?P<which>this|last|past|previous)\s+(?P<word>week|month|year)\b", _relative),
        (rf"(?<![\w./-]){_YEAR}(?![\w/-]|\.\d)", lambda match, _today: _year(int(match["year"]))),
    )
)
