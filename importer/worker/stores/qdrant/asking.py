"""A lookup in qdrant-client's queries, sent as one request, and their answers as candidates.

A server gives every ranking with whole payloads, so that a search is one request in every mode: which chunks are
shown is decided here, and may fall on any of them. That is some hundred kilobytes, which Qdrant packs to a third.
Local mode searches in this process, where reading afterwards costs less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from qdrant_client import QdrantClient, models

from importer.worker.stores import Lookup
from importer.worker.stores.bm25 import encode_query
from importer.worker.stores.candidates import FACTS, Candidates, Gathering
from importer.worker.stores.filters import build
from importer.worker.stores.qdrant.requests import Disputed, Limits
from importer.worker.stores.qdrant.values import QdrantDialect
from importer.worker.stores.schema import SPARSE

# Of quantised vectors twice as many candidates are taken as wanted, and ranked by the full ones.
RESCORED = models.SearchParams(quantization=models.QuantizationSearchParams(rescore=True, oversampling=2.0))

Asked = tuple[str, models.QueryRequest]
Answers = list[models.QueryResponse]


class Searching:
    """Searches one collection; `ask` calls the client and tries again, `dense` is the vectors' name.

    With `whole` the payloads come with their documents.
    """

    def __init__(
        self,
        client: QdrantClient,
        collection: str,
        dense: str,
        ask: Callable[[Callable[[], Answers]], Answers],
        limits: Limits,
        *,
        whole: bool,
    ) -> None:
        self._client = client
        self._collection = collection
        self._dense = dense
        self._ask = ask
        self._limits = limits
        self._whole = whole

    def candidates(self, asked: Lookup, *, stemmed: bool) -> Candidates:
        """Return the best chunks of each ranking; without `stemmed` by no stems, for only some points have them."""
        wanted = questions(asked, self._dense, stemmed=stemmed, whole=self._whole)
        answers = self._answers([request for _, request in wanted])
        gathering = Gathering()
        for (kind, _), answer in zip(wanted, answers, strict=True):
            gathering.add(kind, ((str(one.id), one.score, one.payload) for one in answer.points))
        return Candidates(gathering.all(), stemmed, gathering.whole)

    def _answers(self, requests: Sequence[models.QueryRequest]) -> Answers:
        """Return the answers to all queries, from one request where the server allows as many."""
        if not requests:
            return []
        fit = self._limits.fit
        try:
            return self._ask(lambda: self._client.query_batch_points(self._collection, [fit(one) for one in requests]))
        except Disputed:
            if len(requests) == 1:
                raise
            half = len(requests) // 2
            return self._answers(requests[:half]) + self._answers(requests[half:])


def questions(asked: Lookup, dense: str, *, stemmed: bool, whole: bool) -> list[Asked]:
    """Return the queries of a lookup, each with the kind of its scores; none for a text without a word that counts."""
    dialect = QdrantDialect()
    filters = [build(asked.scope, dialect), *([build(asked.scope, dialect, asked.times)] if asked.times else ())]
    found: list[Asked] = []
    payload = True if whole else FACTS
    for wanted in filters:
        more: Any = {"filter": wanted, "limit": asked.depth, "with_payload": payload}
        if asked.dense is not None:
            near = [float(value) for value in asked.dense]
            found.append(("cosine", models.QueryRequest(query=near, using=dense, params=RESCORED, **more)))
        for kind, stems in (("words", False), ("stems", True)):
            indices, weights = encode_query(asked.text, stems=stems, wide=True) if stemmed or not stems else ([], [])
            if indices:
                vector = models.SparseVector(indices=indices, values=weights)
                found.append((kind, models.QueryRequest(query=vector, using=SPARSE, **more)))
    return found
