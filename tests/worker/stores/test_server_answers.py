"""What real servers answer and what is done about it, as the table in `server_answers` has it."""

from __future__ import annotations

import json
import pathlib
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from certificates import NEEDS_OPENSSL, certificate
from numbered_points import DIMENSION, MODEL, everything, identity, numbered, vector
from scripted_grpc import ScriptedGrpc
from scripted_http import Fault
from scripted_qdrant import ScriptedQdrant
from server_answers import TABLE, Row
from worker_told import store_settings

from importer.errors import STORE, TRY_AGAIN, PointsRejected, StoreError
from importer.worker.patience import Patience
from importer.worker.stores import Lookup, Ownership, StoreRequest
from importer.worker.stores.qdrant.store import QdrantStore, open_store

pytestmark = pytest.mark.slow

POINTS = 20
Rule = Callable[[str, str, Any], tuple[int, str] | None]


PATHS = {"write": "/points", "change": "/points/batch", "search": "/points/query/batch", "lookup": "/points"}
PATHS |= {"scroll": "/points/scroll", "count": "/points/count", "facet": "/facet"}
PATHS |= dict.fromkeys(("survey", "bare"), "/points/scroll")
METHODS = {"write": "PUT"}
# How large a request must be to be refused, where a smaller one is the remedy; and how it is otherwise where it is not.
SIZES: dict[str, Callable[[Any], bool]] = {
    "write": lambda body: len(body["points"]) > 8,
    "lookup": lambda body: len(body["ids"]) > 8,
    "search": lambda body: len(body["searches"]) > 1,
    "change": lambda body: "has_id" in json.dumps(body) and json.dumps(body).count("-4") > 8,
}


@pytest.fixture
def server() -> Iterator[ScriptedQdrant]:
    with ScriptedQdrant() as found:
        yield found


def opened(url: str, **settings: Any) -> QdrantStore:
    return open_store(StoreRequest(store_settings(url, **settings), MODEL, DIMENSION), Patience(sleep=lambda _: None))


def act(store: QdrantStore, to: str) -> object:
    """Do what the server answers to."""
    ids = [identity(number) for number in range(POINTS)]
    if to == "write":
        return store.write(numbered(POINTS), {}, [])
    if to == "change":
        return store.write([], {id: Ownership(("a",)) for id in ids}, [])
    if to == "search":
        return len(store.candidates(Lookup("number3 prompt tests", vector(3), depth=100)).found)
    reads: dict[str, Callable[[], object]] = {
        "survey": lambda: surveyed(store),
        "bare": lambda: len(store.bare(ids)),
        "lookup": lambda: len(store.lookup(ids)),
        "scroll": lambda: len(everything(store, 256)),
        "count": store.count,
        "facet": lambda: sum(store.facet("conversation_id", 100).values()),
    }
    return reads[to]()


def surveyed(store: QdrantStore) -> int:
    """Return how many points the pages of a comparison have."""
    page = store.survey(None, 256)
    count = len(page.points)
    while page.next is not None:
        page = store.survey(page.next, 256)
        count += len(page.points)
    return count


def refused(row: Row, body: Any) -> bool:
    """Return True if the rule of the row refuses this request: by its size, or by a parameter."""
    if row.done == "split":
        return SIZES[row.to](body)
    if row.done != "within":
        return True
    asked = body["searches"] if row.to == "search" else [body]
    if "limit" in row.words.partition(" for ")[2]:
        return any((one.get("limit") or 0) > 8 for one in asked)
    return any(one.get("exact") or "oversampling" in json.dumps(one.get("params") or {}) for one in asked)


def rule_of(row: Row, seen: list[Any]) -> Rule:
    def rule(method: str, path: str, body: Any) -> tuple[int, str] | None:
        if not path.endswith(PATHS[row.to]) or method != METHODS.get(row.to, "POST") or not refused(row, body):
            return None
        seen.append(body)
        return row.status, row.words

    return rule


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_each_answer_has_its_reaction(server: ScriptedQdrant, row: Row) -> None:
    """As the table says, and nothing is left out that was written or asked."""
    store, seen = opened(server.url), list[Any]()
    store.write(numbered(POINTS), {}, [])
    wanted = act(store, row.to)
    if row.to == "write":
        server.points.clear()
    if row.done == "retry":
        body = json.dumps({"status": {"error": row.words}}).encode()
        server.faults.extend([Fault(PATHS[row.to], row.status, {"Retry-After": "1"}, body)] * 2)
        assert act(store, row.to) == wanted
        assert not server.faults
    else:
        server.rule = rule_of(row, seen)
    if row.done in ("split", "within"):
        found = act(store, row.to)
        assert found == wanted or (row.name == "max_query_limit, search" and found)  # fewer candidates, then
        assert seen
        assert len(server.points) == POINTS
        seen.clear()
        act(store, row.to)
        assert len(seen) == 0 or row.done == "split", "a limit that is known is kept to"
    if row.done in ("wait", "refuse"):
        with pytest.raises(StoreError) as caught:
            act(store, row.to)
        assert caught.value.exit_code == {"wait": TRY_AGAIN, "refuse": STORE}[row.done]
        assert row.hint in caught.value.hint
        assert row.words[:20] in caught.value.message
    store.close()


