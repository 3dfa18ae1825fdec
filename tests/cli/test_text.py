"""Numbers are written for people, and an unknown number is written as unknown."""

from __future__ import annotations

from typing import Any

import pytest

from importer.cli import text as words


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (2048, "2.0 kB"),
        (331 << 20, "331 MB"),
        (5 << 30, "5.0 GB"),
        (None, "unknown"),
    ],
)
def test_sizes(value: Any, shown: str) -> None:
    """A size has one to four digits and a unit."""
    assert words.size(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (0.26, "0.3 s"),
        (59, "59 s"),
        (90, "1 min"),
        (3700, "1 h 1 min"),
        (7200, "2 h"),
        (27_569_777, "319 d 2 h"),
        (None, "unknown"),
    ],
)
def test_durations(seconds: float | None, shown: str) -> None:
    """A duration is written in its two largest units."""
    assert words.duration(seconds) == shown


@pytest.mark.parametrize(("value", "shown"), [(1234567, "1,234,567"), (3.25, "3.2"), (2.0, "2"), (None, "unknown")])
def test_numbers(value: Any, shown: str) -> None:
    """Thousands are set apart; only small numbers have a fraction."""
    assert words.number(value) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("one line", "one line"),
        (
            "it last said: Traceback (most recent call last):\n  File x\nImportError: no y\n",
            "it last said: ImportError: no y",
        ),
    ],
)
def test_a_reason_is_one_line(text: str, shown: str) -> None:
    """Of a traceback the last line is kept, which says what happened."""
    assert words.brief(text) == shown


@pytest.mark.parametrize("text", ["kiln", "窯が割れた", "e\u0301 accents", "👩 ok", ""])
def test_what_fits_a_terminal(text: str) -> None:
    """Ideographs take two columns; a text is cut so that its mark fits, and padded to the column."""
    for room in range(1, 14):
        assert words.columns(words.fitted(text, room)) == room
        assert words.columns(words.cut(text, room)) <= room
    assert words.cut(text, 40) == text
    assert words.columns("窯") == 2
