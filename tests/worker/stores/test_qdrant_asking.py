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
from importer.worker.stores.candidates import DEPTH, FACTS
from importer.worker.stores.qdrant.asking import questions
from importer.worker.stores.qdrant.store import QdrantStore, open_store

pytestmark = pytest.mark.slow

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


@pytest.mark.parametrize("mode", ["keyword", "dense", "hybrid"])
@pytest.mark.parametrize("text", ["number7", "prompt about what stands in every text", "prompt of 8 January 2026"])
@pytest.mark.parametrize("limit", [1, 10, 120])
def test_a_search_is_one_request(server: ScriptedQdrant, store: QdrantStore, mode: str, text: str, limit: int) -> None:
    """No second one fetches what is shown, however far down in its ranking that stands."""
    found = answer.search(store, Query(text, limit=limit, mode=mode), vector(7), KNOWN)
    assert found.hits
    assert all(hit.document and hit.metadata for hit in found.hits)
    assert sum(path.endswith(SEARCHES) for _, path in server.requests) == 1


def test_every_ranking_is_asked_once() -> None:
    """With the texts of a server, which are sent packed; without them in local mode, which has them at hand."""
    for whole, payload in ((True, True), (False, FACTS)):
        asked = questions(Lookup("number7", vector(7)), "dense", stemmed=True, whole=whole)
        assert [(kind, one.limit, one.with_payload) for kind, one in asked] == [
            (kind, DEPTH, payload) for kind in ("cosine", "words", "stems")
        ]
