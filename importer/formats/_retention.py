"""The fact that a tool deletes its own conversations after a while, as a format declares it (`RETENTION`)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

FOREVER = math.inf
_age = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([hdwm])\s*\Z")
_UNITS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.0}


class Retention(msgspec.Struct, frozen=True):
    """How long a tool keeps conversations, counted from their last change.

    `files` are its settings, those first that win; `days` reads the text of one: days, FOREVER, or None where it does
    not say. It raises ValueError for a text it cannot read. `longer` is what a person writes there to keep them.
    """

    tool: str
    default_days: float
    longer: str
    files: Callable[[Mapping[str, str], str], tuple[str, ...]]
    days: Callable[[str], float | None]


def age_days(text: Any) -> float | None:
    """Return the days of an age such as `30d`, `24h`, `1w`; None for anything else."""
    found = _age.match(text) if isinstance(text, str) else None
    return float(found[1]) * _UNITS[found[2]] if found else None
