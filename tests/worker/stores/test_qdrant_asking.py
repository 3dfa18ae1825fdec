"""One question to a server is one request: candidates with their scores, and the texts that are shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from numbered_points import DIMENSION, MODEL, numbered, vector
from scripted_qdrant import ScriptedQdrant
from worker_told import store_settings

from importer.protocol.query import Query
from importer.worker.search import answer
from importer.worker.search.answer import QueryContext
from importer.worker.stores import Lookup, StoreRequest
from importer.worker.stores.qdrant.asking import questions
from importer.worker.stores.qdrant.store import QdrantStore, open_store

POINTS = 150
KNOWN = QueryContext(POINTS, date(2026, 3, 1))
SEARCHES = ("/points/query/batch", "/points", "/points/scroll")


@pytest.fixture
def server() -> Iterator[ScriptedQdrant]:
    with ScriptedQdrant() as found:
        yield found


@pytest.fixture
def store(server: ScriptedQdrant) -> QdrantStore:
    found = open_store(StoreRequest(store_settings(server.url), MODEL, DIMENSION))
    found.write(numbered(POINTS), {}, ())
    server.requests.clear()
    return found


@pytest.mark.parametrize("mode", ["keyword"])
def test_a_search_is_one_request(server: ScriptedQdrant, store: QdrantStore, mode: str) -> None:
    """No second one fetches what is shown."""
    found = answer.search(store, Query("number7", limit=1, mode=mode), vector(7), KNOWN)
    assert len(found.hits) == 1
    assert all(hit.document and hit.metadata for hit in found.hits)
    assert sum(path.endswith(SEARCHES) for _, path in server.requests) == 1


def test_what_came_without_its_text_is_read(server: ScriptedQdrant, store: QdrantStore) -> None:
    """Of words that stand everywhere, the chunks shown may be far down in each ranking."""
    found = answer.search(store, Query("prompt", limit=3, mode="keyword"), None, KNOWN)
    assert len(found.hits) == 3
    assert all(hit.document for hit in found.hits)
    assert sum(path.endswith(SEARCHES) for _, path in server.requests) <= 2


def test_parts_of_a_ranking_are_the_ranking(store: QdrantStore) -> None:
    """Heads with whole payloads and the rest give the candidates and scores that one query each gives."""
    whole = store.candidates(Lookup("number7 prompt", vector(7), depth=100, whole=12))
    plain = store.candidates(Lookup("number7 prompt", vector(7), depth=100))
    scores = {one.id: (one.words, one.stems, one.cosine or 0.0) for one in plain.found}
    assert {one.id for one in whole.found} == scores.keys()
    for one in whole.found:
        assert (one.words, one.stems, one.cosine or 0.0) == pytest.approx(scores[one.id], abs=1e-6)
    assert not plain.payloads
    assert 12 <= len(whole.payloads) <= 36


def test_only_heads_carry_texts() -> None:
    """What is ranked and not shown travels without."""
    asked = questions(Lookup("number7", vector(7), depth=100, whole=10), "dense", stemmed=True)
    parts = {(kind, one.offset, one.limit, one.with_payload is True) for kind, one in asked}
    for kind in ("cosine", "words", "stems"):
        assert {(kind, None, 10, True), (kind, 10, 90, False)} <= parts
