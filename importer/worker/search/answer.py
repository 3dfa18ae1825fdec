"""Answer a question from a store: dates, candidates, ranking, passages, and how near it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

from importer.protocol.query import Found, Hit, Passage, Query
from importer.worker.search import dates, evidence, near, passages, ranking, rerank, shown
from importer.worker.search.ranking import RankedConversation, Scored
from importer.worker.search.rerank import Reranker
from importer.worker.stores import Lookup, Store, bm25, scope_of
from importer.worker.stores.candidates import DEPTH
from importer.worker.stores.filters import has_file
from importer.worker.stores.schema import document, metadata

Payloads = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class QueryContext:
    """What is known beside a query: how many points the store holds, and the day of today.

    `judged` says that the limits of `near` are this model's; `reranker` orders the first conversations of mode hybrid.
    """

    points: int
    today: date
    judged: bool = False
    reranker: Reranker | None = None


def search(store: Store, query: Query, dense: Sequence[float] | None, known: QueryContext) -> Found:
    """Return the hits of a query, best conversation first, and how near they are; `dense` is the embedded text."""
    if not hasattr(store, "candidates"):
        return _of_plugin(store, query, dense)
    named = () if query.mode == "dense" else dates.named(query.text, known.today)
    found = store.candidates(_lookup(query, dense, dates.times(named, known.today)))
    fit = partial(dates.fit, dates=named) if named else lambda _at: 0.0
    terms = bm25.encode_query(query.text, stems=True)[0]
    ranked = ranking.rank(found, known.points, query.mode, fit, len(terms))
    agreed = _agreed(ranked)
    if known.reranker is not None and query.mode == "hybrid":
        ranked = _reranked(partial(_read, store, found.payloads), query.text, ranked, known.reranker)
    judged = ranking.hits(ranked, near.FIRST_CHUNKS)
    told = shown.first_shown(ranked, known.points, len(terms)) if query.mode == "hybrid" else ranked
    chosen = ranking.hits(told, query.limit)
    wanted = dict.fromkeys(chunk.id for _, chunk in (*chosen, *judged))
    payloads = _read(store, found.payloads, list(wanted))
    # A point deleted since it was ranked is left out, and one that has a file only nearly called so.
    kept = [(one, chunk, payloads[chunk.id]) for one, chunk in chosen if chunk.id in payloads]
    kept = [one for one in kept if has_file(metadata(one[2]), query.file)]
    texts = [document(payload) for *_, payload in kept]
    # How near an answer is does not hang on how much of it was asked for.
    first = [document(payloads[chunk.id]) for _, chunk in judged if chunk.id in payloads] if query.limit else []
    best = max((one.cosine for one in found.found if one.cosine is not None), default=None)
    word = near.near(
        best if known.judged else None,
        evidence.gathered(_asked(query.text, known.today), first),
        bool(kept),
        dated=max((chunk.date for _, chunk in judged), default=0.0) if named else None,
        agreed=agreed,
    )
    parts = passages.passages(query.text, texts)
    return Found(word, tuple(_hit(*one, passage) for one, passage in zip(kept, parts, strict=True)))


def _read(store: Store, known: Payloads, ids: Sequence[str]) -> Payloads:
    """Return the payloads of the chunks that exist: those that came with the candidates, else from the store."""
    return {**known, **store.read([id for id in ids if id not in known])}


def _reranked(
    read: Callable[[Sequence[str]], Payloads], question: str, ranked: list[RankedConversation], reranker: Reranker
) -> list[RankedConversation]:
    """Return the conversations with the first ones in the reranker's order, by their best chunks' passages."""
    first = ranked[: rerank.MOST_CONVERSATIONS]
    ids = [one.chunks[0].id for one in first]
    payloads = read(ids)
    parts = passages.passages(question, [document(payloads.get(id)) for id in ids])
    scores = reranker.scores(question, [passage.text for passage in parts])
    return [*(first[place] for place in rerank.order(scores)), *ranked[len(first) :]]


def _of_plugin(store: Any, query: Query, dense: Sequence[float] | None) -> Found:
    """Return what a plug-in's store finds that ranks by itself, with passages; how near that is, words tell."""
    found: Sequence[Hit] = store.search(query, dense)
    texts = [one.document for one in found]
    parts = passages.passages(query.text, texts)
    word = near.near(None, evidence.gathered(query.text, texts), bool(found))
    return Found(word, tuple(replace(one, passage=part) for one, part in zip(found, parts, strict=True)))


def _lookup(query: Query, dense: Sequence[float] | None, times: tuple[tuple[str, str], ...]) -> Lookup:
    """Return what the store is asked for: as many of each ranking as hits are wanted, at least `DEPTH`."""
    text = "" if query.mode == "dense" else query.text
    vector = None if query.mode == "keyword" else dense
    return Lookup(text, vector, scope_of(query), times, max(DEPTH, query.limit))


def _asked(question: str, today: date) -> str:
    """Return a question without its dates, which stand in no text, but in its time; as it is where that is all."""
    rest = dates.undated(question, today)
    return rest if bm25.encode_query(rest)[0] else question


def _agreed(ranked: Sequence[RankedConversation]) -> bool:
    """Return True if the conversation that ranks first has the best words, too."""
    words = [max(chunk.lexical for chunk in one.chunks) for one in ranked]
    return bool(words) and words[0] == max(words)


def _hit(one: RankedConversation, chunk: Scored, payload: Mapping[str, Any], passage: Passage) -> Hit:
    """Return a chunk as an answer shows it, with what it was ranked by."""
    reasons = {"words": chunk.lexical, "cosine": chunk.cosine, "date": chunk.date, "conversation": one.score}
    told = {name: round(value, ranking.DIGITS) for name, value in reasons.items() if value}
    return Hit(chunk.id, chunk.score, document(payload), metadata(payload), passage, told)
