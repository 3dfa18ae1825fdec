"""Rank fusion: what stands high in either ranking stands high in the end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from importer.worker.stores.fusion import fuse

RANKINGS = st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), min_size=1, max_size=3)


def test_both_firsts_come_before_any_second() -> None:
    """Neither ranking alone decides."""
    assert [id for id, _ in fuse([["a", "c"], ["b", "d"]], (1.0, 1.0), 10)] == ["a", "b", "c", "d"]


def test_agreement_wins() -> None:
    """Second in both beats first in one."""
    assert fuse([["a", "b"], ["c", "b"]], (1.0, 1.0), 1)[0][0] == "b"


@given(RANKINGS, st.integers(0, 10))
def test_scores_fall_and_nothing_is_invented(rankings: list[list[str]], limit: int) -> None:
    """Each id once, best first, no more than asked."""
    fused = fuse(rankings, [1.0] * len(rankings), limit)
    assert len(fused) == min(limit, len({id for ranking in rankings for id in ranking}))
    assert [score for _, score in fused] == sorted((score for _, score in fused), reverse=True)
    assert len({id for id, _ in fused}) == len(fused)


@given(st.lists(st.sampled_from("abcdefgh"), unique=True))
def test_one_ranking_stays_as_it_is(ranking: list[str]) -> None:
    """Fusing with nothing changes no order."""
    assert [id for id, _ in fuse([ranking, []], (1.0, 1.0), 10)] == ranking
