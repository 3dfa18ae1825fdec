"""Our values in qdrant-client's, and back: points, filters, questions, update operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pydantic
from qdrant_client import models

from importer.errors import UsageError
from importer.protocol.query import Hit, Query
from importer.worker.stores import Ownership, Point, scope_of
from importer.worker.stores.bm25 import encode_document, encode_query
from importer.worker.stores.ranking import DEPTH, build
from importer.worker.stores.schema import METADATA, OPEN_BY, SPARSE, VOICES, document, metadata, ownership


def native(given: Point, dense: str) -> models.PointStruct:
    """Return a point with its vector under the name `dense`, and the vector of its keywords if it has any."""
    vectors: dict[str, Any] = {dense: np.asarray(given.dense, dtype=np.float32).tolist()}
    indices, values = encode_document(document(given.payload))
    if indices:
        vectors[SPARSE] = models.SparseVector(indices=indices, values=values)
    return models.PointStruct(id=given.id, vector=vectors, payload=dict(given.payload))


def point(record: models.Record, dense: str) -> Point:
    """Return a stored point as ours."""
    vectors = record.vector if isinstance(record.vector, dict) else {}
    found: Any = vectors.get(dense, ())
    return Point(str(record.id), found, record.payload or {})


def cursor(after: str | None) -> Any:
    """Return where a page begins; ids of other programs may be integers."""
    return int(after) if after is not None and after.isdecimal() else after


def hit(record: models.Record, score: float) -> Hit:
    """Return a stored point as a search shows it."""
    return Hit(str(record.id), score, document(record.payload), metadata(record.payload))


def changes(standing: Mapping[str, Ownership], deletes: Sequence[str]) -> Iterator[models.UpdateOperation]:
    """Yield operations for equal ownerships, by filter (an id that is gone is no error then); then deletions.

    The holders are taken away last: as long as they are the old ones, a replay does it all again.
    """
    groups: dict[str, list[Any]] = {}
    for id, stands in standing.items():
        groups.setdefault(msgspec.json.encode(ownership(stands)).decode(), []).append(id)
    for ids in groups.values():
        existing = models.Filter(must=[models.HasIdCondition(has_id=ids)])  # a filter passes over ids that are gone
        known = ownership(standing[ids[0]])
        if known:
            yield models.SetPayloadOperation(set_payload=models.SetPayload(payload=known, filter=existing))
        if gone := [name for name in (VOICES, OPEN_BY) if name not in known]:
            yield models.DeletePayloadOperation(delete_payload=models.DeletePayload(keys=gone, filter=existing))
    if deletes:
        yield models.DeleteOperation(delete=models.PointIdsList(points=list(deletes)))


class QdrantDialect:
    """Filters as qdrant-client spells them."""

    def equal(self, keys: Sequence[str], *values: str) -> Any:
        """`metadata.<key>` equals one of the values for one of the keys."""
        match: Any = models.MatchValue(value=values[0]) if len(values) == 1 else models.MatchAny(any=list(values))
        conditions: list[Any] = [models.FieldCondition(key=f"{METADATA}.{key}", match=match) for key in keys]
        return conditions[0] if len(conditions) == 1 else models.Filter(should=conditions)

    def between(self, key: str, since: str, until: str) -> Any:
        """Return a condition on a time, both sides inclusive. Raises UsageError for a time that cannot be read."""
        try:
            times: Any = {"gte": since or None, "lte": until or None}
            return models.FieldCondition(key=f"{METADATA}.{key}", range=models.DatetimeRange(**times))
        except pydantic.ValidationError as error:
            raise UsageError(f"{since or until!r} is no time", hint="RFC 3339: 2026-01-31T12:00:00Z") from error

    def every(self, conditions: list[Any]) -> Any:
        """Return a filter where all conditions hold."""
        return models.Filter(must=conditions)


def questions(query: Query, vector: Sequence[float] | None, dense: str) -> list[models.QueryRequest]:
    """Return at most one query by the vector `dense` and one by words; none for a question without a word that counts.

    `oversampling`: of quantised vectors twice as many candidates are taken as wanted, and ranked by the full ones.
    """
    depth = query.limit if query.mode != "hybrid" else max(DEPTH, query.limit)
    wanted, asked = build(scope_of(query), QdrantDialect()), []
    rescored = models.SearchParams(quantization=models.QuantizationSearchParams(rescore=True, oversampling=2.0))
    if vector is not None and query.mode != "keyword":
        near = [float(value) for value in vector]
        asked.append(models.QueryRequest(query=near, using=dense, limit=depth, filter=wanted, params=rescored))
    indices, weights = encode_query(query.text) if query.mode != "dense" else ([], [])
    if indices:
        sparse = models.SparseVector(indices=indices, values=weights)
        asked.append(models.QueryRequest(query=sparse, using=SPARSE, limit=depth, filter=wanted))
    return asked
