"""Where an installation under test keeps its points: embedded, or on the server that QDRANT_TEST_URL names.

There each state directory has a collection of its own, whose name no other run of the tests gives: several may share
the server, and one that was killed may have left something. It is dropped with the test, or with the module, that made
it: some hundreds at once would take gigabytes of a server's disk. The variable may name all nodes of a cluster, with
commas.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

from importer.protocol.worker_settings import addresses

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

SERVER = os.environ.get("QDRANT_TEST_URL", "")
KEY = os.environ.get("QDRANT_TEST_API_KEY", "")
# The same for all processes of a run of the tests, which inherit it.
RUN = os.environ.setdefault("QDRANT_TEST_RUN", uuid.uuid4().hex[:8])
_made: dict[str, str] = {}  # names of collections, each with its state directory


def collection_of(state: str) -> str:
    """Return the name of a state directory's collection on the server."""
    place = os.path.realpath(state)
    name = f"test_{RUN}_{hashlib.sha256(place.encode()).hexdigest()[:12]}"
    _made[name] = place
    return name


def environ_of(state: str, nodes: int | None = None) -> dict[str, str]:
    """Return the variables that make the importer store there; none for the embedded store.

    Programs of others take one address: for them `nodes` is 1.
    """
    if not SERVER:
        return {}
    urls = ",".join(addresses(SERVER)[:nodes])
    return {"QDRANT_URL": urls, "QDRANT_API_KEY": KEY, "COLLECTION_NAME": collection_of(state)}


def embedded(state: str) -> bool:
    """Return True for a state whose store is the embedded one, also where there is a server: the test told it so."""
    return not SERVER or os.path.exists(f"{state}/edge")


def there(state: str) -> bool:
    """Return True if the store has been made."""
    if embedded(state):
        return os.path.exists(f"{state}/edge/conversations/importer.json")
    with client() as found:
        return found.collection_exists(collection_of(state))


def lose(state: str) -> None:
    """Delete the store with all its points."""
    if embedded(state):
        shutil.rmtree(f"{state}/edge")
        return
    with client() as found:
        found.delete_collection(collection_of(state))


def copy(state: str, other: str) -> None:
    """Copy a state directory and its store, for a test that changes them."""
    shutil.copytree(state, other, ignore=shutil.ignore_patterns("*.sock", "*.lock"))
    if not embedded(state):
        with client() as found:
            _copy(found, collection_of(state), collection_of(other))


def _copy(found: QdrantClient, name: str, other: str) -> None:
    """Copy a collection as it is, fingerprint and indexes too."""
    config, schema = found.get_collection(name).config, found.get_collection(name).payload_schema
    params = config.params
    found.create_collection(other, params.vectors, params.sparse_vectors, metadata=config.metadata)
    for key, known in schema.items():
        found.create_payload_index(other, key, known.params or known.data_type, wait=True)
    found.upload_points(other, _points(found, name), wait=True)


def _points(found: QdrantClient, name: str) -> Iterator[object]:
    from qdrant_client import models

    after = None
    while True:
        records, after = found.scroll(name, limit=256, offset=after, with_vectors=True)
        yield from (models.PointStruct(id=one.id, vector=one.vector, payload=one.payload) for one in records)
        if after is None:
            return


@contextlib.contextmanager
def client() -> Iterator[QdrantClient]:
    """Open the server's own client."""
    from worker_told import store_settings

    from importer.worker.stores.qdrant.connect import connect

    found = connect(store_settings(SERVER, api_key=KEY))
    try:
        yield found
    finally:
        found.close()


def drop(below: str = "/") -> None:
    """Drop the collections that were made here for state directories below a folder."""
    folder = os.path.realpath(below)
    chosen = [name for name, place in _made.items() if os.path.commonpath((place, folder)) == folder]
    if not (SERVER and chosen):
        return
    with client() as found:
        for name in chosen:
            del _made[name]
            with contextlib.suppress(Exception):  # one that cannot be dropped must not keep the others
                found.delete_collection(name)
