"""A plan for several workers is what the times of a batch allow, and says what it assumes."""

from __future__ import annotations

import json
import pathlib

import pytest
from processes import Importer

from importer.bench.plan import CORES, BatchTimes, figures, measured, planned, text

TIMES = BatchTimes(model_s=4.0, store_s=0.1, daemon_s=0.01, chunks=256, tokens=40_000)


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (4, 1), (8, 2), (16, 4), (64, 16)])
def test_speed_stays_below_what_the_cores_can_do(cores: int, workers: int) -> None:
    """And comes near to it until the store or the daemon is busy all the time."""
    plan = planned(TIMES, cores)
    ideal = cores / (TIMES.model_s + TIMES.store_s + TIMES.daemon_s) * TIMES.tokens
    assert plan.workers == workers
    assert plan.tokens_per_s <= ideal * 1.001
    assert plan.tokens_per_s >= 0.6 * ideal


def test_a_slow_store_bounds_it() -> None:
    """However many workers embed, one writes."""
    slow = BatchTimes(4.0, 1.0, 0.01, 256, 40_000)
    plan = planned(slow, 64)
    assert plan.tokens_per_s <= 40_000
    assert plan.store == pytest.approx(1.0, abs=0.05)


def test_a_slow_daemon_bounds_it() -> None:
    """It reads and cuts for all of them."""
    assert planned(BatchTimes(4.0, 0.1, 0.5, 256, 40_000), 64).tokens_per_s <= 80_000


def test_the_assumptions_come_first() -> None:
    """With the times, and whether they were measured."""
    found = figures(TIMES, "measured here")
    assert [row["cores"] for row in found["store"]] == [row["cores"] for row in found["cluster"]] == [*CORES]
    lines = list(text(found))
    assert lines[0] == "Assumed:"
    assert lines[1].startswith("  measured here: a batch is 256 chunks")


def test_times_are_taken_from_receipts() -> None:
    """Batches that stored nothing say nothing; the model's time counts for each thread."""
    events = [{"embed_s": 2.0, "store_s": 0.2, "points": 100, "tokens": 900}, {"points": 0}]
    assert measured(events, 2, 0.5) == BatchTimes(4.0, 0.2, 0.5, 100, 900)
    assert measured(events[1:], 2, 0.5) is None


def test_nothing_is_measured_where_all_is_given(tmp_path: pathlib.Path) -> None:
    """The command prints one JSON object."""
    words = ("bench", "plan", "--model-s", "4", "--store-s", "0.1", "--daemon-s", "0.01", "--cores", "8", "--json")
    done = Importer(tmp_path).run(*words)
    assert done.code == 0, done.err
    assert json.loads(done.out)["store"][0]["workers"] == 2
