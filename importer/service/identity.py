"""What decides which answers a question gets: the store and the model, by the names of their settings."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from typing import Any

from importer.errors import StateError
from importer.protocol.durable import sync
from importer.protocol.system.plain import plain
from importer.service.status import store_location
from importer.settings.chosen import FILE
from importer.settings.load import Settings

STORE = ("store.location", "store.collection")
MODEL = ("embed.provider", "embed.model", "embed.dimension", "embed.precision", "embed.window_tokens")
Identity = Mapping[str, str]


def model_of(embed: Any) -> dict[str, str]:
    """Return the model of embedding settings, a daemon's or those that a worker is told."""
    return {name: str(getattr(embed, name.partition(".")[2])) for name in MODEL}


def identity(settings: Settings) -> Identity:
    """Return the store and the model of these settings, an embedded store by its folder; keys are not in it."""
    found = model_of(settings.embed)
    where = store_location.of_settings(settings)
    return {"store.location": where.location, "store.collection": where.collection, **found}


def differences(wanted: Identity, served: Identity, given: Collection[str] | None = None) -> dict[str, str]:
    """Return what is served of the names that are wanted otherwise; of the `given` names alone where they are told."""
    names = served.keys() & wanted.keys() & (set(given) if given is not None else served.keys())
    return {name: served[name] for name in sorted(names) if served[name] != wanted[name]}


def choose(state_dir: str, settings: Settings) -> None:
    """Write that the store has the model of these settings, for starts whose settings name none. Raises StateError.

    Durably, and at once or not at all; see `settings.chosen`.
    """
    embed, path = settings.embed, os.path.join(state_dir, FILE)
    told = {"embed.provider": embed.provider, "embed.model": embed.model}
    if embed.dimension:
        told["embed.dimension"] = str(embed.dimension)
    try:
        with open(f"{path}.new", "w", encoding="utf-8", opener=plain) as file:
            json.dump(told, file)
        sync(f"{path}.new")
        os.replace(f"{path}.new", path)
        sync(state_dir)
    except OSError as error:
        raise StateError(f"{path} cannot be written: {error.strerror}", hint="the store is as it was") from error
