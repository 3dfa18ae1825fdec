"""Pure: a series of values over time as text, tall enough to see a slope in.

400 MB ┤      ▂▃▅▅
       │  ▁▄██████████
     0 └──────────────
        10:05    11:05
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MB = 1024 * 1024
BLOCKS = " ▁▂▃▄▅▆▇█"
PLAIN = " .:#"  # where the terminal has no block characters
LABEL_CHARS = 9  # "10,000 MB"

Point = tuple[float, float]  # (UTC seconds, value)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a chart shows: from when until when (UTC s), in how many columns and rows; `blocks` from empty to full."""

    since: float
    until: float
    columns: int
    rows: int = 6
    blocks: str = BLOCKS

    def column(self, at: float) -> int | None:
        """The column of a moment; None outside."""
        if not self.since <= at <= self.until or self.until <= self.since:
            return None
        return min(self.columns - 1, int((at - self.since) / (self.until - self.since) * self.columns))


def chart(points: Iterable[Point], frame: Frame) -> list[str]:
    """The lines of a chart with its axes; the highest value of each column counts, so that no peak is lost."""
    values = worst(points, frame)
    top = ceiling(max((value for value in values if value is not None), default=0.0))
    rows = [_row(values, frame, top, row) for row in range(frame.rows)]
    labels = [_label(top), *[""] * (frame.rows - 1)]
    joints = ["┤", *"│" * (frame.rows - 1)] if frame.blocks == BLOCKS else ["|"] * frame.rows
    drawn = [f"{label:>{LABEL_CHARS}} {joint}{row}" for label, joint, row in zip(labels, joints, rows, strict=True)]
    corner, line = ("└", "─") if frame.blocks == BLOCKS else ("+", "-")
    return [*(row.rstrip() for row in drawn), f"{'0':>{LABEL_CHARS}} {corner}{line * frame.columns}", _times(frame)]


def worst(points: Iterable[Point], frame: Frame) -> list[float | None]:
    """The largest value in each column; None where nothing was measured."""
    values: list[float | None] = [None] * frame.columns
    for at, value in points:
        column = frame.column(at)
        if column is not None:
            values[column] = max(value, values[column] or 0.0)
    return values


def marks(moments: Sequence[tuple[float, str]], frame: Frame) -> str:
    """One line below a chart: a letter where something happened; `*` where several different things did."""
    letters = [" "] * frame.columns
    for at, letter in moments:
        column = frame.column(at)
        if column is not None:
            letters[column] = letter if letters[column] in (" ", letter) else "*"
    return (" " * (LABEL_CHARS + 2) + "".join(letters)).rstrip()


def ceiling(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten megabytes that is not below `value` bytes."""
    step = float(MB)
    while True:
        for factor in (1, 2, 5):
            if value <= factor * step:
                return factor * step
        step *= 10


def _row(values: Sequence[float | None], frame: Frame, top: float, row: int) -> str:
    """One row of cells, the first one on top."""
    below = frame.rows - 1 - row
    return "".join(" " if value is None else _cell(value / top * frame.rows - below, frame.blocks) for value in values)


def _cell(fill: float, blocks: str) -> str:
    """The block for a cell that is filled to this part; the least value still shows.

    Below 0 the curve ends in a lower cell, above 1 it goes on in a higher one.
    """
    if fill <= 0:
        return blocks[0]
    return blocks[max(1, min(len(blocks) - 1, round(fill * (len(blocks) - 1))))]


def _label(top: float) -> str:
    """The value at the top of the axis, in megabytes."""
    return f"{top / MB:,.0f} MB"


def _times(frame: Frame) -> str:
    """The first and the last moment below the axis, as local time; with the day when it is long ago."""
    shape = "%H:%M" if frame.until - frame.since < 86_400 else "%d %b %H:%M"
    first, last = (time.strftime(shape, time.localtime(at)) for at in (frame.since, frame.until))
    gap = max(1, frame.columns - len(first) - len(last))
    return " " * (LABEL_CHARS + 2) + first + " " * gap + last
