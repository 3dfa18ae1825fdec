"""Pure: chunks with raw scores become ranked conversations, with the reasons.

`u = ln(1 + points)` is about what one word that stands nowhere else is worth to BM25; cosines and dates are weighed in
it, so the constants hold for stores of any size. Per chunk `lex = 0.35 words + 0.65 stems` and `f = lex + 1.25 u
cosine`; per conversation `S = max f + 0.25 (second + third lex) + u date`. Scores are added, not ranks: the best match
of a vector that means nothing weighs as much as an exact one where ranks count (first hits on identifiers: 59 % with
ranks, 96 % so).

Measured on LoCoMo (held-out half, 963 questions), first hit / first five: ranks 0.616 / 0.898, this 0.753 / 0.935;
without stems 0.723 / 0.922, without dates 0.730 / 0.916, without second and third 0.741 / 0.929, without vectors 0.747
/ 0.927. The constants come from the other half and are flat: 1 to 2 u for cosines differ by 0.002.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

from importer.worker.stores.candidates import Candidate, Candidates

WORDS, STEMS = 0.35, 0.65
COSINE = 1.25  # times u
SUPPORT = 0.25  # of the second and third chunk; 0.2 to 0.3 gave LoCoMo the same, 0.3 cost real titles first hits
DATE = 1.0  # times u; 0.75 to 2 differed by 0.004
WORDS_PLACE, COSINE_PLACE = 3, 5  # where the conversation with the best words, or the best cosine, stands at worst
# Words of the first conversation that say less than this share of what the question's words could (a little more, the
# nearer the best cosine is than that conversation's) are no evidence: then the best cosine stands first, unless a date
# is named, and words weigh a tenth. Paraphrases that share hardly a word: 0.50 of the first hits, as by vectors alone
# (0.37 with 0.15 alone, .21 without a guard), and 0.84 among the first five (0.73 where words weigh as ever, 0.90 by
# vectors alone); LoCoMo and identifiers the same. From 0.2 on, or with a limit above 0.3, LoCoMo loses up to a point,
# and 0.3 of its first five where words do not weigh at all.
WEAK_WORDS, WEAK_MOST, WEAK_EVIDENCE = 0.15, 0.3, 0.1
MOST_CHUNKS = 3  # of one conversation among the hits, where there are others
DISTINCT = 5  # conversations at least among the hits, if there are so many
DIGITS = 4  # of scores that are compared: engines differ in the last bits of a float32


class Scored(NamedTuple):
    """One chunk with what it was ranked by: `score` is f of the module's formula, `date` from 0 to 1."""

    id: str
    score: float
    lexical: float
    words: float
    cosine: float | None
    date: float


class RankedConversation(NamedTuple):
    """One conversation: its score and its chunks, the best first. `id` is that of the chunk where none is named."""

    id: str
    score: float
    chunks: tuple[Scored, ...]


def rank(
    given: Candidates,
    points: int,
    mode: str,
    date_fit: Callable[[str], float] = lambda _at: 0.0,
    terms: int = 0,
) -> list[RankedConversation]:
    """Return all conversations that have a candidate, the best first.

    `points` is how many the store holds, `mode` is hybrid, dense (cosines alone, which are the scores then) or keyword
    (everything but cosines). `date_fit` says how well a time fits the dates that the question names, from 0 to 1;
    `terms` is how many distinct stems the question has, 0 if that is not known.
    """
    unit = math.log1p(max(1, points))
    scored = partial(_scored, mode=mode, stemmed=given.stemmed, weight=COSINE * unit, floor=_floor(given.found))
    ranked = _ranked(
        [(one, scored(one, date=date_fit(one.at))) for one in given.found], 0.0 if mode == "dense" else unit
    )
    if mode != "hybrid":
        return ranked
    if not _weak(ranked, unit * terms):
        return _guarded(ranked, COSINE_PLACE)
    faint = [(one, scored(one, date=date_fit(one.at), evidence=WEAK_EVIDENCE)) for one in given.found]
    return _guarded(_ranked(faint, unit, WEAK_EVIDENCE), 1)


