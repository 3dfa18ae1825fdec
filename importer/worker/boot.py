"""Settings become a session: the store opened, the model located (fetched if need be) and loaded when wanted.

An heir loads its model before it may open the store (see `__main__`); then the model is given.
"""

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
    # Known without loading the model, so that a collection of another one is refused before that takes its time.
    name, dimension = models.identity(embed)
    chosen = {**settings["store"], "backlog": settings.get("backlog", False)}
    store = stores.load(settings["location"], model=name, dimension=dimension, settings=chosen)

    session = Session(store, lambda: embedder or embedder_of(embed), token_budget=int(embed["token_budget"]))
    session.recount()  # `Ready` tells it to the daemon
    if settings.get("preload"):
        _ = session.embedder
    return session


def embedder_of(embed: Mapping[str, Any]) -> Embedder:
    """The model of these embedding settings, loaded. Raises ModelError."""
    return load(embed["provider"], _with_model(embed))


def _with_model(embed: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings with the model on disk in place of its name, fetched if need be; a remote one goes by its name.

    Raises ModelError.
    """
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
