"""A lookup in qdrant-client's queries, sent as one request, and their answers as candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qdrant_client import models

from importer.worker.stores import Lookup
from importer.worker.stores.bm25 import encode_query
from importer.worker.stores.candidates import FACTS, Candidates, Gathering
from importer.worker.stores.filters import build
from importer.worker.stores.qdrant.values import QdrantDialect
from importer.worker.stores.schema import SPARSE

# Of quantised vectors twice as many candidates are taken as wanted, and ranked by the full ones.
RESCORED = models.SearchParams(quantization=models.QuantizationSearchParams(rescore=True, oversampling=2.0))

Asked = tuple[str, models.QueryRequest]


def questions(asked: Lookup, dense: str, *, stemmed: bool) -> list[Asked]:
    """Return the queries of a lookup, each with the kind of its scores; none for a text without a word that counts.

    `dense` is the vectors' name; without `stemmed` no stems are asked, for only some points have them.
    """
    dialect = QdrantDialect()
    filters = [build(asked.scope, dialect), *([build(asked.scope, dialect, asked.times)] if asked.times else ())]
    found = []
    for wanted in filters:
        if asked.dense is not None:
            near = [float(value) for value in asked.dense]
            found.append(("cosine", _request(near, dense, asked.depth, wanted, params=RESCORED)))
        for kind, stems in (("words", False), ("stems", True)):
            indices, weights = encode_query(asked.text, stems=stems, wide=True) if stemmed or not stems else ([], [])
            if indices:
                vector = models.SparseVector(indices=indices, values=weights)
                found.append((kind, _request(vector, SPARSE, asked.depth, wanted)))
    return found


def _request(query: Any, using: str, depth: int, wanted: Any, **more: Any) -> models.QueryRequest:
    """Return one query. Of payloads only what ranking needs: all else is read for the few that are shown."""
    return models.QueryRequest(query=query, using=using, limit=depth, filter=wanted, with_payload=FACTS, **more)


def candidates(asked: Sequence[Asked], answers: Sequence[models.QueryResponse], stemmed: bool) -> Candidates:
    """Return what the answers hold, one for each query."""
    gathering = Gathering()
    for (kind, _), answer in zip(asked, answers, strict=True):
        gathering.add(kind, ((str(one.id), one.score, one.payload) for one in answer.points))
    return Candidates(gathering.all(), stemmed)
