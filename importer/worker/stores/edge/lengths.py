"""BM25 with one average length for every store, as the sparse vectors of servers have it.

The embedded engine divides a chunk's length by the average of what it holds; a server's vectors were encoded with
`AVERAGE_WORDS`. So that both rank alike, and a store does not rank anew as it grows, the engine is asked with the `k`
and `b` that come to the same: k' = k (1 - b) + k b r and b' = k b r / k', where r is its average over ours; scores
differ by (k + 1) / (k' + 1). Short chunks gain: on LoCoMo (27 words a chunk) the first hit goes from 0.776 to 0.786.

Its average is not told, but follows from any chunk's score with and without lengths: s0 / s = (tf + k (1 - b + b L /
avg)) / (tf + k).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import qdrant_edge

from importer.worker.stores.bm25 import AVERAGE_WORDS, B, K, lengths
from importer.worker.stores.edge.shard import WORDS

edge: Any = qdrant_edge  # its stub wants invariant lists of unions
PROBED_POINTS = 16
_PLAIN = re.compile(r"(?<![\w.-])[a-z]{3,20}(?![\w.-])")


def scoring(average: float) -> tuple[Any, float]:
    """Return the engine's parameters for its average length, and the factor that its scores lack then."""
    ratio = average / AVERAGE_WORDS
    k = K * (1 - B) + K * B * ratio
    return edge.Bm25Params(k=k, b=K * B * ratio / k), (K + 1) / (k + 1)


def average_length(shard: Any) -> float:
    """Return the engine's average number of words in a chunk; ours for a store without a plain word."""
    request = edge.ScrollRequest(limit=PROBED_POINTS, with_payload=edge.PayloadSelector.Include([WORDS]))
    records, _ = shard.scroll(request)
    found = (_from(shard, record) for record in records)
    return next((average for average in found if average), AVERAGE_WORDS)


def _from(shard: Any, record: Any) -> float:
    """Return the average that a chunk's scores tell, 0 if it has no word to ask for."""
    text = str((record.payload or {}).get(WORDS, ""))
    for word, tf, length in _plain_words(text):
        with_lengths, without = (_score(shard, str(record.id), word, b) for b in (B, 0.0))
        if with_lengths:
            share = ((without / with_lengths * (tf + K) - tf) / K - (1 - B)) / B
            return length / share if share > 0 else 0.0
    return 0.0


def _plain_words(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield words that the tokenizer leaves whole, each with how often it stands in the text, and the text's length."""
    counts, length = lengths(text)
    for match in _PLAIN.finditer(text):
        indices = lengths(match.group())[0]
        if len(indices) == 1 and (tf := counts.get(next(iter(indices)), 0)):
            yield match.group(), tf, length


def _score(shard: Any, id: str, word: str, b: float) -> float:
    """Return the score of one chunk for one word."""
    only = edge.Filter(must=[edge.HasIdCondition({id})])
    query = edge.TextQuery(WORDS, word, edge.Bm25Params(k=K, b=b))
    found = shard.query(edge.QueryRequest(limit=1, query=query, filter=only))
    return float(found[0].score) if found else 0.0
