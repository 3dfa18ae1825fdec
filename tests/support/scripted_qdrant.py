"""A stand-in for a Qdrant server: it keeps points, misbehaves as told, and has qdrant-client's local mode search them.

    with ScriptedQdrant() as server:
        server.faults.append(Fault("/points", status=429, headers={"Retry-After": "1"}))

A fault is used up by the first request whose path ends with `path`.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any

from hanging_up_server import HangingUpServer
from point_filters import passes, value_at
from qdrant_client import QdrantClient, models

HNSW = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000}
OPTIMIZER = {
    "deleted_threshold": 0.2,
    "vacuum_min_vector_number": 1000,
    "default_segment_number": 0,
    "flush_interval_sec": 5,
}


@dataclass(frozen=True)
class Fault:
    """What happens to one request: an answer, half of one, a reset; `applied` says whether its work is done first."""

    path: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    how: str = "answer"  # answer, half, reset, wait_timeout, one_replica (the points are then not on the other one)
    applied: bool = False


@dataclass
class ScriptedQdrant:
    """Listens on a free port of the loopback; `url` says where."""

    api_key: str = ""
    most_bytes: int = 1 << 30  # a greater body is answered 400, as the server does
    refused_words: tuple[str, ...] = ()  # an upsert with one of them in a document is answered 400
    faults: list[Fault] = field(default_factory=list)
    collections: dict[str, dict[str, Any]] = field(default_factory=dict)
    points: dict[str, dict[str, Any]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    received: Counter[str] = field(default_factory=Counter)  # bytes of bodies by method and last part of the path
    lacking: set[str] = field(default_factory=set)  # points that one of two replicas does not have
    tls: ssl.SSLContext | None = None
    rule: Callable[[str, str, Any], tuple[int, str] | None] = lambda _method, _path, _body: None  # what it refuses

    def __enter__(self) -> ScriptedQdrant:
        self._listen(0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Stop listening; afterwards listen on the same port again, with all points."""
        port = self._http.server_address[1]
        self._close()
        try:
            yield
        finally:
            self._listen(port)

    def _listen(self, port: int) -> None:
        outer = self

        class Handler(_Handler):
            server_state = outer

        self._http = HangingUpServer(("127.0.0.1", port), Handler)
        if self.tls is not None:
            self._http.socket = self.tls.wrap_socket(self._http.socket, server_side=True)
        self.url = f"http{'s' if self.tls else ''}://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def _close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self._http.hang_up()

    def fault(self, path: str) -> Fault | None:
        """Take the next fault for this path, None if there is none."""
        for at, found in enumerate(self.faults):
            if path.endswith(found.path):
                return self.faults.pop(at)
        return None

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Return status and result as a well-behaved server gives them."""
        parts = path.partition("?")[0].strip("/").split("/")
        if parts == [""]:
            return 200, {"title": "qdrant - vector search engine"}
        if parts in (["collections"], ["aliases"], ["collections", "aliases"]):
            return self._names(parts, body)
        collection = self.collections.get(self.aliases.get(parts[1], parts[1]))
        if parts[2:] == ["exists"]:
            return 200, {"exists": collection is not None}
        if method == "PUT" and len(parts) == 2:
            return self._create(parts[1], body)
        if collection is None:
            return 404, f"Collection `{parts[1]}` doesn't exist!"
        if "consistency=all" in path and "ids" in body:
            body = {**body, "ids": [id for id in body["ids"] if id not in self.lacking]}
        handlers: dict[tuple[str, ...], Callable[..., tuple[int, Any]]] = {
            (): self._describe if method == "GET" else self._update,
            ("index",): self._index,
            ("points",): self._upsert if method == "PUT" else self._retrieve,
            ("points", "batch"): self._batch,
            ("points", "count"): self._count,
            ("points", "scroll"): self._scroll,
            ("points", "query", "batch"): self._query,
            ("facet",): self._facet,
        }
        return handlers[tuple(parts[2:])](collection, body)

    def _names(self, parts: list[str], body: Any) -> tuple[int, Any]:
        if parts == ["collections"]:
            return 200, {"collections": [{"name": name} for name in self.collections]}
        for action in body["actions"] if body else ():
            self.aliases.pop(action.get("delete_alias", {}).get("alias_name", ""), None)
            if made := action.get("create_alias"):
                self.aliases[made["alias_name"]] = made["collection_name"]
        known = [{"alias_name": alias, "collection_name": name} for alias, name in self.aliases.items()]
        return 200, True if body else {"aliases": known}

    def _create(self, name: str, body: Any) -> tuple[int, Any]:
        if name in self.collections:
            return 409, f"Collection `{name}` already exists!"
        self.collections[name] = {"made_with": body, "schema": {}}
        self.points.clear()
        return 200, True

    def _describe(self, collection: dict[str, Any], _: Any) -> tuple[int, Any]:
        made = collection["made_with"]
        params = {"vectors": made["vectors"], "sparse_vectors": made.get("sparse_vectors"), "shard_number": 1}
        params |= {name: made.get(name) or 1 for name in ("replication_factor", "write_consistency_factor")}
        config = {
            "params": params,
            "hnsw_config": HNSW,
            "optimizer_config": {**OPTIMIZER, **made.get("optimizers_config", {})},
            "metadata": made.get("metadata"),
        }
        described = {"status": "green", "optimizer_status": "ok", "points_count": len(self.points), "segments_count": 1}
        return 200, {**described, "config": config, "payload_schema": collection["schema"]}

    def _update(self, collection: dict[str, Any], body: Any) -> tuple[int, Any]:
        told = {**(collection["made_with"].get("metadata") or {}), **(body.get("metadata") or {})}
        collection["made_with"].update({**body, "metadata": told})
        return 200, True

    def _index(self, collection: dict[str, Any], body: Any) -> tuple[int, Any]:
        kind = body["field_schema"]["type"]
        collection["schema"][body["field_name"]] = {"data_type": kind, "params": body["field_schema"], "points": 0}
        return self._done()

    def _upsert(self, collection: dict[str, Any], body: Any) -> tuple[int, Any]:
        texts = [point["payload"]["document"] for point in body["points"]]
        if any(word in text for word in self.refused_words for text in texts):
            return 400, "Wrong input: Format error in JSON body"
        self.points.update({point["id"]: point for point in body["points"]})
        self.lacking -= {point["id"] for point in body["points"]}
        return self._done()

    def _retrieve(self, collection: dict[str, Any], body: Any) -> tuple[int, Any]:
        found = [self.points[id] for id in body["ids"] if id in self.points]
        return 200, [{"id": point["id"], "payload": point["payload"]} for point in found]

    def _batch(self, collection: dict[str, Any], body: Any) -> tuple[int, Any]:
        """Apply the deletions of a batch; other operations are accepted and do nothing."""
        for operation in body["operations"]:
            for id in operation.get("delete", {}).get("points", ()):
                self.points.pop(id, None)
        return 200, [self._done()[1] for _ in body["operations"]]

    def _scroll(self, collection: dict[str, Any], body: Any) -> tuple[int, Any]:
        """Give all points that pass the filter in one page, without vectors."""
        found = [point for point in self.points.values() if passes(point, body.get("filter") or {})]
        return 200, {"points": [{"id": p["id"], "payload": p["payload"]} for p in found], "next_page_offset": None}

    def _query(self, collection: dict[str, Any], body: Any) -> tuple[int, Any]:
        """Search the points in local mode, which is filled anew for every request."""
        client, made = QdrantClient(":memory:"), models.CreateCollection(**collection["made_with"])
        client.create_collection("c", made.vectors, made.sparse_vectors)
        client.upsert("c", [models.PointStruct(**point) for point in self.points.values()])
        asked = [models.QueryRequest(**_by_name(one)) for one in body["searches"]]
        answers = client.query_batch_points("c", asked)
        client.close()
        return 200, [json.loads(answer.model_dump_json()) for answer in answers]

    def _count(self, collection: dict[str, Any], body: Any) -> tuple[int, Any]:
        return 200, {"count": sum(passes(point, body.get("filter") or {}) for point in self.points.values())}

    def _facet(self, collection: dict[str, Any], body: Any) -> tuple[int, Any]:
        values = [value_at(point["payload"], body["key"]) for point in self.points.values()]
        hits = Counter(one for found in values for one in (found if isinstance(found, list) else [found]) if one)
        return 200, {"hits": [{"value": value, "count": count} for value, count in hits.most_common(body["limit"])]}

    def _done(self) -> tuple[int, Any]:
        return 200, {"operation_id": 1, "status": "completed"}


def _by_name(search: dict[str, Any]) -> dict[str, Any]:
    """Return a query as the client's own model reads it back: a vector of numbers, or a sparse one; all are exact."""
    vector = search["query"].get("nearest", search["query"]) if isinstance(search["query"], dict) else search["query"]
    query = models.SparseVector(**vector) if isinstance(vector, dict) else vector
    return {**search, "query": query, "params": None}  # of which local mode warns


