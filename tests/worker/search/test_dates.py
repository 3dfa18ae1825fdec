"""Dates that a question names: what is one, what is none, and how well a time fits it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.worker.search import dates

TODAY = date(2026, 11, 29)  # a Sunday


def spans(text: str) -> list[tuple[str, str]]:
    return [(str(one.first), str(one.last)) for one in dates.named(text, TODAY)]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("What did we do on 8 May 2023?", "2023-05-08", "2023-05-08"),
        ("the May 8th, 2023 outage", "2023-05-08", "2023-05-08"),
        ("the 8th of May 2023", "2023-05-08", "2023-05-08"),
        ("log of 2023-05-08", "2023-05-08", "2023-05-08"),
        ("am 08.05.2023", "2023-05-08", "2023-05-08"),
        ("on 31 February 2024", "2024-02-01", "2024-02-29"),
        ("what happened in May 2023", "2023-05-01", "2023-05-31"),
        ("release of 2023-02", "2023-02-01", "2023-02-28"),
        ("sept 2025", "2025-09-01", "2025-09-30"),
        ("back in 2024", "2024-01-01", "2024-12-31"),
        ("what did I ask yesterday", "2026-11-28", "2026-11-28"),
        ("three days ago", "2026-11-26", "2026-11-26"),
        ("what broke last week", "2026-11-16", "2026-11-22"),
        ("last month's bill", "2026-10-01", "2026-10-31"),
        ("a couple of months ago", "2026-09-01", "2026-09-30"),
        ("the meeting on Monday", "2026-11-23", "2026-11-23"),
    ],
)
def test_what_names_a_date(text: str, first: str, last: str) -> None:
    """Each is read once, as the most exact of what it could be."""
    assert spans(text) == [(first, last)]


@pytest.mark.parametrize(
    "text",
    [
        "it may be that we march on",
        "version 1.2023.4 and v2024-x",
        "the mar of the sun",
        "port 2048, exit 1900 times",
        "a decade ago",
        "",
    ],
)
def test_what_names_none(text: str) -> None:
    """Words that are also months need company; numbers that no calendar has are numbers."""
    assert spans(text) == []


@pytest.mark.parametrize(
    ("question", "at", "fits"),
    [
        ("8 May 2023", "2023-05-08T23:00:00Z", 1.0),
        ("8 May 2023", "2023-05-10T01:00:00Z", 0.8),
        ("8 May 2023", "2023-05-07T01:00:00Z", 0.5),
        ("8 May 2023", "2023-05-20T01:00:00Z", 0.5),
        ("8 May 2023", "2023-06-20T01:00:00Z", 0.0),
        ("8 May 2023", "2024-05-08T01:00:00Z", 0.0),
        ("8 May", "2024-05-08T01:00:00Z", 1.0),
        ("31 December", "2024-01-02T01:00:00Z", 0.8),
        ("in May 2023", "2023-05-31T01:00:00Z", 1.0),
        ("in May 2023", "2023-06-05T01:00:00Z", 0.5),
        ("in June", "2021-06-05T01:00:00Z", 1.0),
        ("in 2023", "2023-06-05T01:00:00Z", 0.3),
        ("in 2023", "", 0.0),
        ("in 2023", "no time", 0.0),
    ],
)
def test_how_well_a_time_fits(question: str, at: str, fits: float) -> None:
    """People tell of a day on the days after it; a year alone says little."""
    assert dates.fit(at, dates.named(question, TODAY)) == fits


@given(st.dates(date(2016, 1, 1), TODAY), st.sampled_from(["%d %B %Y", "%B %d, %Y", "%Y-%m-%d", "%d %B", "in %B %Y"]))
def test_all_that_fits_lies_in_the_times_asked_for(day: date, layout: str) -> None:
    """The filter loses nothing that would have counted."""
    named = dates.named(day.strftime(layout), TODAY)
    assert named
    for around in range(-30, 60):
        at = (day + timedelta(days=around)).isoformat() + "T12:00:00Z"
        if dates.fit(at, named) and at[:10] <= str(TODAY):
            assert any(since <= at <= until for since, until in dates.times(named, TODAY))


@given(st.text(max_size=300), st.dates())
def test_any_text_is_read(text: str, today: date) -> None:
    """Never an error, never more dates than are asked for."""
    named = dates.named(text, today)
    assert len(named) <= dates.MOST_DATES
    assert len(dates.times(named, today)) <= dates.MOST_DATES * (dates.YEARS_BACK + 1)


@pytest.mark.parametrize("text", ["1 may " * 10**5, "2023-" * 10**5, "last " * 10**5, "9" * 10**6])
def test_a_long_question_costs_no_more(text: str) -> None:
    """Only its beginning is read."""
    assert len(dates.named(text, TODAY)) <= dates.MOST_DATES


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("What did Ann cook on 8 May 2023?", "What did Ann cook on           ?"),
        ("no date at all", "no date at all"),
        ("İ in May 2023", "i̇ in \n\n\n\n\n\n\n\n"),
    ],
)
def test_a_question_without_its_dates(text: str, rest: str) -> None:
    """What is left keeps its capitals, unless small letters of its script are longer."""
    assert dates.undated(text, TODAY) == rest
