"""Rates over the last minute, from running totals."""

from __future__ import annotations

from importer.delivery.progress import RateWindow, Run
from importer.protocol.records import Tally


def run(files: int) -> Run:
    return Run(files=files, points=10 * files, tokens=1000 * files, tally=Tally(lines_stored=files, bytes_stored=files))


def test_one_total_is_no_speed() -> None:
    """Nothing is made up before there is something to compare with."""
    window = RateWindow()
    assert window.rates() is None
    window.add(5.0, run(1))
    assert window.rates() is None
    window.add(5.0, run(2))
    assert window.rates() is None


def test_a_speed_is_what_was_done_by_the_time_it_took() -> None:
    """Totals are compared: how often they were noted does not matter."""
    window = RateWindow()
    for second, files in [(0, 0), (1, 7), (10, 20)]:
        window.add(float(second), run(files))
    rates = window.rates()
    assert (rates.over_s, rates.files_per_s, rates.chunks_per_s, rates.tokens_per_s) == (10.0, 2.0, 20.0, 2000.0)


def test_only_the_last_minute_counts() -> None:
    """What was done long ago says nothing about now, and nothing accumulates."""
    window = RateWindow(window_s=60)
    for second in range(1000):
        window.add(float(second), run(second if second < 500 else 500))
    assert window.rates().files_per_s == 0.0
    assert len(window._totals) == 61
