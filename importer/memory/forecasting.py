"""Keep the forecast of the worker's memory in step with its receipts, and remember between starts what a model takes.

receipt ─► what it took, beside what was forecast for it ─► what is known ─► the budget that fits, for the next one
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from importer.delivery.progress import ForecastErrors
from importer.errors import UsageError
from importer.memory import forecast
from importer.memory.forecast import MemoryModel
from importer.memory.thresholds import Thresholds
from importer.protocol import engines
from importer.protocol.outcome import Receipt
from importer.protocol.records import Batch
from importer.settings.schema import Settings

HINT = "raise worker.soft_limit_mb, choose a memory profile with a higher one, or a smaller model"
META = "memory_forecast"  # its name among the state's facts


class RememberedForecast(msgspec.Struct, frozen=True):
    """What the state keeps: of which model, what is known of it, and the last forecast beside what was measured.

    `budget_tokens` and `soft_bytes` are those of the process that measured, whose settings may come from a service's
    environment; 0 where an older version wrote this.
    """

    model: str
    known: MemoryModel
    forecast_bytes: int = 0
    measured_bytes: int = 0
    errors: dict[str, float] = {}
    budget_tokens: int = 0
    soft_bytes: int = 0


def recalled(settings: Settings, limits: Thresholds, errors: ForecastErrors, text: str) -> Forecasts:
    """Return the forecasts for an engine, with what was known of its model at the last start (`text`).

    Raises UsageError where that model cannot fit below the soft limit.
    """
    embed = settings.embed
    engine = engines.described(embed.provider, embed.engine, embed.precision)
    forecasts = Forecasts(limits, f"{embed.model}, {engine or embed.provider}", errors)
    forecasts.recall(text)
    return forecasts


@dataclass(slots=True)
class Forecasts:
    """The forecasts for one engine. `model` names what embeds, so that what is known of another one is not used."""

    limits: Thresholds
    model: str = ""
    errors: ForecastErrors = field(default_factory=ForecastErrors)
    known: MemoryModel = field(default_factory=MemoryModel)
    budget_tokens: int = 0  # of the batches that are sent now
    forecast_bytes: int = 0  # of the last batch
    measured_bytes: int = 0

    def recall(self, text: str) -> None:
        """Take over what was known at the last start. Raises UsageError where this model cannot fit."""
        found = read(text)
        if found is not None and found.model == self.model:
            # No worker of that time lives.
            self.known = replace(found.known, pid=0, peaks=(), run_bytes=0)
        self._refuse()

    def begin_anew(self, model: str) -> None:
        """Forget what is known: another model embeds from now on."""
        self.model, self.known = model, MemoryModel()

    def paced(self, budget_tokens: int) -> int:
        """Return the budget for the next batches: the governor's, or the largest one whose forecast is not critical."""
        least = min(self.limits.budget_min_tokens, budget_tokens)
        self.budget_tokens = forecast.fitting_budget(self.known, self.limits.critical_bytes, budget_tokens, least)
        return self.budget_tokens

    def stored(self, batch: Batch, receipt: Receipt) -> None:
        """Take in what a batch took. Raises UsageError where its model cannot fit below the soft limit."""
        taken = receipt.memory
        if not receipt.points or not taken.peak_bytes:
            return
        work = forecast.work_of(len(chunk.text) for chunk in batch.chunks)
        budget = self.budget_tokens or self.limits.budget_tokens
        self.forecast_bytes = forecast.forecast_bytes(self.known, budget, work, pid=taken.pid)
        self.measured_bytes = taken.peak_bytes
        self.errors.note(self.forecast_bytes, self.measured_bytes)
        self.known = forecast.learned(self.known, taken, budget, work)
        self._refuse()

    def _refuse(self) -> None:
        """Raise UsageError where even the smallest runs go beyond the soft limit: every batch would cost a worker."""
        if why := forecast.refusal(self.known, self.limits.soft_bytes, self.limits.budget_min_tokens):
            raise UsageError(why, hint=HINT)

    def told(self) -> str:
        """Return what the state is to remember, "" before anything is known."""
        if not self.known.known:
            return ""
        last = self.forecast_bytes, self.measured_bytes, self.errors.figures()
        told = RememberedForecast(self.model, self.known, *last, self.limits.budget_tokens, self.limits.soft_bytes)
        return msgspec.json.encode(told).decode()


def read(text: str) -> RememberedForecast | None:
    """Return what the state remembers, None for nothing, or for what another version wrote."""
    try:
        return msgspec.json.decode(text, type=RememberedForecast) if text else None
    except msgspec.MsgspecError:
        return None


def shown(found: RememberedForecast, budget_tokens: int) -> dict[str, Any]:
    """Return for people and programs: what the next full batch takes, of what, and how it was with the last one.

    `budget_tokens` stands in where the state does not tell with which budget it was measured.
    """
    known, budget_tokens = found.known, found.budget_tokens or budget_tokens
    return {
        "model": found.model,
        "next_bytes": forecast.forecast_bytes(known, budget_tokens, pid=known.pid),
        "fresh_bytes": forecast.forecast_bytes(known, budget_tokens),
        "floor_bytes": known.taken.floor_bytes,
        "run_bytes": forecast.run_bytes(known.taken, budget_tokens),
        "rest_bytes": known.rest_bytes,
        "budget_tokens": budget_tokens,
        "last_forecast_bytes": found.forecast_bytes,
        "last_measured_bytes": found.measured_bytes,
        "errors": found.errors,
    }
