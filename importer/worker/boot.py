"""Settings become a session: the store opened, the model located (fetched if need be) and loaded when wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from importer import failpoints
from importer.worker import models, stores
from importer.worker.answers import Session
from importer.worker.embedders import Embedder, load


def open_session(settings: Mapping[str, Any], embedder: Embedder | None = None) -> Session:
    """Opens the store; with `preload` also the model, unless it is given. Raises ModelError and what a store raises."""
    failpoints.hit("boot")
    embed: Mapping[str, Any] = settings["embed"]
    name, dimension = models.identity(embed)
    chosen = {**settings["store"], "backlog": settings.get("backlog", False)}
    store = stores.load(settings["location"], model=name, dimension=dimension, settings=chosen)

    session = Session(store, lambda: embedder or embedder_of(embed), token_budget=int(embed["token_budget"]))
    session.recount()
    if settings.get("preload"):
        _ = session.embedder
    return session


def embedder_of(embed: Mapping[str, Any]) -> Embedder:
    """The model of these embedding settings, loaded. Raises ModelError."""
    return load(embed["provider"], _with_model(embed))


def _with_model(embed: Mapping[str, Any]) -> Mapping[str, Any]:
    if embed["provider"] != "fastembed":
        return embed
    model = models.obtain(embed)
    return {
        **embed,
        "model": model.name,
        "directory": model.directory,
        "dimension": model.dimension,
        "window_tokens": model.window_tokens,
    }
