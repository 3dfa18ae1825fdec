"""Charts in text: no peak is lost, the axis ends at a round number, and times without a sample stay empty."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.cli.memory import memory_chart
from importer.cli.memory.memory_chart import PLAIN, Frame
from importer.protocol.units import MB

FRAME = Frame(0.0, 100.0, columns=10, rows=4)


def test_the_worst_of_each_column_counts() -> None:
    """A peak of one second shows, even if its column covers many calm seconds."""
    points = [(at, 10.0) for at in range(0, 100, 2)] + [(55.5, 99.0)]
    assert memory_chart.worst(points, FRAME) == [10.0] * 5 + [99.0] + [10.0] * 4


def test_gaps_stay_gaps() -> None:
    """For times without a worker the chart is empty."""
    values = memory_chart.worst([(5, 1.0), (95, 2.0), (200, 9.0), (-1, 9.0)], FRAME)
    assert values == [1.0, *[None] * 8, 2.0]


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (0.9, 1), (1.5, 2), (3, 5), (331, 500), (500, 500), (501, 1000), (2300, 5000)]
)
def test_the_top_is_a_round_number(value: Any, top: Any) -> None:
    """In megabytes it is the next 1, 2 or 5 followed by zeros."""
    assert memory_chart.ceiling(value * MB) == top * MB


def test_a_chart_has_its_axes() -> None:
    """Each row is drawn, the top is labelled, zero is below, and both ends have their times."""
    lines = memory_chart.chart([(at, at * MB) for at in range(101)], FRAME)
    assert [line[:11] for line in lines[:2]] == ["   100 MB ┤", "          │"]
    assert lines[3][13:] == "████████"
    assert lines[4] == "        0 └" + "─" * 10
    assert len(lines) == FRAME.rows + 2


def test_a_slope_is_seen() -> None:
    """Higher values fill more cells."""
    lines = memory_chart.chart([(at, at * MB) for at in range(101)], FRAME)
    filled = [sum(line[11 + column : 12 + column] not in ("", " ") for line in lines[:4]) for column in range(10)]
    assert filled == sorted(filled)
    assert filled[0] == 1
    assert filled[-1] == 4


def test_plain_terminals_get_plain_letters() -> None:
    """Only ASCII is printed where the output cannot carry more."""
    lines = memory_chart.chart([(50, 9 * MB)], Frame(0, 100, 10, 3, PLAIN))
    assert all(line.isascii() for line in lines)
    assert "#" in "".join(lines)


def test_marks_stand_below_their_moment() -> None:
    """Each mark is one letter below its column; several different marks in one column are a star."""
    line = memory_chart.marks([(5, "f"), (6, "f"), (55, "X"), (56, "i"), (300, "f")], FRAME)
    assert line == " " * 11 + "f    *"


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 5e10)), max_size=30), st.integers(1, 50), st.integers(1, 9))
def test_any_series_can_be_drawn(points: Any, columns: Any, rows: Any) -> None:
    """No series raises an error or gives a line wider than the frame."""
    lines = memory_chart.chart(points, Frame(0.0, 100.0, columns, rows))
    assert all(len(line) <= columns + 11 for line in lines[: rows + 1])
