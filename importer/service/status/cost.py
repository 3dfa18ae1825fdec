"""What a hosted embedding provider was asked for, what that cost, and the limits that are set."""

from __future__ import annotations

import time
from typing import Any

from msgspec import to_builtins

from importer.protocol.hosted import usage
from importer.protocol.worker_settings import EmbedSettings
from importer.settings.schema import LOCAL, EmbedGroup


def of_provider(embed: EmbedGroup | EmbedSettings, usage_file: str) -> dict[str, Any] | None:
    """Return what a hosted provider was asked for and what that cost; None for a model on this machine."""
    if embed.provider == LOCAL or not usage_file:
        return None
    days, now_s = usage.read(usage_file), time.time()
    today, month = usage.of_day(days, now_s), usage.of_month(days, now_s)
    limits = {"max_tokens_per_day": embed.max_tokens_per_day, "max_cost_per_month": embed.max_cost_per_month}
    price = usage.price_of(embed.model, embed.price_per_million)
    return {"today": to_builtins(today), "month": to_builtins(month), "price_per_million": price, **limits}
