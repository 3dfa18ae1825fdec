"""Governor: what holds for any history of memory, workers and pressure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_samples import LIMITS, sample, told

from importer.memory.governor import Do, GovernorState, WorkerState, decide

pytestmark = pytest.mark.slow

looks = st.builds(
    sample,
    worker_mb=st.sampled_from([0, 100, 300, 590, 610, 710, 890, 910, 1120, 1130, 5000]),
    free=st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.9]),
    full=st.sampled_from([0.0, 15.0, 50.0]),
    daemon_mb=st.sampled_from([40, 250, 300]),
    oom_kills=st.integers(0, 3),
)
lives = st.none() | st.builds(
    WorkerState,
    pid=st.integers(1, 3),
    age_s=st.floats(0, 50),
    batches=st.integers(0, 12),
    files=st.integers(0, 300),
    lifetime_files=st.sampled_from([0, 200]),
    busy=st.booleans(),
    idle_s=st.floats(0, 100),
)
steps = st.lists(st.tuples(st.floats(0.1, 100), looks, lives), max_size=40)


def timed(history):
    at_s, looks = 0.0, []
    for step_s, look, worker in history:
        at_s += step_s
        looks.append((replace(look, at_s=at_s), worker))
    return looks


@given(steps)
def test_whatever_happens_only_what_is_above_the_hard_limit_is_killed(history):
    """And everything above it is."""
    history = timed(history)
    for (look, worker), action in zip(history, told(history), strict=True):
        above = worker is not None and look.worker is not None and look.worker.judged_bytes > LIMITS.hard_bytes
        assert (action.do is Do.KILL) == above


@given(steps)
def test_whatever_happens_nobody_is_recycled_young_but_for_the_soft_limit(history):
    """And for that only after a trim was asked for and another batch came after it."""
    history, trimmed = timed(history), {}
    for (look, worker), action in zip(history, told(history), strict=True):
        if action.do is Do.TRIM:
            trimmed[worker.pid] = worker.batches
        if action.do is Do.RECYCLE and action.reason == "rss":
            assert look.worker.judged_bytes > LIMITS.soft_bytes
            assert worker.batches > trimmed[worker.pid]
        elif action.do is Do.RECYCLE:
            assert worker.age_s >= LIMITS.min_lifetime_s


@given(steps)
def test_whatever_happens_a_pause_ends(history):
    """Pause and resume alternate; no look finds it paused after the limit, unless something worse is done first."""
    state, since = GovernorState(), None
    for look, worker in timed(history):
        action, state = decide(look, worker, LIMITS, state)
        if action.do is Do.PAUSE:
            assert since is None
            since = look.at_s
        if action.do is Do.RESUME:
            assert since is not None
            since = None
        assert state.paused == (since is not None)
        if state.paused and action.do not in {Do.KILL, Do.LEAVE, Do.COLLECT}:
            assert look.at_s - since < LIMITS.pause_limit_s


@given(steps)
def test_whatever_happens_the_pace_stays_within_the_profile(history):
    """Delay and budget."""
    for action in told(timed(history)):
        assert action.delay_s == 0.0 or LIMITS.delay_min_s <= action.delay_s <= LIMITS.delay_max_s
        assert LIMITS.budget_min_tokens <= action.budget_tokens <= LIMITS.budget_tokens
