"""Stores as older versions left them: no point can be found by its stems, or none by those of its own language."""

from __future__ import annotations

import os
from typing import Any

import pytest
import qdrant_edge
from qdrant_client import models

from importer.worker.stores import tongues
from importer.worker.stores.bm25 import encode_document
from importer.worker.stores.edge.shard import STEMS, TAGGED
from importer.worker.stores.edge.store import EdgeStore
from importer.worker.stores.qdrant import stems
from importer.worker.stores.qdrant.store import QdrantStore
from importer.worker.stores.schema import SPARSE, document

edge: Any = qdrant_edge


def take_stems(store: Any) -> None:
    """Take the stems and all that tells of them out of a store, and close it."""
    if isinstance(store, EdgeStore):
        _of_edge(store)
    else:
        _of_qdrant(store)
    store.close()


def _of_edge(store: EdgeStore) -> None:
    """Drop the index and write every point without the payload it was of."""
    shard = store._shard
    shard.update(edge.UpdateOperation.delete_field_index(STEMS))
    records, _ = shard.scroll(edge.ScrollRequest(limit=1_000_000, with_payload=True, with_vector=True))
    for at in range(0, len(records), 256):
        points = [
            edge.Point(str(one.id), one.vector, {k: v for k, v in one.payload.items() if k != STEMS})
            for one in records[at : at + 256]
        ]
        shard.update(edge.UpdateOperation.upsert_points(points))
    shard.flush()


def _of_qdrant(store: QdrantStore) -> None:
    """Write every point's keywords anew, and take the mark from the collection's metadata."""
    client, collection = store._client, store._collection
    records, _ = client.scroll(collection, limit=1_000_000)
    vectors = []
    for record in records:
        indices, values = encode_document(document(record.payload))
        vectors.append(
            models.PointVectors(id=record.id, vector={SPARSE: models.SparseVector(indices=indices, values=values)})
        )
    client.update_vectors(collection, vectors)
    client.update_collection(collection, metadata={stems.STEMS: ""})


def take_tongues(store: EdgeStore) -> None:
    """Leave every point the stems of a version that knew English alone, and the mark of that version; close it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tongues, "document", lambda text: text)
        store.write(store.scroll(None, 1_000, with_vectors=True).points, {}, [])
    with open(os.path.join(store.path, TAGGED), "w") as file:
        file.write("2")
    store.close()
