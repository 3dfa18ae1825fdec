"""Settings as a worker is told them, from the defaults of the settings themselves, with changes by name."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from importer.memory.profiles import PROFILES
from importer.protocol.worker_settings import EmbedSettings, StoreSettings, WorkerSettings
from importer.service import launch
from importer.settings.load import Settings


def told() -> WorkerSettings:
    """Return what a worker is told by default, with one thread."""
    return launch.worker_settings(Settings(), PROFILES["balanced"], threads=1)


def embed_settings(**changes: Any) -> EmbedSettings:
    """Return the default embedding settings with changes."""
    return replace(told().embed, **changes)


def store_settings(location: str, **changes: Any) -> StoreSettings:
    """Return the default store settings for a location with changes."""
    return replace(told().store, location=location, **changes)
