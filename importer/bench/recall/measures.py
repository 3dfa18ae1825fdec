"""Pure: what the ranks of right conversations come to, with intervals.

    hit@k      share of the questions with a right conversation among the first k distinct ones
    MRR        mean of 1 / rank of the first right one, 0 where there is none
    recall@k   mean share of the right conversations (or turns) among the first k conversations (or hits)

Intervals are 95 % percentile bootstraps over questions (Efron 1979), 1,000 draws from a fixed seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles

DRAWS = 1_000
TIMES = ("p50", "p95")


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """What one question found: ranks (from 1) of right conversations among the distinct ones, and of right turns.

    `right` and `turns` are how many there are to be found; `near` is the answer's own word; `took_s` is the time from
    text to hits.
    """

    question: str
    haystack: str
    category: str
    near: str
    took_s: float
    right: int
    ranks: tuple[int, ...]
    turns: int = 0
    turn_ranks: tuple[int, ...] = ()


Measure = Callable[[QuestionResult], float]


def hit(k: int) -> Measure:
    """Return the measure hit@k."""
    return lambda one: float(bool(one.ranks) and one.ranks[0] <= k)


def reciprocal(one: QuestionResult) -> float:
    """Return 1 / rank of the first right conversation, 0 without one."""
    return 1 / one.ranks[0] if one.ranks else 0.0


def recall(k: int) -> Measure:
    """Return the measure recall@k of conversations."""
    return lambda one: sum(rank <= k for rank in one.ranks) / one.right


def turn_recall(k: int) -> Measure:
    """Return the measure recall@k of turns, for questions whose turns are known."""
    return lambda one: sum(rank <= k for rank in one.turn_ranks) / one.turns


MEASURES: Mapping[str, Measure] = {
    "hit@1": hit(1),
    "hit@5": hit(5),
    "hit@10": hit(10),
    "mrr": reciprocal,
    "recall@5": recall(5),
    "recall@10": recall(10),
}
TURN_MEASURES: Mapping[str, Measure] = {"turns@5": turn_recall(5), "turns@10": turn_recall(10)}


def figures(asked: Sequence[QuestionResult]) -> dict[str, object]:
    """Return the figures of a run: all measures with intervals, by category, the share told nothing, and the times."""
    rated = [one for one in asked if one.right]
    absent = [one for one in asked if not one.right]
    categories = sorted({one.category for one in rated})
    return {
        "questions": len(rated),
        **_measured(rated),
        "told_nothing": _share(rated, lambda one: one.near == "nothing"),
        "absent": {"questions": len(absent), "told_nothing": _share(absent, lambda one: one.near == "nothing")},
        "by_category": {name: _by_category([one for one in rated if one.category == name]) for name in categories},
        "seconds_a_question": _times([one.took_s for one in asked]),
    }


def _measured(asked: Sequence[QuestionResult]) -> dict[str, dict[str, float]]:
    """Return every measure as value, low and high."""
    found = {name: interval([measure(one) for one in asked]) for name, measure in MEASURES.items()}
    with_turns = [one for one in asked if one.turns]
    found |= {name: interval([measure(one) for one in with_turns]) for name, measure in TURN_MEASURES.items()}
    return {name: {"value": value, "low": low, "high": high} for name, (value, low, high) in found.items()}


def _by_category(asked: Sequence[QuestionResult]) -> dict[str, object]:
    """Return the values of a category's questions, and the intervals they are in."""
    found = _measured(asked)
    values = {name: one["value"] for name, one in found.items()}
    return {"questions": len(asked), **values, "intervals": {n: [one["low"], one["high"]] for n, one in found.items()}}


def interval(values: Sequence[float], draws: int = DRAWS) -> tuple[float, float, float]:
    """Return the mean and its 95 % interval; zeros for no values."""
    if not values:
        return 0.0, 0.0, 0.0
    rng = random.Random(1)  # noqa: S311  # draws, not keys
    means = sorted(fmean(rng.choices(values, k=len(values))) for _ in range(draws))
    return round(fmean(values), 4), round(means[int(draws * 0.025)], 4), round(means[int(draws * 0.975) - 1], 4)


def _share(asked: Sequence[QuestionResult], holds: Callable[[QuestionResult], bool]) -> float:
    """Return the share of the questions for which something holds, 0 for none."""
    return round(sum(map(holds, asked)) / len(asked), 4) if asked else 0.0


def _times(seconds: Iterable[float]) -> dict[str, float]:
    """Return median and 95th percentile."""
    found = sorted(seconds)
    if len(found) < 2:
        return {name: round(found[0], 4) if found else 0.0 for name in TIMES}
    cuts = quantiles(found, n=20, method="inclusive")
    return {"p50": round(cuts[9], 4), "p95": round(cuts[18], 4)}
