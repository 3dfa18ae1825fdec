"""A lookup in the embedded engine's queries, all planned as one batch, and their answers as candidates."""

from __future__ import annotations

from typing import Any

import qdrant_edge

from importer.worker.stores import Lookup
from importer.worker.stores.bm25 import stemmed_question, words
from importer.worker.stores.candidates import FACTS, Candidates, Gathering
from importer.worker.stores.edge.lengths import scoring
from importer.worker.stores.edge.shard import STEMS, WORDS
from importer.worker.stores.edge.values import EdgeDialect
from importer.worker.stores.filters import build

edge: Any = qdrant_edge  # its stub wants invariant lists of unions
# int8 copies choose twice as many candidates as are wanted, fp32 vectors rank these, in two stages: the engine's own
# rescoring does so in each segment, and read 6,800 vectors at random at a million points.
BY_COPIES = edge.SearchParams(quantization=edge.QuantizationSearchParams(rescore=False))
BY_VECTORS = edge.SearchParams(exact=True, quantization=edge.QuantizationSearchParams(ignore=True))
CHOSEN = 2  # times the depth


def candidates(
    shard: Any, asked: Lookup, dense: str, average: float, *, stemmed: bool, dialect: EdgeDialect
) -> Candidates:
    """Return the best chunks of each ranking, within the scope and, if there are times, within these once more.

    `dense` is the vectors' name, `average` the average length of what the engine holds; without `stemmed` no stems are
    asked, for only some points have them.
    """
    params, factor = scoring(average)
    ways = _ways(asked, dense, params, stemmed=stemmed)
    filters = [build(asked.scope, dialect), *([build(asked.scope, dialect, asked.times)] if asked.times else ())]
    requests = [_request(*way, asked.depth, one) for one in filters for way in ways]
    answers = shard.query_batch(edge.QueryBatchRequest(requests)) if requests else []
    gathering = Gathering()
    for at, answer in enumerate(answers):
        kind = ways[at % len(ways)][0]
        scale = 1.0 if kind == "cosine" else factor
        gathering.add(kind, ((str(one.id), one.score * scale, one.payload) for one in answer))
    return Candidates(gathering.all(), stemmed)


def _ways(asked: Lookup, dense: str, params: Any, *, stemmed: bool) -> list[tuple[str, Any]]:
    """Return the queries of a lookup, each with the kind of its scores."""
    found: list[tuple[str, Any]] = []
    if asked.dense is not None:
        found.append(("cosine", edge.Query.Nearest(asked.dense, using=dense)))
    if asked.text:
        found.append(("words", edge.TextQuery(WORDS, words(asked.text), params)))
    if asked.text and stemmed:
        found.append(("stems", edge.TextQuery(STEMS, stemmed_question(asked.text, wide=True), params)))
    return found


def _request(kind: str, way: Any, depth: int, wanted: Any) -> Any:
    """Return one query. Of payloads only what ranking needs: all else is read for the few that are shown."""
    by_vectors = kind == "cosine"
    chosen = [edge.Prefetch(limit=CHOSEN * depth, query=way, filter=wanted, params=BY_COPIES)] if by_vectors else []
    return edge.QueryRequest(
        limit=depth,
        query=way,
        prefetches=chosen,
        filter=None if by_vectors else wanted,
        params=BY_VECTORS if by_vectors else None,
        with_payload=edge.PayloadSelector.Include(FACTS),
        with_vector=False,
    )
