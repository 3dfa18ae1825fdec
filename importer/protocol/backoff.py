"""How long to wait before the next try after failures in a row. Pure: no clock, no randomness."""

from __future__ import annotations

MOST_DOUBLINGS = 32  # no float overflows below it, and every cap in use is reached


def backoff_s(failures: int, *, first_s: float = 1.0, most_s: float = 60.0) -> float:
    """Return the seconds to wait after the n-th failure in a row: doubling from `first_s` to `most_s`, 0 after none."""
    if failures <= 0:
        return 0.0
    return min(most_s, first_s * 2.0 ** min(failures - 1, MOST_DOUBLINGS))
