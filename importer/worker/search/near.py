"""Pure: how near the best of an answer is to its question: strong, weak or nothing. Told, never a cut.

`max cosine + 0.3 share`, where share is the largest share of the question's distinct stems in one of the first ten
chunks. Below 0.59 what is found is about something else: on LoCoMo's held-out half 97.8 % of the questions of other
dialogues are below it and 1.9 % of the hits, on a real store 100 % and 1.0 % (RANKING study, 4). Of questions about
something that the same people never said, 35 to 56 % are: a plausible absence looks like a weak hit.

A chunk that has every word of the question is never nothing: an identifier means nothing to the model. (Of 600
questions of other dialogues 3 were covered whole, and none of these was below the limit.)

Only the default model's cosines are known so well. For other models, and where no vector was asked, the share decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

Near = Literal["strong", "weak", "nothing"]

FIRST_CHUNKS = 10
SHARE = 0.3
NOTHING_BELOW = 0.59
STRONG_FROM = 0.75
LEAST_SHARE, STRONG_SHARE = 0.25, 0.75  # where the share alone decides
MEASURED = "all-minilm-l6-v2"  # whose cosines these limits are of


def share(question: Collection[int], chunks: Iterable[Collection[int]]) -> float:
    """Return the largest share of the question's stems (their indices) in one chunk; 0 for a question without any."""
    wanted = frozenset(question)
    return max((len(wanted.intersection(chunk)) / len(wanted) for chunk in chunks), default=0.0) if wanted else 0.0


def near(cosine: float | None, covered: float, found: bool) -> Near:
    """Return the word for an answer whose best cosine and share are given; `cosine` is None where it is not known."""
    if not found:
        return "nothing"
    if cosine is None:
        return "strong" if covered >= STRONG_SHARE else "weak" if covered >= LEAST_SHARE else "nothing"
    closeness = cosine + SHARE * covered
    if closeness >= STRONG_FROM:
        return "strong"
    return "weak" if closeness >= NOTHING_BELOW or covered == 1.0 else "nothing"
