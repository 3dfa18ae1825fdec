"""Our values in qdrant-client's, and back: points, filters, update operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pydantic
from qdrant_client import models

from importer.errors import UsageError
from importer.worker.stores import Ownership, Point
from importer.worker.stores.bm25 import encode_document
from importer.worker.stores.schema import METADATA, OPEN_BY, SPARSE, VOICES, document, ownership


def native(given: Point, dense: str) -> models.PointStruct:
    """Return a point with its vector under the name `dense`, and the vector of its keywords if it has any."""
    vectors: dict[str, Any] = {dense: np.asarray(given.dense, dtype=np.float32).tolist()}
    if keywords := sparse(document(given.payload)):
        vectors[SPARSE] = keywords
    return models.PointStruct(id=given.id, vector=vectors, payload=dict(given.payload))


def sparse(text: str) -> models.SparseVector | None:
    """Return the vector of a text's exact words and, at indices of their own, of its stems; None for a text without.

    One vector for both: a server that has a collection already cannot give it another vector's name everywhere.
    """
    indices, values = encode_document(text)
    stems, weights = encode_document(text, stems=True)
    known = set(indices)
    more = [(index, weight) for index, weight in zip(stems, weights, strict=True) if index not in known]
    if not indices:
        return None
    return models.SparseVector(indices=[*indices, *(i for i, _ in more)], values=[*values, *(w for _, w in more)])


def point(record: models.Record, dense: str) -> Point:
    """Return a stored point as ours."""
    vectors = record.vector if isinstance(record.vector, dict) else {}
    found: Any = vectors.get(dense, ())
    return Point(str(record.id), found, record.payload or {})


def cursor(after: str | None) -> Any:
    """Return where a page begins; ids of other programs may be integers."""
    return int(after) if after is not None and after.isdecimal() else after


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

    def holding(self, key: str, part: str) -> Any:
        """Return a condition on a part of a text; without an index of words servers compare letter by letter."""
        return models.FieldCondition(key=f"{METADATA}.{key}", match=models.MatchText(text=part))

    def named(self, file: str) -> None:
        """Return nothing: collections have whole paths, not last names."""

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

    def one_of(self, conditions: list[Any]) -> Any:
        """Return a condition that holds where one of these does."""
        return models.Filter(should=conditions)

    def none_of(self, conditions: list[Any]) -> Any:
        """Return a condition that holds where none of these does."""
        return models.Filter(must_not=conditions)