def test_a_key_that_reads_opens_searches_and_counts(server: ScriptedQdrant) -> None:
    """Missing indexes, stems to be made, indexing that was left off: all that is for a key that writes."""
    opened(server.url).write(numbered(POINTS), {}, [])
    ((_, collection),) = server.collections.items()
    collection["schema"].popitem()
    collection["made_with"]["metadata"].pop("importer_stems")
    collection["made_with"]["optimizers_config"] = {"indexing_threshold": 0}
    reads = ("/points", "/query/batch", "/count", "/scroll", "/facet")

    def reading(method: str, path: str, _body: Any) -> tuple[int, str] | None:
        allowed = method == "GET" or (method == "POST" and path.endswith(reads))
        return None if allowed else (403, "Forbidden: Global manage access is required")

    server.rule = reading
    store = opened(server.url)
    assert (store.count(), len(everything(store)), store.upkeep()) == (POINTS, POINTS, False)
    assert store.candidates(Lookup("number3", None)).found
    store.backlog(True)
    store.close()


def test_a_point_that_another_host_deletes_meanwhile_ends_nothing(server: ScriptedQdrant) -> None:
    """A server answers 404 as to a collection that is gone; the page is read anew."""
    opened(server.url).write(numbered(POINTS), {}, [])
    ((_, collection),) = server.collections.items()
    collection["made_with"]["metadata"].pop("importer_stems")
    store = opened(server.url)

    def deleted(_method: str, path: str, _body: Any) -> None:
        if path.endswith("/points/vectors"):
            server.points.pop(identity(3), None)

    server.rule = deleted
    assert store.upkeep()
    while store.upkeep():
        pass
    assert (store.count(), collection["made_with"]["metadata"]["importer_stems"]) == (POINTS - 1, "done")
    store.close()


def test_an_index_of_another_type_gives_way(server: ScriptedQdrant) -> None:
    """As another program may have made it: projects could not be counted by it."""
    opened(server.url).close()
    ((_, collection),) = server.collections.items()
    collection["schema"]["metadata.project"] = {"data_type": "text", "points": 0}
    server.requests.clear()
    opened(server.url).close()
    assert collection["schema"]["metadata.project"]["data_type"] == "keyword"
    assert sum(path.endswith("/index") for _, path in server.requests) == 1


def test_indexes_that_strict_mode_does_not_allow_are_done_without(server: ScriptedQdrant) -> None:
    """Searches find the same without them."""
    words = "Collection already has the maximum number of payload indices (1). Help: Please delete an existing index."
    server.rule = lambda _method, path, _body: (403, words) if path.endswith("/index") else None
    store = opened(server.url)
    store.write(numbered(3), {}, [])
    assert store.count() == 3
    store.close()


def test_a_sparse_vector_that_strict_mode_calls_too_long_is_a_point_of_its_own(server: ScriptedQdrant) -> None:
    """It is put aside, and the others are stored."""
    store = opened(server.url)

    def rule(method: str, path: str, body: Any) -> tuple[int, str] | None:
        bad = method == "PUT" and path.endswith("/points") and any(one["id"] == identity(3) for one in body["points"])
        return (403, "Sparse vector 'bm25' has a limit of 9 indices. Help: Reduce it.") if bad else None

    server.rule = rule
    with pytest.raises(PointsRejected) as caught:
        store.write(numbered(POINTS), {}, [])
    assert caught.value.ids == (identity(3),)
    assert len(server.points) == POINTS - 1
    store.close()


@NEEDS_OPENSSL
@pytest.mark.parametrize("scheme", ["http", "https", "grpc", "grpcs"])
def test_what_no_waiting_mends_is_refused(tmp_path: pathlib.Path, scheme: str) -> None:
    """A plain address of a port that encrypts, and a certificate that is not trusted: over REST and gRPC."""
    key, signed = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(signed, key)
    pair = pathlib.Path(key).read_bytes(), pathlib.Path(signed).read_bytes()
    with ScriptedQdrant(tls=tls) as rest, ScriptedGrpc(pair=pair) as grpc:
        port = (rest.url if "http" in scheme else grpc.url).rpartition(":")[2]
        with pytest.raises(StoreError) as caught:
            opened(f"{scheme}://127.0.0.1:{port}")
    assert caught.value.exit_code == STORE
    assert ("ca_file" if scheme.endswith("s") else "https://") in caught.value.hint


@pytest.mark.parametrize("scheme", ["https", "grpcs"])
def test_an_encrypted_address_of_a_plain_port_is_refused(scheme: str) -> None:
    """The hint gives the scheme that is accepted then."""
    with ScriptedQdrant() as rest, ScriptedGrpc() as grpc, pytest.raises(StoreError) as caught:
        port = (rest.url if scheme == "https" else grpc.url).rpartition(":")[2]
        opened(f"{scheme}://127.0.0.1:{port}")
    assert caught.value.exit_code == STORE
    assert "http://" in caught.value.hint
