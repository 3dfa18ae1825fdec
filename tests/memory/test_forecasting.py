"""Forecasts in step with receipts: the error is counted, the model remembered, the budget bounded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from memory_samples import LIMITS, MB

from importer.delivery.progress import ForecastErrors
from importer.errors import UsageError
from importer.memory import forecasting
from importer.memory.forecasting import Forecasts
from importer.protocol.outcome import MemoryTaken, Receipt
from importer.protocol.records import Batch, Chunk

TAKEN = MemoryTaken(90 * MB, 160 * MB, 10_752, 96, window_tokens=256, lanes=2, pid=7)
BATCH = Batch(1, tuple(Chunk(str(number), "word " * 200, {}) for number in range(64)), (), ())


def receipt(taken: MemoryTaken, points: int = 64) -> Receipt:
    return Receipt(1, points, 0, 100, 64, 1, 0.1, 0.1, taken)


def after(*taken: MemoryTaken) -> Forecasts:
    """Forecasts that have seen these batches."""
    forecasts = Forecasts(LIMITS, "a model")
    for one in taken:
        forecasts.stored(BATCH, receipt(one))
    return forecasts


def test_forecasts_begin_with_the_second_batch_of_a_new_model() -> None:
    """The error is that of what was known before the batch."""
    forecasts = after(TAKEN, TAKEN, replace(TAKEN, peak_bytes=200 * MB))
    assert forecasts.errors.figures() == {"batches": 2, "p50": 0.0, "p95": 0.2}
    assert (forecasts.forecast_bytes, forecasts.measured_bytes) == (160 * MB, 200 * MB)


def test_a_restart_knows_the_model_and_no_worker() -> None:
    """What was learned of the model is remembered; what a dead worker had is not."""
    told = after(TAKEN, TAKEN).told()
    fresh = Forecasts(LIMITS, "a model")
    fresh.recall(told)
    assert fresh.known.rest_bytes > 0 and fresh.known.peaks == () and fresh.known.pid == 0
    remembered = forecasting.read(told)
    assert remembered and (remembered.soft_bytes, remembered.budget_tokens) == (LIMITS.soft_bytes, LIMITS.budget_tokens)
    other = Forecasts(LIMITS, "another model")
    other.recall(told)
    assert not other.known.known


@pytest.mark.parametrize("text", ["", "{}", "[1]", "no json"])
def test_what_another_version_wrote_is_passed_over(text: str) -> None:
    """The import begins as if nothing were known."""
    forecasts = Forecasts(LIMITS, "a model")
    forecasts.recall(text)
    assert not forecasts.known.known and forecasts.told() == ""


def test_the_governors_budget_is_the_most() -> None:
    """A model that fits keeps it; a large one gets what fits below the critical limit."""
    assert after(TAKEN).paced(2048) == 2048
    large = replace(TAKEN, floor_bytes=560 * MB, peak_bytes=640 * MB, token_bytes=60_000, square_bytes=300)
    budget = after(large).paced(2048)
    assert LIMITS.budget_min_tokens <= budget < 2048
    assert after(large).paced(128) == 128


def test_a_model_that_cannot_fit_ends_the_import() -> None:
    """After its first batch, and at once the next time; the batch itself is stored."""
    huge = replace(TAKEN, floor_bytes=1000 * MB, peak_bytes=1050 * MB)
    with pytest.raises(UsageError, match="900 MB; with this model the worker takes"):
        after(huge)
    told = Forecasts(LIMITS, "a model")
    told.known = forecasting.forecast.MemoryModel(replace(huge, peak_bytes=0))
    with pytest.raises(UsageError) as caught:
        Forecasts(LIMITS, "a model").recall(told.told())
    assert "soft_limit_mb" in caught.value.hint


def test_what_is_shown_adds_up() -> None:
    """Of a fresh worker: the model, its runs, and the rest."""
    found = forecasting.read(after(TAKEN, TAKEN).told())
    assert found is not None
    shown = forecasting.shown(found, 768)
    assert shown["fresh_bytes"] == sum(shown[name] for name in ("floor_bytes", "run_bytes", "rest_bytes"))
    assert shown["last_measured_bytes"] == 160 * MB


def test_a_batch_that_embedded_nothing_is_no_forecast() -> None:
    """All of it stood in the store."""
    forecasts = after(TAKEN)
    forecasts.stored(BATCH, receipt(TAKEN, points=0))
    assert forecasts.errors.figures()["batches"] == 0


def test_errors_are_counted_in_bounded_space() -> None:
    """By whole percent, so that months of batches take no more than a day's."""
    errors = ForecastErrors()
    for number in range(10_000):
        errors.note(100 * MB + number * MB, 100 * MB)
    assert len(errors.by_percent) <= 201
    assert ForecastErrors().figures() == {"batches": 0, "p50": 0.0, "p95": 0.0}
