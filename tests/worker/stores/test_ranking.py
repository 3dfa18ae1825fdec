"""Rank fusion: what stands high in either ranking stands high in the end."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from importer.worker.stores.ranking import fuse

RANKINGS = st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), min_size=1, max_size=3)


def ranked(ids: Iterable[str]) -> list[tuple[str, float]]:
    """Scores that fall by a tenth from rank to rank."""
    return [(id, 0.9**at) for at, id in enumerate(ids)]


def order(*rankings: Iterable[str], limit: int = 10) -> list[str]:
    return [id for id, _ in fuse([ranked(ranking) for ranking in rankings], limit)]


def test_both_firsts_come_before_any_second() -> None:
    """Neither ranking alone decides."""
    assert order("ac", "bd") == ["a", "b", "c", "d"]


def test_agreement_wins() -> None:
    """Second in both beats first in one."""
    assert order("ab", "cb", limit=1) == ["b"]


def test_scores_settle_what_ranks_leave_open() -> None:
    """Of two seconds, the one nearer to its first; on any scale of its ranking."""
    fused = fuse([[("a", 1.0), ("b", 0.1)], [("c", 90.0), ("d", 80.0)]], 10)
    assert [id for id, _ in fused] == ["a", "c", "d", "b"]


def test_scores_below_zero_are_no_scores() -> None:
    """Vectors may point away from each other."""
    assert [id for id, _ in fuse([[("a", -0.1), ("b", -0.5)], []], 10)] == ["a", "b"]


@given(RANKINGS, st.integers(0, 10))
def test_scores_fall_and_nothing_is_invented(rankings: list[list[str]], limit: int) -> None:
    """Each id once, best first, no more than asked."""
    fused = fuse([ranked(ranking) for ranking in rankings], limit)
    assert len(fused) == min(limit, len({id for ranking in rankings for id in ranking}))
    assert [score for _, score in fused] == sorted((score for _, score in fused), reverse=True)
    assert len({id for id, _ in fused}) == len(fused)


@given(st.lists(st.sampled_from("abcdefgh"), unique=True))
def test_one_ranking_stays_as_it_is(ranking: list[str]) -> None:
    """Fusing with nothing changes no order."""
    assert order(ranking, "") == ranking
