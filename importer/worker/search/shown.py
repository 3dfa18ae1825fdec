"""Pure: which chunk of a conversation is shown first, where its words are no evidence and its meaning is.

A conversation is ranked by its best chunk, and that one by words and meaning together. In a long conversation some
chunk shares one common word with any question ("users", "early"), and would be shown instead of the chunk that answers
in other words. So the chunk with the best cosine goes first where the first one's words say less than a share of what
the question's words could, by the measure that `ranking` has for whole conversations: it may say the more, the nearer
the other chunk is. The order of conversations is not touched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from importer.worker.search.ranking import WEAK_MOST, WEAK_WORDS, RankedConversation, Scored

LEAST_NEARER = 0.05  # of cosine: what is hardly nearer than the first chunk goes not before it


def first_shown(ranked: Sequence[RankedConversation], points: int, terms: int) -> list[RankedConversation]:
    """Return conversations in their order, each with the chunk to show first; `terms` as in `ranking.rank`."""
    most = math.log1p(max(1, points)) * terms
    return [_turned(one, most) for one in ranked]


def _turned(one: RankedConversation, most: float) -> RankedConversation:
    """Return a conversation with its nearest chunk first, if the words of the one before it are no evidence."""
    first, *rest = one.chunks
    nearest = max(rest, key=_cosine, default=first)
    nearer = _cosine(nearest) - _cosine(first)
    if nearer < LEAST_NEARER or first.date or first.lexical >= min(WEAK_MOST, WEAK_WORDS + nearer) * most:
        return one
    return one._replace(chunks=(nearest, first, *(chunk for chunk in rest if chunk is not nearest)))


def _cosine(chunk: Scored) -> float:
    """Return how near a chunk is, 0 where that is not known."""
    return chunk.cosine or 0.0
