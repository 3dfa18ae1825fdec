"""The forecast of a worker's memory: what is worked out, what is learned, which budget fits, what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.memory import forecast
from importer.memory.forecast import REST_BYTES, MemoryModel, Work, forecast_bytes, learned
from importer.protocol.outcome import MemoryTaken
from importer.protocol.units import MB

MINILM = MemoryTaken(90 * MB, 0, 10_752, 96, window_tokens=256, lanes=2, pid=7)
KNOWN = MemoryModel(MINILM)


def took(megabytes: float, pid: int = 7, taken: MemoryTaken = MINILM) -> MemoryTaken:
    """What a receipt says of a batch that took so much."""
    return replace(taken, peak_bytes=int(megabytes * MB), pid=pid)


def test_nothing_is_forecast_of_a_model_that_was_never_measured() -> None:
    """Nor is a budget shrunk or a setting refused for it."""
    nothing = MemoryModel()
    assert forecast_bytes(nothing, 768) == 0
    assert forecast.fitting_budget(nothing, 1, 768, 256) == 768
    assert forecast.refusal(nothing, 1, 256) == ""


@pytest.mark.parametrize(
    ("budget", "megabytes"),
    [(256, 9), (512, 18.1), (1024, 37.1), (2048, 75.1), (4096, 151.1)],
)
def test_runs_take_what_was_measured(budget: int, megabytes: float) -> None:
    """Within 15 % of ONNX Runtime's arena after the dearest run of that budget, one lane."""
    one = replace(MINILM, lanes=1)
    assert forecast.run_bytes(one, budget) / MB == pytest.approx(megabytes, rel=0.15)


def test_two_lanes_share_a_budget() -> None:
    """Of 768 tokens each lane has 384: two windows of 192, dearer than one of 256."""
    assert forecast.run_bytes(MINILM, 768) == 2 * 384 * (10_752 + 192 * 96)


def test_a_window_longer_than_its_share_runs_alone() -> None:
    """The least that lanes take: a window each."""
    assert forecast.run_bytes(MINILM, 64) == 2 * 256 * (10_752 + 256 * 96)


def test_a_small_batch_takes_no_more_than_it_has() -> None:
    """One short text runs in one lane."""
    assert forecast.run_bytes(MINILM, 768, Work(20, 20)) == 20 * (10_752 + 20 * 96)


def test_what_a_worker_has_it_keeps() -> None:
    """Of two batches the lesser: what the store took to put itself in order is given back."""
    model = learned(learned(KNOWN, took(200), 768, forecast.FULL), took(400), 768, forecast.FULL)
    assert forecast_bytes(replace(model, rests=(0,)), 256, pid=7) == 200 * MB
    assert forecast_bytes(replace(model, rests=(0,)), 256, pid=8) < 120 * MB


def test_what_is_beside_the_model_is_learned() -> None:
    """The median of the last batches, so that a single peak is passed over."""
    model = KNOWN
    for megabytes in (160, 160, 320, 160, 160):
        model = learned(model, took(megabytes), 768, forecast.FULL)
    assert forecast_bytes(model, 768, pid=7) == 160 * MB
    assert forecast_bytes(model, 768) == 160 * MB


def test_a_batch_that_embedded_nothing_teaches_nothing() -> None:
    """Its receipt knows no floor."""
    assert learned(KNOWN, MemoryTaken(), 768, forecast.FULL) is KNOWN


def test_the_budget_shrinks_to_what_fits() -> None:
    """The largest whose forecast stays below the limit; the least where none does."""
    large = MemoryModel(replace(MINILM, floor_bytes=600 * MB, token_bytes=80_000, square_bytes=400, window_tokens=128))
    budget = forecast.fitting_budget(large, 700 * MB, 1536, 256)
    assert 256 < budget < 1536
    assert forecast_bytes(large, budget) <= 700 * MB < forecast_bytes(large, budget + forecast.STEP_TOKENS)
    assert forecast.fitting_budget(large, 100 * MB, 1536, 256) == 256


def test_settings_that_cannot_fit_are_refused_with_both_numbers() -> None:
    """What is needed, of what, and what is allowed."""
    large = MemoryModel(replace(MINILM, floor_bytes=1200 * MB))
    why = forecast.refusal(large, 900 * MB, 256)
    assert "900 MB" in why and "1200 MB loaded" in why and "1247 MB at least" in why
    assert forecast.refusal(large, 1300 * MB, 256) == ""


def test_what_leaked_is_no_reason_to_refuse() -> None:
    """A worker that grew is recycled; a fresh one fits."""
    leaked = replace(KNOWN, rests=(800 * MB,) * 7)
    assert forecast.refusal(leaked, 300 * MB, 256) == ""


@settings(max_examples=100, deadline=None)
@given(
    budgets=st.tuples(st.integers(64, 8192), st.integers(64, 8192)),
    longest=st.integers(1, 600),
    tokens=st.integers(1, 100_000),
    lanes=st.integers(1, 8),
)
def test_a_larger_budget_takes_no_less(budgets: tuple[int, int], longest: int, tokens: int, lanes: int) -> None:
    """Up to the step that a window more or less makes, and never above what all its tokens would take."""
    taken = replace(MINILM, lanes=lanes)
    work = Work(max(tokens, longest), longest)
    low, high = (forecast.run_bytes(taken, budget, work) for budget in sorted(budgets))
    assert 0 < low <= 2 * high
    most = max(max(budgets), lanes * 256) * (taken.token_bytes + 256 * taken.square_bytes)
    assert high <= most


def test_work_counts_every_chunk() -> None:
    """Three characters are at least a token, and each text has two more."""
    assert forecast.work_of([300, 30]) == Work(114, 102)
    assert forecast.work_of([]) == Work(0, 0)
    assert REST_BYTES < 64 * MB