class _Handler(BaseHTTPRequestHandler):
    server_state: ScriptedQdrant
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

    def _serve(self) -> None:
        state, path = self.server_state, self.path.partition("?")[0]
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        state.requests.append((self.command, path))
        state.received[f"{self.command} {path.rpartition('/')[2]}"] += len(raw)
        fault = state.fault(path)
        if fault is not None and not fault.applied and fault.how != "wait_timeout":
            self._misbehave(fault)
            return
        status, result = self._judge(raw)
        if fault is not None and fault.how == "one_replica":
            state.lacking |= {point["id"] for point in json.loads(raw)["points"]}
        if fault is not None and fault.how == "wait_timeout":
            result = {**result, "status": "wait_timeout"}
        elif fault is not None:
            self._misbehave(fault)
            return
        ok = {"result": result, "status": "ok", "time": 0.0}
        self._send(status, json.dumps(ok if status == 200 else {"status": {"error": result}, "time": 0.0}).encode(), {})

    def _judge(self, raw: bytes) -> tuple[int, Any]:
        """Check key and size, as a server does first; return status and result."""
        state = self.server_state
        if state.api_key and self.headers.get("api-key") != state.api_key:
            return 401, "Must provide an API key or an Authorization bearer token"
        if len(raw) > state.most_bytes:
            return 400, "Payload error: JSON payload has exceeded limit"
        body = json.loads(raw) if raw else None
        refused = state.rule(self.command, self.path.partition("?")[0], body)
        return refused or state.answer(self.command, self.path, body)

    def _misbehave(self, fault: Fault) -> None:
        """Reset the connection (closing with a linger of 0 s), send half an answer, or answer as told."""
        if fault.how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif fault.how == "half":
            self._send(200, b'{"result": {"operation', {"Content-Length": "4096"})
            self.close_connection = True
        else:
            self._send(fault.status, fault.body, fault.headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _serve
