"""What `status --memory` says of the forecast."""

from __future__ import annotations

from importer.cli.memory import memory_chart, memory_forecast
from importer.memory.forecast import MemoryModel
from importer.memory.forecasting import RememberedForecast
from importer.protocol.outcome import MemoryTaken
from importer.protocol.units import MB
from importer.settings.load import Settings
from importer.state.history import Moment

KNOWN = MemoryModel(MemoryTaken(90 * MB, 0, 10_752, 96, 256, 2, 7), (30 * MB,), 7, (150 * MB, 150 * MB), 20 * MB)


def test_forecast_stands_beside_what_was_measured() -> None:
    """What the next batch takes and of what, and how it was with those before."""
    found = RememberedForecast("a model", KNOWN, 150 * MB, 140 * MB, {"batches": 12.0, "p50": 0.02, "p95": 0.07})
    first, second = memory_forecast.lines(found, Settings())
    assert "next batch 150 MB" in first and "90 MB model loaded" in first and "30 MB store and texts" in first
    assert "150 MB forecast, 140 MB measured; 12 batches were within 2% (median) and 7% (p95)" in second


def test_what_a_model_does_not_take_is_not_told() -> None:
    """A hosted model runs elsewhere."""
    known = MemoryModel(MemoryTaken(60 * MB), (20 * MB,))
    first, *_ = memory_forecast.lines(RememberedForecast("a model", known), Settings())
    assert "20 MB store and texts" in first and "its runs" not in first


def test_before_the_first_batch_there_is_none() -> None:
    """Nor a line for people; programs get null."""
    assert memory_forecast.lines(None, Settings()) == []
    assert memory_forecast.figures(None, Settings()) is None


def test_the_limits_are_those_of_what_measured() -> None:
    """A service has its profile from its own environment, and a terminal another one."""
    measured = RememberedForecast("a model", KNOWN, budget_tokens=256, soft_bytes=300 * MB)
    own, older = (memory_forecast.figures(one, Settings()) for one in (measured, RememberedForecast("a model", KNOWN)))
    assert own and older
    assert own["budget_tokens"] == 256 < older["budget_tokens"]
    assert own["run_bytes"] < older["run_bytes"]
    past = memory_chart.Past(0.0, 60.0, 1, [Moment(30.0, 200 * MB, 0, 5, 40 * MB)], (), measured)
    assert "recycled above 300 MB" in "\n".join(memory_chart.text(past, Settings()))
