"""`importer status --memory`: the forecast of the worker's memory, beside what was measured."""

from __future__ import annotations

from typing import Any

from importer.cli import text as words
from importer.memory import forecasting
from importer.memory.forecasting import RememberedForecast
from importer.service.launch import profile_of
from importer.settings.load import Settings

PARTS = (("floor_bytes", "model loaded"), ("run_bytes", "its runs"), ("rest_bytes", "store and texts"))


def figures(found: RememberedForecast | None, settings: Settings) -> dict[str, Any] | None:
    """Return what the next full batch takes, of what, and how far forecasts were off; None before the first batch."""
    return forecasting.shown(found, profile_of(settings).token_budget) if found is not None else None


def lines(found: RememberedForecast | None, settings: Settings) -> list[str]:
    """Return the same for people."""
    told = figures(found, settings)
    if told is None:
        return []
    parts = ", ".join(f"{words.size(told[name])} {what}" for name, what in PARTS if told[name])
    following, fresh = words.size(told["next_bytes"]), words.size(told["fresh_bytes"])
    said = [f"  forecast: the next batch {following}; in a fresh worker {fresh} ({parts})"]
    errors = told["errors"]
    if errors.get("batches"):
        said.append(
            f"  the last batch: {words.size(told['last_forecast_bytes'])} forecast, "
            f"{words.size(told['last_measured_bytes'])} measured; {errors['batches']:.0f} batches were within "
            f"{errors['p50']:.0%} (median) and {errors['p95']:.0%} (p95)"
        )
    return said
