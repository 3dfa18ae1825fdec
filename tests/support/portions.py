"""Parameters of which a portion is tried each time, and the rest with the long tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def portion(values: Iterable[Any], every: int, first: int = 0) -> list[Any]:
    """Return values as parameters: each `every`-th from the `first` on runs always, the others are long tests."""
    return [
        value if number % every == first else pytest.param(value, marks=pytest.mark.long)
        for number, value in enumerate(values)
    ]
