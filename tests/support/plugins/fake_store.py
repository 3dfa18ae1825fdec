"""A store for tests, named by a dotted module: it only says what it was asked."""

from __future__ import annotations

from dataclasses import dataclass

from importer.plugin.stores import StoreRequest


@dataclass(frozen=True)
class Asked:
    """What `open_store` was asked."""

    kind: str
    location: str


def open_store(request: StoreRequest) -> Asked:
    """Nothing is opened."""
    return Asked("fake", request.settings.location)
