"""Trend: growth is what is higher than ever, calm is earned, a pace follows the memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.memory import governor
from importer.memory.probes import ProcessMemory, Sample
from importer.memory.profiles import PROFILES
from importer.memory.thresholds import GovernorState, Observation, WorkerState, thresholds
from importer.protocol.units import MB
from importer.settings.schema import Settings

LIMITS = thresholds(Settings(), PROFILES["balanced"])


def look(megabytes, batches=0, pid=7):
    return Observation(Sample(0.0, ProcessMemory(megabytes * MB, 0, 0)), WorkerState(pid, 100.0, batches), LIMITS)


def after(megabytes, first=governor.WARM_BATCHES + 1):
    state = GovernorState()
    for n, size in enumerate(megabytes):
        state = governor.followed(look(size, first + n), state)
    return state


def test_growth_adds_up_while_every_batch_is_a_record():
    """By the bytes above the highest seen before."""
    state = after([300, 310, 320, 345])
    assert (state.growths, state.grown_bytes, state.highest_bytes) == (4, 345 * MB, 345 * MB)


def test_one_batch_below_the_record_ends_a_growth():
    """The record stays."""
    assert (after([300, 400, 399]).growths, after([300, 400, 399]).highest_bytes) == (0, 400 * MB)
    assert after([300, 400, 399, 400]).growths == 0


def test_the_first_batches_are_no_growth():
    """They fill arenas and caches."""
    assert after([100, 200, 300], first=1).growths == 0
    assert after([100, 200, 300, 310], first=1).growths == 1


def test_looking_twice_at_one_batch_counts_once():
    """The second look at the same number of batches changes nothing."""
    state = governor.followed(look(300, 5), GovernorState())
    assert governor.followed(look(500, 5), state) == state


def test_another_worker_begins_anew():
    """What the former one grew by is not held against it; the budget stays."""
    state = governor.followed(look(100, 0, pid=8), governor.shrunk(look(0), after([300, 400])))
    assert (state.growths, state.highest_bytes, state.batches, state.pid) == (0, 0, 0, 8)
    assert state.budget_tokens == LIMITS.budget_tokens // 2


def test_the_budget_is_never_below_the_least():
    """Halved and halved."""
    state = after([300])
    for _ in range(20):
        state = governor.shrunk(look(300), state)
    assert state.budget_tokens == LIMITS.budget_min_tokens


@given(st.integers(0, 5000), st.floats(0, 1))
def test_the_pace_is_between_none_and_the_longest(megabytes, free):
    """For any memory of the worker and of the machine."""
    sample = Sample(0.0, ProcessMemory(megabytes * MB, 0, 0), None, 1000 * MB, int(free * 1000 * MB))
    delay_s, budget = governor.pace(Observation(sample, WorkerState(7, 1.0), LIMITS), GovernorState(budget_tokens=1024))
    assert delay_s == 0.0 or LIMITS.delay_min_s <= delay_s <= LIMITS.delay_max_s
    assert budget == 1024


@pytest.mark.parametrize(("free", "delay_s"), [(0.16, 0.0), (0.15, 0.3), (0.08, 0.8), (0.01, 0.8)])
def test_the_machines_memory_slows_it_down_too(free, delay_s):
    """From the threshold of going on to that of pausing, and beyond it when there must be no pause."""
    sample = Sample(0.0, None, None, 1000 * MB, int(free * 1000) * MB)
    assert governor.pace(Observation(sample, None, LIMITS), GovernorState())[0] == pytest.approx(delay_s)
