"""What decides which answers a question gets: the store and the model, by the names of their settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from importer.service.status import store_location
from importer.settings.load import Settings

STORE = ("store.location", "store.collection")
MODEL = ("embed.provider", "embed.model", "embed.dimension", "embed.precision", "embed.window_tokens")
Identity = Mapping[str, str]


def identity(settings: Settings) -> Identity:
    """Return the store and the model of these settings, an embedded store by its folder; keys are not in it."""
    found = {name: str(getattr(settings.embed, name.partition(".")[2])) for name in MODEL}
    where = store_location.of_settings(settings)
    return {"store.location": where.location, "store.collection": where.collection, **found}


def differences(wanted: Identity, served: Identity, given: Collection[str] | None = None) -> dict[str, str]:
    """Return what is served of the names that are wanted otherwise; of the `given` names alone where they are told."""
    names = served.keys() & wanted.keys() & (set(given) if given is not None else served.keys())
    return {name: served[name] for name in sorted(names) if served[name] != wanted[name]}
