"""The declaration of the stores behind qdrant-client, which is imported when one is opened: it weighs 100 MB."""

from __future__ import annotations

from importer.worker.stores import Store, StoreRequest

SCHEMES = ("local", "http", "https", "grpc", "grpcs")


def open_store(request: StoreRequest) -> Store:
    """Connect, and make or check the collection. See `store.open_store`."""
    from importer.worker.stores.qdrant.store import open_store as load_and_open  # noqa: PLC0415 - brings the client along

    return load_and_open(request)
