"""Draw curves over time and bars by day as SVG (pure): lines with a scale, the times at both ends, and names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from importer.protocol import clock
from importer.serve.html import Safe, join, tag

WIDTH, HEIGHT, LEFT, TOP, FOOT = 800, 200, 56, 14, 26
STEPS = (1, 2, 5, 10)  # of a scale, times a power of ten


class Curve(NamedTuple):
    """One curve: its name and `(UTC seconds, value)`."""

    name: str
    points: tuple[tuple[float, float], ...]


def curve(lines: Sequence[Curve], unit: str, none: str) -> Safe:
    """Return curves in one picture; `none` is said where nothing was measured."""
    shown = [line for line in lines if any(value for _, value in line.points)]
    times = [at for line in shown for at, _ in line.points]
    if len({*times}) < 2:
        return tag("p", none, class_="note")
    first, last = min(times), max(times)
    top = scale(max(value for line in shown for _, value in line.points))
    parts: list[Safe] = []
    for share in (0.0, 0.5, 1.0):
        y = _y(share)
        parts.append(tag("line", x1=LEFT, x2=WIDTH - 8, y1=y, y2=y, class_="grid"))
        parts.append(tag("text", f"{top * share:,.0f}", x=LEFT - 8, y=y + 4, text_anchor="end"))
    parts += [
        tag("polyline", points=_path(line, first, last, top), class_=f"line{number}")
        for number, line in enumerate(shown)
    ]
    foot = HEIGHT - 7
    parts.append(tag("text", _time(first), x=LEFT, y=foot))
    parts.append(tag("text", _time(last), x=WIDTH - 8, y=foot, text_anchor="end"))
    names = tag("figcaption", *(tag("span", f"{one.name}, {unit}", class_=f"line{n}") for n, one in enumerate(shown)))
    drawn = tag("svg", *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label="Memory over time")
    return tag("figure", drawn, names)


def _path(line: Curve, first: float, last: float, top: float) -> str:
    """Return the places of a curve's points."""
    wide = WIDTH - 8 - LEFT
    return " ".join(
        f"{LEFT + (at - first) / ((last - first) or 1) * wide:.1f},{_y(value / top):.1f}" for at, value in line.points
    )


def _y(share: float) -> float:
    """Return the height of a share of the scale."""
    return HEIGHT - FOOT - share * (HEIGHT - FOOT - TOP)


def _time(at: float) -> str:
    """Return a moment as people here read it."""
    return clock.shown(datetime.fromtimestamp(at, UTC).isoformat())


def scale(most: float) -> float:
    """Return the end of a scale that holds a value: 1, 2 or 5 times a power of ten."""
    power = 1.0
    while power * 10 < most:
        power *= 10
    return next(step * power for step in STEPS if step * power >= most)


def bars(counts: Sequence[tuple[str, int, str]]) -> Safe:
    """Return bars by day, as `(day, count, address)`, each of which leads to its day."""
    most, wide = max((count for _, count, _ in counts), default=1) or 1, WIDTH / max(1, len(counts))
    drawn = [
        tag(
            "a",
            tag("title", f"{day}: {count}"),
            tag("rect", x=f"{at * wide + 1:.1f}", y=f"{60 - 58 * count / most:.1f}", width=f"{max(1, wide - 2):.1f}",
                height=f"{58 * count / most:.1f}", rx=2),
            href=address,
        )
        for at, (day, count, address) in enumerate(counts)
    ]  # fmt: skip
    ends = [counts[0][0], counts[-1][0]] if counts else []
    told = tag("figcaption", *(tag("span", day) for day in ends), class_="ends")
    picture = tag("svg", join(drawn), viewBox=f"0 0 {WIDTH} 62", role="img", aria_label="Conversations by day")
    return tag("figure", picture, told, class_="days")
