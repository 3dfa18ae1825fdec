"""History: curves and endings, bounded in every case."""

from __future__ import annotations

import pytest

from importer.state import history
from importer.state.checkpoints import Checkpoints
from importer.state.history import Moment, WorkerEnding


@pytest.fixture
def kept(tmp_path):
    with Checkpoints.open(str(tmp_path / "checkpoints.sqlite3")) as state:
        yield state.history


def test_moments_come_back_in_order_of_time(kept):
    """All of them since a time, with every number."""
    moments = [Moment(float(at), at, 2, 3, 4, 5, 6) for at in (10, 11, 12)]
    kept.measured(moments[1:])
    kept.measured(moments[:1])
    assert kept.curve() == moments
    assert kept.curve(since=11.0) == moments[2:]


def test_the_fine_ring_is_bounded(kept):
    """A second an hour later takes the place of the first, with any numbers."""
    slots = history.RINGS[history.FINE_S]
    kept.measured([Moment(float(at), 1000 - at % 7) for at in range(slots + 100)])
    curve = kept.curve()
    assert (len(curve), curve[0].at, curve[-1].at) == (slots, 100.0, slots + 99.0)
    assert curve[-1].worker_anon_bytes == 1000 - (slots + 99) % 7


def test_the_coarse_ring_keeps_the_worst_of_each_step(kept):
    """A peak of one second shows in the curve of a month; of free memory the least."""
    kept.measured(
        [Moment(600.0, 5, available_bytes=90), Moment(700.0, 80, available_bytes=10), Moment(800.0, 6, 0, 0, 0, 70)]
    )
    kept.measured([Moment(1300.0, 7, available_bytes=60)])
    steps = kept.curve(step_s=history.COARSE_S)
    assert [(m.at, m.worker_anon_bytes, m.available_bytes) for m in steps] == [(800.0, 80, 10), (1300.0, 7, 60)]


def test_endings_are_bounded_newest_first(kept):
    """Thousands of recycles keep the newest only."""
    with kept._database.transaction(durable=False) as connection:
        connection.execute("INSERT INTO recycles VALUES (5000, 0, 'old', 1, 1, 1, 1)")
        connection.execute("INSERT INTO recycles VALUES (?, 0, 'young', 1, 1, 1, 1)", (5001,))
        connection.execute("UPDATE recycles SET id = 5000 - ? WHERE reason = 'old'", (history.KEEP_RECYCLES,))
    newest = WorkerEnding(9.0, "rss", 42, 200, 900_000_000, 61.5)
    kept.ended(newest)
    assert [ending.reason for ending in kept.endings()] == ["rss", "young"]
    assert kept.endings(limit=1) == [newest]
