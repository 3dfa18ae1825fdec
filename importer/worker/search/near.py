"""Pure: how near the best of an answer is to its question: strong, weak or nothing. Told, never a cut.

`cosine + 0.3 share - 0.1 if a name is strange`, and with a date named `+ 0.14 date - 0.1`: the best cosine; the largest
share of the question's distinct stems in one of the first ten chunks, dates left out (words of a date stand in no text,
but in its time); whether the question has a name, number or path that none of the first ten chunks has; and how well
the best chunk fits the dates named. Below 0.575 what is found is about something else.

Measured on LoCoMo's five dialogues, 300 questions of the other four put to each: "nothing" is said of 93.1 % of them,
and of 99.5 % of the 1,237 that name no speaker of the dialogue asked, at 2.8 % of the hits lost. Cosine and share
alone, with dates counted as words, came to 85 % at 2.3 %. A logistic fit to these four, each dialogue told by the other
four, gives 93.1 % at 3.0 %; with the rarity of words, words missing in the whole store, cosines of passages, of the
question without names and of its content words alone, distance to the next conversation and four more beside them 94.1
% at 4.0 %: left out. What is left are plausible absences, which look like a weak hit: in a second drawing 98 of the 109
that are missed ask about a person of a name that the dialogue has, too (60 % of those are told), and no weighing of
these and twelve more measures tells 95 % of all at 3 % lost; a cross-encoder might. Of questions whose names were
replaced by the dialogue's own speakers, 41 % fall below.

A chunk that has every word of the question is never nothing: an identifier means nothing to the model.

Only the default model's cosines are known so well. For other models, and where no vector was asked, the share decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Literal

Near = Literal["strong", "weak", "nothing"]

FIRST_CHUNKS = 10
SHARE, DATED, UNDATED, STRANGE = 0.3, 0.04, 0.1, 0.1
NOTHING_BELOW = 0.575
STRONG_FROM = 0.75
LEAST_SHARE, STRONG_SHARE = 0.25, 0.75  # where the share alone decides
MEASURED = "all-minilm-l6-v2"  # whose cosines these limits are of
MOST_CAPITALS = 0.5  # of the words: more are a heading, in which a capital says nothing
_WORD = re.compile(r"[^\W_][\w./:-]*\w|\w")
_NAME = re.compile(r"[A-Z].*|.*\d.*|.*\w[./_:]\w.*")


def share(question: Collection[int], chunks: Iterable[Collection[int]]) -> float:
    """Return the largest share of the question's stems (their indices) in one chunk; 0 for a question without any."""
    wanted = frozenset(question)
    return max((len(wanted.intersection(chunk)) / len(wanted) for chunk in chunks), default=0.0) if wanted else 0.0


def strange(question: str, texts: Sequence[str]) -> bool:
    """Return True if the question has a name, a number or a path that none of the first texts has."""
    words = _WORD.findall(question)
    names = [word for word in words[1:] if _NAME.fullmatch(word) and len(word) > 1]
    if len(names) > MOST_CAPITALS * len(words):
        return False
    said = "\n".join(texts[:FIRST_CHUNKS]).lower()
    return any(name.lower() not in said for name in names)


def near(
    cosine: float | None, covered: float, found: bool, *, dated: float | None = None, strange: bool = False
) -> Near:
    """Return the word for an answer whose best cosine and share are given; `cosine` is None where it is not known.

    `dated` says how well the best chunk fits the question's dates (0 to 1, None for a question without), `strange` that
    a name stands in no chunk.
    """
    if not found:
        return "nothing"
    if cosine is None:
        return "strong" if covered >= STRONG_SHARE else "weak" if covered >= LEAST_SHARE else "nothing"
    time = 0.0 if dated is None else DATED * dated - UNDATED * (1 - dated)
    closeness = cosine + SHARE * covered + time - STRANGE * strange
    if closeness >= STRONG_FROM:
        return "strong"
    return "weak" if closeness >= NOTHING_BELOW or covered == 1.0 else "nothing"
