"""The embedded store's declaration; the engine is imported when a store is opened."""

from __future__ import annotations

from importer.worker.stores import Store, StoreRequest

SCHEMES = ("edge",)


def open_store(request: StoreRequest) -> Store:
    """Open or create the shard. See `store.open_store`."""
    from importer.worker.stores.edge.store import open_store as load_and_open  # noqa: PLC0415 - brings the engine along

    return load_and_open(request)
