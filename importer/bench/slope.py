"""Pure: does something grow with the number of files?"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

Points = Sequence[tuple[float, float]]  # (files imported by then, bytes)
FILES = 1_000


def per_thousand_files(points: Points) -> float:
    """Bytes more per 1,000 files over the second half: the median of its last half above that of its first.

    The first half is left out, for caches and the largest shapes are filled there; medians pass over a peak and over
    the short time in which a fresh worker is small. 0.0 for fewer than eight points.
    """
    last = second_half(points)
    if len(points) < 8:  # halves of a half, with two points each
        return 0.0
    early, late = last[: len(last) // 2], last[len(last) // 2 :]
    files = median(at for at, _ in late) - median(at for at, _ in early)
    return (_level(late) - _level(early)) / files * FILES if files > 0 else 0.0


def flatness(points: Points) -> float:
    """The median of the last quarter as a share of the first's; 1.0 where there is nothing to compare."""
    ordered = sorted(points)
    quarter = len(ordered) // 4
    return _level(ordered[-quarter:]) / _level(ordered[:quarter]) if quarter else 1.0


def second_half(points: Points) -> Points:
    """From half of the files on."""
    ordered = sorted(points)
    middle = (ordered[0][0] + ordered[-1][0]) / 2 if ordered else 0.0
    return [point for point in ordered if point[0] >= middle]


def _level(points: Points) -> float:
    """The median of the bytes, which a single peak does not move."""
    return median(value for _, value in points)