def _ranked(scored: Iterable[tuple[Candidate, Scored]], unit: float, evidence: float = 1.0) -> list[RankedConversation]:
    """Return the conversations of chunks by score; with a unit of 0 the best chunk's score is theirs."""
    grouped: dict[str, list[Scored]] = {}
    for one, chunk in scored:
        grouped.setdefault(one.conversation or one.id, []).append(chunk)
    ranked = [_conversation(id, chunks, unit, evidence) for id, chunks in grouped.items()]
    return sorted(ranked, key=lambda one: (-round(one.score, DIGITS), one.id))


def _weak(ranked: Sequence[RankedConversation], most: float) -> bool:
    """Return True if the first one's words, which could come to `most`, are no evidence, and no date is; 0: unknown."""
    if not most or not ranked or any(chunk.date for one in ranked for chunk in one.chunks):
        return False
    first = ranked[0].chunks
    best = max(chunk.cosine or 0.0 for one in ranked for chunk in one.chunks)
    nearer = best - max(chunk.cosine or 0.0 for chunk in first)
    return max(chunk.lexical for chunk in first) < min(WEAK_MOST, WEAK_WORDS + nearer) * most


def _floor(found: Iterable[Candidate]) -> float:
    """Return the lowest cosine found: a chunk that the vectors' ranking lacks has this at most."""
    return min((one.cosine for one in found if one.cosine is not None), default=0.0)


def _scored(
    one: Candidate, *, mode: str, stemmed: bool, weight: float, floor: float, date: float, evidence: float = 1.0
) -> Scored:
    """Return a chunk with its f, to which words come by their `evidence`. While not all have stems, words stand in."""
    lexical = WORDS * one.words + STEMS * one.stems if stemmed else one.words
    cosine = floor if one.cosine is None else one.cosine
    score = evidence * lexical + weight * cosine
    if mode != "hybrid":
        score = cosine if mode == "dense" else lexical
    return Scored(one.id, score, lexical, one.words, one.cosine, date)


def _conversation(id: str, chunks: Sequence[Scored], unit: float, evidence: float) -> RankedConversation:
    """Return a conversation with its score and its chunks in order."""
    if len(chunks) == 1:  # as most have, of a few hundred a question
        return RankedConversation(id, chunks[0].score + DATE * unit * chunks[0].date, (chunks[0],))
    ordered = tuple(sorted(chunks, key=_best_first))
    score = ordered[0].score
    if unit:
        support = sum(sorted((one.lexical for one in chunks), reverse=True)[1:3])
        score += evidence * SUPPORT * support + DATE * unit * max(one.date for one in chunks)
    return RankedConversation(id, score, ordered)


def _best_first(one: Scored) -> tuple[float, str]:
    """Order chunks by score, equal ones by id."""
    return -round(one.score, DIGITS), one.id


def _guarded(ranked: list[RankedConversation], cosine_place: int) -> list[RankedConversation]:
    """Return the order in which neither the best words nor the best cosine were voted down."""
    best_words = max(ranked, key=lambda one: max(chunk.words for chunk in one.chunks), default=None)
    best_cosine = max(ranked, key=lambda one: max(chunk.cosine or 0.0 for chunk in one.chunks), default=None)
    for one, place in ((best_cosine, cosine_place), (best_words, WORDS_PLACE)):
        if one is not None and ranked.index(one) >= place:
            ranked.remove(one)
            ranked.insert(place - 1, one)
    return ranked


def hits(ranked: Sequence[RankedConversation], limit: int) -> list[tuple[RankedConversation, Scored]]:
    """Return at most `limit` chunks, conversation by conversation; all there are, if these are not more.

    Each conversation gives its best chunk. Up to two more stand beside it if they say more than the best of the last
    conversation that must be there: `DISTINCT` of them, or half of the limit, are.
    """
    distinct = max(min(limit, DISTINCT), limit // 2)
    last = ranked[min(distinct, len(ranked)) - 1].chunks[0].score if ranked else 0.0
    beside = [(chunk, place) for one in ranked for place, chunk in enumerate(one.chunks[1:], 1)]
    good = sorted((one for one, place in beside if place < MOST_CHUNKS and one.score > last), key=_best_first)
    chosen = {one.id for one in good[: limit - distinct]}
    rest = sorted((one for one, _ in beside if one.id not in chosen), key=_best_first)
    chosen |= {one.id for one in rest[: max(0, limit - len(ranked) - len(chosen))]}
    laid_out = (
        (one, chunk) for one in ranked for place, chunk in enumerate(one.chunks) if not place or chunk.id in chosen
    )
    return list(islice(laid_out, limit))
