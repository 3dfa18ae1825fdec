"""What real servers answer, as their source and documentation have it, and what is done about it: one table.

retry   it is tried again, and done          split   the request is made smaller, and done
within  it is asked otherwise, and done      wait    75: an outage, nothing is lost
refuse  5: the import ends, with a hint that names what helps
"""

from __future__ import annotations

import json
import pathlib
import ssl
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from certificates import NEEDS_OPENSSL, certificate
from numbered_points import DIMENSION, MODEL, everything, identity, numbered, vector
from scripted_grpc import ScriptedGrpc
from scripted_http import Fault
from scripted_qdrant import ScriptedQdrant
from worker_told import store_settings

from importer.errors import STORE, TRY_AGAIN, PointsRejected, StoreError
from importer.worker.patience import Patience
from importer.worker.stores import Lookup, Ownership, StoreRequest
from importer.worker.stores.qdrant.store import QdrantStore, open_store

pytestmark = pytest.mark.slow

POINTS = 20
Rule = Callable[[str, str, Any], tuple[int, str] | None]


class Row(NamedTuple):
    """One answer: to what it is given, its status and words, what must be done, and a word of the hint."""

    name: str
    to: str
    status: int
    words: str
    done: str
    hint: str = ""


LIMITER = (
    "Rate limiting exceeded: {} rate limit exceeded, request larger than rate limiter capacity, please try to split"
)
INDEX = (
    'Index required but not found for "metadata.branch" of one of the following types: [keyword]. Help: Create an index'
)
ROOM = "{} usage is at {}% of total, exceeding the configured limit of {}%. Help: Reduce it, or raise the limit."
LIMIT = 'Limit exceeded {} > {} for "{}". Help: Reduce the "{}" parameter to or below {}.'
TABLE = [
    Row("write_rate_limit", "write", 429, "Rate limiting exceeded: Write rate limit exceeded", "retry"),
    Row("write_rate_limit, larger than it ever lets through", "write", 429, LIMITER.format("Write"), "split"),
    Row("read_rate_limit", "scroll", 429, "Rate limiting exceeded: Read rate limit exceeded", "retry"),
    Row("read_rate_limit, larger than it ever lets through", "lookup", 429, LIMITER.format("Read"), "split"),
    Row("read_rate_limit in a search", "search", 429, LIMITER.format("Read"), "split"),
    Row("a body too large for a proxy", "write", 413, "<html>Request Entity Too Large</html>", "split"),
    Row("max_request_size_mb", "write", 400, "Payload error: JSON payload has exceeded limit", "split"),
    Row("upsert_max_batchsize", "write", 403, LIMIT.format(20, 8, "upsert limit", "upsert limit", 8), "split"),
    Row("search_max_batchsize", "search", 403, LIMIT.format(3, 1, "search batch size", "search", 1), "split"),
    Row("filter_max_conditions", "change", 403, "Filter condition limit reached (20 > 8). Help: Reduce", "split"),
    Row("condition_max_size", "change", 400, "Condition size limit reached (20 > 8). Help: Reduce", "split"),
    Row("max_query_limit, scroll", "scroll", 403, LIMIT.format(256, 8, "limit", "limit", 8), "within"),
    Row("max_query_limit of other versions", "scroll", 400, LIMIT.format(256, 8, "limit", "limit", 8), "within"),
    Row("max_query_limit, search", "search", 403, LIMIT.format(100, 8, "limit", "limit", 8), "within"),
    Row("max_query_limit, facet", "facet", 403, LIMIT.format(100, 8, "limit", "limit", 8), "within"),
    Row("search_allow_exact", "count", 403, "Exact search disabled!. Help: Set exact=false.", "within"),
    Row("search_max_oversampling", "search", 403, LIMIT.format(2, 1.5, "oversampling", "oversampling", 1.5), "within"),
    Row("max_points_count", "write", 400, "Max points count limit of 10 reached!", "refuse", "importer forget"),
    Row(
        "max_collection_vector_size_bytes",
        "write",
        400,
        "Max vector storage size limit of 9 reached!",
        "refuse",
        "forget",
    ),
    Row("max_resident_memory_percent", "write", 400, ROOM.format("Resident memory usage", 91, 85), "wait", "no room"),
    Row("max_disk_usage_percent", "write", 403, ROOM.format("Disk usage", 96, 90), "wait", "no room"),
    Row("max_resident_memory_percent, of payloads", "change", 400, ROOM.format("Resident", 91, 85), "wait", "no room"),
    Row("sharding of its own", "write", 400, "Wrong input: Shard key not specified", "refuse", "COLLECTION_NAME"),
    Row("another limit of strict mode", "write", 400, "No such thing!. Help: Send none.", "refuse", "strict mode"),
    Row("locked against writing", "write", 403, "Storage locked: maintenance", "wait", "unlocked"),
    Row("--read-only", "write", 403, "Read-only mode: write operations are not allowed.", "refuse", "--read-only"),
    Row("max_query_limit, comparison", "survey", 403, LIMIT.format(256, 8, "limit", "limit", 8), "within"),
    Row("max_query_limit, no vectors", "bare", 403, LIMIT.format(20, 8, "limit", "limit", 8), "within"),
    Row("a replica that hangs", "lookup", 500, "1 of 2 read operations failed: Timeout", "wait", "importer status"),
    Row("unindexed_filtering_retrieve", "search", 403, INDEX, "refuse", "--branch"),
    Row("unindexed_filtering_update", "change", 400, INDEX, "refuse", "strict mode"),
    Row("a key that reads", "write", 403, "Forbidden: Global manage access is required", "refuse", "QDRANT_API_KEY"),
    Row("a wrong key", "lookup", 401, "Invalid API key or JWT", "refuse", "QDRANT_API_KEY"),
    Row(
        "no key", "search", 401, "Must provide an API key or an Authorization bearer token", "refuse", "QDRANT_API_KEY"
    ),
    Row(
        "the collection is gone", "write", 404, "Not found: Collection `c` doesn't exist!", "refuse", "verify --repair"
    ),
    Row("a blip of the server", "write", 503, "Service Unavailable", "retry"),
    Row("it is busy for long", "write", 500, "Service internal error: timeout", "wait", "nothing is lost"),
    Row("a quota of the node", "write", 507, "Disk usage is over its quota", "wait", "no room"),
    Row("no room on its disk", "write", 500, "Service internal error: No space left on device: WAL", "wait", "no room"),
    Row("a shard that is busy with itself", "write", 503, "Shard temporarily unavailable: recovering", "retry"),
    Row("a proxy that knows no server", "lookup", 404, "default backend - 404", "wait", "QDRANT_URL"),
    Row("a page of the network's own", "write", 302, "<html>sign in</html>", "wait", "QDRANT_URL"),
    Row("too few nodes, reading", "lookup", 500, "does not have enough active replicas", "wait", "importer status"),
    Row(
        "too few nodes, writing",
        "write",
        500,
        "Failed to apply operation to at least one `Active` replica",
        "wait",
        "status",
    ),
    Row("a server that is too old for it", "lookup", 501, "Not Implemented", "refuse", "QDRANT_URL"),
]
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
