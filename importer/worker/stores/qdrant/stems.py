"""Stems for the points of older versions on a server or in local mode, added a page at a time.

Where the pass stands is kept in the collection's metadata: absent, an id, or `done`, which a new collection is made
with. Servers before 1.16 keep no metadata: there a few points are looked at, and what lacks stems is found by exact
words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qdrant_client import QdrantClient, models

from importer.worker.stores.bm25 import encode_document
from importer.worker.stores.qdrant.requests import Limits
from importer.worker.stores.qdrant.values import cursor, sparse
from importer.worker.stores.schema import DOCUMENT, SPARSE, document

PAGE_POINTS = 64
STEMS, DONE = "importer_stems", "done"  # key of the collection's metadata, and its value in the end
SAMPLE_POINTS = 8


class QdrantStemming:
    """The pass over a collection's points; `done` when every one can be found by its stems.

    `metadata` are the collection's, None for a server that keeps none.
    """

    def __init__(
        self, client: QdrantClient, collection: str, limits: Limits, metadata: Mapping[str, Any] | None
    ) -> None:
        self._client = client
        self._collection = collection
        self._limits = limits
        self._kept = metadata is not None
        self._after = str((metadata or {}).get(STEMS, ""))
        self.done = self._after == DONE if self._kept else self._sampled()

    def step(self) -> bool:
        """Do one page; return True if there are more. The same page again does no harm."""
        if not self._kept:
            return False
        limit, offset = self._limits.page(PAGE_POINTS), cursor(self._after or None)
        records, after = self._client.scroll(self._collection, limit=limit, offset=offset, with_payload=[DOCUMENT])
        vectors = [
            models.PointVectors(id=record.id, vector={SPARSE: keywords})
            for record in records
            if (keywords := sparse(document(record.payload)))
        ]
        if vectors:
            self._client.update_vectors(self._collection, vectors, wait=True)
        self._after = DONE if after is None else str(after)
        self._client.update_collection(self._collection, metadata={STEMS: self._after})
        self.done = self._after == DONE
        return not self.done

    def _sampled(self) -> bool:
        """Return True if the stems of a few points are there."""
        records, _ = self._client.scroll(self._collection, limit=SAMPLE_POINTS, with_vectors=[SPARSE])
        return all(_stemmed(record) for record in records)


def _stemmed(record: models.Record) -> bool:
    """Return True if a point's vector has the stems of its text."""
    vectors: Any = record.vector if isinstance(record.vector, dict) else {}
    found = getattr(vectors.get(SPARSE), "indices", ())
    return {*encode_document(document(record.payload), stems=True)[0]} <= {*found}
