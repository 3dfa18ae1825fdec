"""A stand-in for a Qdrant server: it keeps points, misbehaves as told, and has qdrant-client's local mode search them.

What it does to points and tells of them stands in `scripted_points`; it forgets them when it ends.

    with ScriptedQdrant() as server:
        server.faults.append(Fault("/points", status=429, headers={"Retry-After": "1"}))

A fault is used up by the first request whose path ends with `path`.
"""

from __future__ import annotations

import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import unquote

import scripted_points
from hanging_up_server import HangingUpServer
from scripted_http import Fault, ScriptedHandler
from scripted_points import BadRequest, Collection, NoPoint, Points, Searched

VERSION = "1.19.0"
FACTORS = ("shard_number", "replication_factor", "write_consistency_factor")
HNSW = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000}
OPTIMIZER = {
    "deleted_threshold": 0.2,
    "vacuum_min_vector_number": 1000,
    "default_segment_number": 0,
    "flush_interval_sec": 5,
}


@dataclass
class ScriptedQdrant:
    """Listens on a free port of the loopback; `url` says where."""

    api_key: str = ""
    most_bytes: int = 1 << 30  # a greater body is answered 400, as the server does
    refused_words: tuple[str, ...] = ()  # an upsert with one of them in a document is answered 400
    faults: list[Fault] = field(default_factory=list)
    collections: dict[str, Collection] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    received: Counter[str] = field(default_factory=Counter)  # bytes of bodies by method and last part of the path
    lacking: set[str] = field(default_factory=set)  # points that one of two replicas does not have
    tls: ssl.SSLContext | None = None
    rule: Callable[[str, str, Any], tuple[int, str] | None] = lambda _method, _path, _body: None  # what it refuses

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self._searched: dict[str, Searched] = {}

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

        class Handler(ScriptedHandler):
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

    @property
    def points(self) -> Points:
        """The points of the collection that was made last."""
        return next(reversed(self.collections.values()))["points"] if self.collections else {}

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Return status and result as a well-behaved server gives them."""
        plain, _, query = path.partition("?")
        parts = [unquote(part) for part in plain.strip("/").split("/")]
        if parts[:1] != ["collections"] or parts[1:2] in ([], ["aliases"]):
            return self._of_server(parts, body)
        name = self.aliases.get(parts[1], parts[1])
        collection, rest = self.collections.get(name), parts[2:]
        if rest == ["exists"]:
            return 200, {"exists": collection is not None}
        if not rest and method in {"PUT", "DELETE"}:
            return self._create(name, body) if method == "PUT" else self._drop(name)
        if collection is None:
            return 404, f"Not found: Collection `{parts[1]}` doesn't exist!"
        try:
            if rest[:1] == ["points"]:
                return self._of_points(name, method, "/".join(rest[1:]), query, body)
            return self._of_collection(name, method, rest, body)
        except BadRequest as error:
            return 400, f"Wrong input: {error}"
        except NoPoint as error:
            return 404, str(error)

    def view(self, name: str, query: str, ids: Sequence[Any] | None = None) -> Points:
        """Return the points that a request sees; `query` is that of its address, `ids` are all that it asks for."""
        points: Points = self.collections[name]["points"]
        if "consistency=all" not in query or not self.lacking:
            return points
        return {id: point for id, point in points.items() if id not in self.lacking}

    def write(self, name: str, kind: str, body: Any, query: str) -> None:
        """Do one writing operation."""
        collection = self.collections[name]
        with self.lock:
            for id, value in scripted_points.resolved(collection, collection["points"], kind, body):
                scripted_points.change(collection["points"], kind, id, value)
                if kind == "upsert":
                    self.lacking.discard(id)

    def describe_cluster(self, name: str) -> Any:
        """Return where the shards of a collection lie, of a server that stands alone."""
        shard = {"shard_id": 0, "points_count": len(self.collections[name]["points"]), "state": "Active"}
        moving: dict[str, Any] = {"remote_shards": [], "shard_transfers": [], "resharding_operations": []}
        return {"peer_id": 1, "shard_count": 1, "local_shards": [shard], **moving}

    def _of_server(self, parts: list[str], body: Any) -> tuple[int, Any]:
        if parts in ([""], ["telemetry"]):
            return 200, {"title": "qdrant - vector search engine", "version": VERSION}
        if parts in (["snapshots"], ["cluster"]):
            return 200, [] if parts == ["snapshots"] else {"status": "disabled"}
        if parts in (["collections"], ["aliases"], ["collections", "aliases"]):
            return self._names(parts, body)
        return 404, ""

    def _names(self, parts: list[str], body: Any) -> tuple[int, Any]:
        if parts == ["collections"]:
            return 200, {"collections": [{"name": name} for name in self.collections]}
        for action in body["actions"] if body else ():
            if made := action.get("create_alias"):
                if made["alias_name"] in self.collections or made["collection_name"] not in self.collections:
                    return 404, f"Not found: Collection `{made['collection_name']}` doesn't exist!"
                self.aliases[made["alias_name"]] = made["collection_name"]
            self.aliases.pop(action.get("delete_alias", {}).get("alias_name", ""), None)
        known = [{"alias_name": alias, "collection_name": name} for alias, name in self.aliases.items()]
        return 200, True if body else {"aliases": known}

    def _create(self, name: str, body: Any) -> tuple[int, Any]:
        if name in self.collections:
            return 409, f"Wrong input: Collection `{name}` already exists!"
        self.collections[name] = {"made_with": body, "schema": {}, "points": {}}
        self._searched.pop(name, None)
        return 200, True

    def _drop(self, name: str) -> tuple[int, Any]:
        self.aliases = {alias: known for alias, known in self.aliases.items() if known != name}
        return 200, self.collections.pop(name, None) is not None

    def _of_points(self, name: str, method: str, rest: str, query: str, body: Any) -> tuple[int, Any]:
        """Read or write points."""
        collection = self.collections[name]
        if (written := scripted_points.operations(method, rest, body)) is not None:
            if self.refused_words and any(word in str(told) for _, told in written for word in self.refused_words):
                return 400, "Wrong input: Format error in JSON body"
            for kind, told in written:
                self.write(name, kind, told, query)
            done = {"operation_id": 1, "status": "completed"}
            return 200, [done for _ in written] if rest == "batch" else done
        if rest == "":
            return 200, scripted_points.retrieved(self.view(name, query, body["ids"]), body)
        points = self.view(name, query)
        if rest == "count":
            return 200, {"count": sum(1 for _ in scripted_points.selected(points, body.get("filter")))}
        if rest == "scroll":
            return 200, scripted_points.page(points, body)
        if rest in {"query", "query/batch"}:
            searched = self._searched.setdefault(name, Searched())
            asked = body["searches"] if rest == "query/batch" else [body]
            answers = searched.answers(collection, points, asked)
            return 200, answers if rest == "query/batch" else answers[0]
        return 404, ""

    def _of_collection(self, name: str, method: str, rest: list[str], body: Any) -> tuple[int, Any]:
        """Describe a collection or change what it is, not its points."""
        collection = self.collections[name]
        if not rest:
            return 200, self._describe(name, collection) if method == "GET" else self._update(collection, body)
        if rest == ["cluster"]:
            return 200, self.describe_cluster(name)
        if rest == ["facet"]:
            return 200, scripted_points.facets(collection, self.view(name, ""), body)
        if rest in (["snapshots"], ["aliases"]):
            named = [{"alias_name": alias, "collection_name": known} for alias, known in self.aliases.items()]
            return 200, [] if rest == ["snapshots"] else {"aliases": [a for a in named if a["collection_name"] == name]}
        if rest == ["index"]:
            asked = body["field_schema"]
            params = {"params": asked} if isinstance(asked, dict) else {}
            kind = asked["type"] if isinstance(asked, dict) else asked
            collection["schema"][body["field_name"]] = {"data_type": kind, **params, "points": 0}
        elif rest[:1] == ["index"] and method == "DELETE":
            collection["schema"].pop(rest[1], None)
        else:
            return 404, ""
        return 200, {"operation_id": 1, "status": "completed"}

    def _describe(self, name: str, collection: Collection) -> Any:
        made = collection["made_with"]
        params = {"vectors": made["vectors"], "sparse_vectors": made.get("sparse_vectors")}
        params |= {key: made.get(key) or 1 for key in FACTORS}
        config = {
            "params": params,
            "hnsw_config": HNSW,
            "optimizer_config": {**OPTIMIZER, **made.get("optimizers_config", {})},
            "metadata": made.get("metadata"),
        }
        count = len(self.view(name, ""))
        described = {"status": "green", "optimizer_status": "ok", "points_count": count, "segments_count": 1}
        return {**described, "config": config, "payload_schema": collection["schema"]}

    def _update(self, collection: Collection, body: Any) -> bool:
        told = {**(collection["made_with"].get("metadata") or {}), **(body.get("metadata") or {})}
        collection["made_with"].update({**body, "metadata": told})
        return True
