"""A store that lost points since the last look is told until it is settled; what was forgotten is no loss."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from importer.consistency import baseline
from importer.protocol.wire import Ready
from importer.state.checkpoints import Checkpoints


@pytest.fixture
def checkpoints(tmp_path: pathlib.Path) -> Iterator[Checkpoints]:
    with Checkpoints.open(str(tmp_path / "checkpoints.sqlite3")) as found:
        yield found


def started(checkpoints: Checkpoints, points: int) -> tuple[int, int] | None:
    """Accept a worker that found so many points; return the loss that is told."""
    baseline.accept(checkpoints, Ready(1, points, "model/16/v1/birth", "edge"))
    return baseline.shrank(checkpoints)


def test_a_loss_is_told_until_it_is_settled(checkpoints: Checkpoints) -> None:
    """Some open ends may go at any time; a tenth of the store does not."""
    told = [started(checkpoints, points) for points in (100, 1000, 990, 1010, 400, 1000)]
    assert told == [None, None, None, None, (1000, 400), (1000, 400)]
    baseline.settle_size(checkpoints)
    assert started(checkpoints, 1000) is None


def test_what_was_forgotten_is_no_loss(checkpoints: Checkpoints) -> None:
    """Erasing settles the size before the next worker looks."""
    assert started(checkpoints, 1000) is None
    assert started(checkpoints, 1000) is None
    baseline.settle_size(checkpoints)
    assert started(checkpoints, 10) is None


def test_a_store_that_is_emptied_is_told(checkpoints: Checkpoints) -> None:
    """Under the same fingerprint, as after a restored snapshot that was taken early."""
    for points in (0, 0, 500, 0):
        found = started(checkpoints, points)
    assert found == (500, 0)
