"""Workers that only embed are judged one by one, against their share of the limit."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from idle_engine import hire, hire_beside, parts
from memory_samples import LIMITS, sample

from importer.delivery.policy import Recycle
from importer.memory.pool_guard import Beside, PoolGuard
from importer.memory.probes import ProcessMemory
from importer.protocol.units import MB
from importer.service.assembly import Parts
from importer.service.status import metrics, status

ONE, OTHER = 101, 102


class Told:
    """The pool of an engine, with what it is told to do noted; `taken` is the memory of each process in MB."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self.taken = {ONE: 300, OTHER: 310}
        self.done: list[tuple[Any, ...]] = []

    def supervisor(self, place: int) -> Any:
        return self.pool.supervisor(place)

    def retire(self, place: int, reason: Recycle, *, now: bool) -> None:
        self.done.append(("retire", place, str(reason), now))

    def trim(self, place: int) -> None:
        self.done.append(("trim", place))

    def process(self, pid: int) -> ProcessMemory | None:
        return ProcessMemory(self.taken[pid] * MB, 0, 100 * MB) if pid in self.taken else None


@pytest.fixture
def found(tmp_path: pathlib.Path) -> Iterator[Parts]:
    with ExitStack() as stack:
        yield parts(str(tmp_path), stack, **{"worker.count": 3})


@pytest.fixture
def told(found: Parts) -> Told:
    hire_beside(found.engine, 1, ONE)
    hire_beside(found.engine, 2, OTHER)
    return Told(found.engine._delivery.pool)


def look(found: Parts, told: Told, at_s: float = 20.0, **more: Any) -> Beside:
    guard = found.guard.beside or PoolGuard(told.pool, LIMITS)
    guard.pool, guard.probes, guard.thresholds, guard.clock = told, told, LIMITS, lambda: at_s  # type: ignore[assignment]
    return guard.look(found.engine.snapshot(), sample(at_s, **more))


def test_what_they_take_is_added_up(found: Parts, told: Told) -> None:
    """With the largest run that suits all; one that has just ended takes nothing."""
    assert look(found, told) == Beside(810 * MB, 610 * MB, LIMITS.budget_tokens)
    del told.taken[ONE]
    assert look(found, told) == Beside(410 * MB, 310 * MB, LIMITS.budget_tokens)
    assert told.done == []


def test_each_has_its_own_limit(found: Parts, told: Told) -> None:
    """The one that takes too much trims and then goes; the other one works on."""
    told.taken[OTHER] = 950
    assert look(found, told).budget_tokens == LIMITS.budget_tokens // 2
    worker = told.pool.supervisor(2).worker
    worker.batches += 1
    look(found, told)
    assert told.done == [("trim", 2), ("retire", 2, "rss", True)]


def test_one_that_has_nothing_to_do_goes(found: Parts, told: Told) -> None:
    """After the profile's time without a batch."""
    told.pool._used_s[2] = 70.0
    look(found, told, at_s=100.0)
    assert told.done == [("retire", 1, "idle", True)]


def test_status_and_metrics_show_each(found: Parts, told: Told) -> None:
    """With its place and what it does; the one that stores comes first."""
    hire(found.engine, os.getpid())
    seen = found.engine.snapshot()
    shown = status._workers(seen, told)  # type: ignore[arg-type]
    assert [(one["place"], one["does"], one["pid"]) for one in shown] == [
        (0, "stores", os.getpid()),
        (1, "embeds", ONE),
        (2, "embeds", OTHER),
    ]
    assert shown[2]["anon_bytes"] == 310 * MB
    page = metrics.Scrape(seen, found.checkpoints, "idle", metrics.Observed()).text()
    assert 'importer_embedding_worker_files{place="2"} 0.0' in page
