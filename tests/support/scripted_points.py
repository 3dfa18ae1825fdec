"""What the stand-ins for a Qdrant server do to the points of a collection and tell of them, by the server's rules.

Points are dictionaries as the REST interface has them, by id; none is changed in place, so that a copy of the outer
dictionary stays as it was. Filters and selections of payload are those of qdrant-client's local mode, which searches,
too.
"""

from __future__ import annotations

import copy
import json
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pydantic
from qdrant_client import QdrantClient, models
from qdrant_client.local.local_collection import LocalCollection
from qdrant_client.local.payload_filters import check_filter

Point = dict[str, Any]
Points = dict[Any, Point]
Collection = dict[str, Any]  # what it was made with, its payload indexes, its points
UNIT = 1e-6  # how far the square of a vector's length may be from 1 before it is scaled
# The writing requests, by method and what stands behind the collection's name, as operations of a batch are called.
WRITES = {
    ("PUT", ""): "upsert",
    ("POST", "delete"): "delete",
    ("POST", "payload"): "set_payload",
    ("PUT", "payload"): "overwrite_payload",
    ("POST", "payload/delete"): "delete_payload",
    ("POST", "payload/clear"): "clear_payload",
    ("PUT", "vectors"): "update_vectors",
    ("POST", "vectors/delete"): "delete_vectors",
}
_filter = pydantic.TypeAdapter(models.Filter)
_payload = pydantic.TypeAdapter(models.WithPayloadInterface)
_queries = pydantic.TypeAdapter(list[models.QueryRequest])


class BadRequest(Exception):
    """What a server answers 400 to, in its words."""


class NoPoint(Exception):
    """What a server answers 404 to: a point that is named and is not there."""


def operations(method: str, rest: str, body: Any) -> list[tuple[str, Any]] | None:
    """Return what a request below `/points` writes, None for one that reads."""
    if (method, rest) == ("POST", "batch"):
        return [pair for one in body["operations"] for pair in one.items()]
    kind = WRITES.get((method, rest))
    return None if kind is None or (kind == "upsert" and "ids" in body) else [(kind, body)]


def resolved(collection: Collection, there: Mapping[Any, Point], kind: str, body: Any) -> list[tuple[Any, Any]]:
    """Return an operation as what it gives each point: the ids of a filter are those of the points that are `there`.

    Raises BadRequest for vectors that do not fit the collection, NoPoint for a named point whose payload is not there.
    """
    if kind == "upsert":
        return [(one["id"], one) for one in (_checked(collection, given) for given in _structs(body))]
    if kind == "update_vectors":
        vectors = [(identity(one["id"]), _vectors(collection, one["vector"])) for one in body["points"]]
        return [(_existing(there, id), value) for id, value in vectors]
    given = body if isinstance(body, dict) else {"points": body}
    if "filter" in given:
        ids = [point["id"] for point in selected(there, given["filter"])]
    else:
        ids = [identity(id) for id in given.get("points") or ()]
        ids = ids if kind == "delete" else [_existing(there, id) for id in ids]
    value = {"set_payload": "payload", "overwrite_payload": "payload", "delete_payload": "keys"}
    named = {**value, "delete_vectors": "vector" if "vector" in given else "vectors"}
    return [(id, given[named[kind]] if kind in named else None) for id in ids]


def change(points: Points, kind: str, id: Any, value: Any) -> None:
    """Do to one point what an operation gives it; a copy of its own takes the place of the point."""
    if kind == "upsert":
        points[id] = copy.deepcopy(value)
        return
    old = points.pop(id, None)
    if old is None or kind == "delete":
        return
    payload, vector = dict(old["payload"]), dict(old["vector"])
    if kind == "set_payload":
        payload |= copy.deepcopy(value)
    elif kind == "overwrite_payload":
        payload = copy.deepcopy(value)
    elif kind == "delete_payload":
        payload = {key: found for key, found in payload.items() if key not in value}
    elif kind == "clear_payload":
        payload = {}
    elif kind == "update_vectors":
        vector |= copy.deepcopy(value)
    else:
        vector = {name: found for name, found in vector.items() if name not in value}
    points[id] = {"id": id, "vector": vector, "payload": payload}


def selected(points: Mapping[Any, Point], wanted: Any) -> Iterator[Point]:
    """Yield the points that pass a filter; all for none. Raises BadRequest for one that is no filter."""
    if not wanted:
        yield from points.values()
        return
    try:
        asked = _filter.validate_python(wanted)
    except pydantic.ValidationError as error:
        raise BadRequest(f"Format error in JSON body: {error}") from error
    for point in _candidates(points, wanted):
        if check_filter(asked, point["payload"], point["id"], dict.fromkeys(point["vector"], True)):
            yield point


def _candidates(points: Mapping[Any, Point], wanted: Any) -> list[Point]:
    """Return the points that a filter can pass: where it must have one of some ids, those alone."""
    must = wanted.get("must") or []
    named = [one["has_id"] for one in (must if isinstance(must, list) else [must]) if "has_id" in one]
    if named:
        return [points[id] for id in map(identity, named[0]) if id in points]
    return list(points.values())


def told(point: Point, asked: Any) -> Point:
    """Return a point as a request asks for it: `with_payload` and `with_vector` are true, false, or a list of names."""
    wanted = asked.get("with_payload", True)
    payload = _payload.validate_python(True if wanted is None else wanted)
    found = {"id": point["id"], "payload": LocalCollection._process_payload(point["payload"], payload)}
    vectors = asked.get("with_vector") or False
    if vectors is not False:
        known = point["vector"]
        found["vector"] = known if vectors is True else {name: known[name] for name in vectors if name in known}
    return found


def retrieved(points: Points, body: Any) -> list[Point]:
    """Return the points of the ids that are asked for."""
    ids = [identity(id) for id in body["ids"]]
    return [told(points[id], body) for id in ids if id in points]


def page(points: Points, body: Any) -> dict[str, Any]:
    """Return a page in order of id, or by a value of the payload."""
    found = sorted(selected(points, body.get("filter")), key=lambda one: order_of(one["id"]))
    limit, after = 10 if body.get("limit") is None else body["limit"], body.get("offset")
    if order := body.get("order_by"):
        key, down = (order, False) if isinstance(order, str) else (order["key"], order.get("direction") == "desc")
        ranked = [one for one in found if values(one["payload"], key)]
        ranked.sort(key=lambda one: values(one["payload"], key)[0], reverse=down)
        return {"points": [told(one, body) for one in ranked[:limit]], "next_page_offset": None}
    if after is not None:
        found = [one for one in found if order_of(one["id"]) >= order_of(identity(after))]
    following = found[limit]["id"] if len(found) > limit else None
    return {"points": [told(one, body) for one in found[:limit]], "next_page_offset": following}


def facets(collection: Collection, points: Points, body: Any) -> dict[str, Any]:
    """Count points by value, the most frequent first. Raises BadRequest for a key without an index of whole values."""
    if collection["schema"].get(body["key"], {}).get("data_type") not in {"keyword", "integer", "uuid", "bool"}:
        raise BadRequest(f"No appropriate index for faceting: `{body['key']}`. Please create one to facet on it.")
    found = selected(points, body.get("filter"))
    hits = Counter(value for one in found for value in dict.fromkeys(values(one["payload"], body["key"])))
    most = sorted(hits.items(), key=lambda hit: (-hit[1], str(hit[0])))[: body.get("limit") or 10]
    return {"hits": [{"value": value, "count": count} for value, count in most]}


def values(payload: Any, key: str) -> list[Any]:
    """Return the values under a key with dots: one, those of a list, or none."""
    value = payload
    for name in key.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, list) else [] if value is None else [value]


def identity(id: Any) -> Any:
    """Return an id as the server writes it. Raises BadRequest for one that is neither a number nor a UUID."""
    try:
        return id if isinstance(id, int) else str(uuid.UUID(id))
    except (ValueError, AttributeError, TypeError) as error:
        raise BadRequest(f"Format error in JSON body: value {id} is not a valid point ID") from error


def order_of(id: Any) -> tuple[bool, Any]:
    """Return the place of an id: numbers come before UUIDs."""
    return not isinstance(id, int), id


class Searched:
    """The points of one collection in local mode, brought up to date before each search."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: Points = {}
        self._client: QdrantClient | None = None

    def answers(self, collection: Collection, points: Points, asked: list[Any]) -> list[Any]:
        """Return the answers to queries. Raises BadRequest for one that local mode does not take."""
        with self._lock:
            client = self._up_to_date(collection, points)
            try:
                queries = _queries.validate_python([_by_name(one) for one in asked])
                answers = client.query_batch_points("c", queries)
            except (pydantic.ValidationError, ValueError) as error:
                raise BadRequest(f"Format error in JSON body: {error}") from error
        return [json.loads(answer.model_dump_json()) for answer in answers]

    def _up_to_date(self, collection: Collection, points: Points) -> QdrantClient:
        if self._client is None:
            made = models.CreateCollection(**collection["made_with"])
            self._client = QdrantClient(":memory:", force_disable_check_same_thread=True)
            self._client.create_collection("c", made.vectors, made.sparse_vectors)
        changed = [one for id, one in points.items() if self._known.get(id) != one]
        gone: list[Any] = [id for id in self._known if id not in points]
        if gone:
            self._client.delete("c", gone)
        if changed:
            self._client.upsert("c", [models.PointStruct(**one) for one in changed])
        self._known = {id: self._known[id] for id in self._known if id in points}
        self._known |= {one["id"]: copy.deepcopy(one) for one in changed}
        return self._client


def _by_name(asked: dict[str, Any]) -> dict[str, Any]:
    """Return a query as the client's own model reads it back: a vector of numbers, or a sparse one; all are exact."""
    found = {**asked, "params": None}  # of which local mode warns
    query = asked.get("query")
    vector = query.get("nearest", query) if isinstance(query, dict) else query
    if isinstance(vector, dict) and "indices" in vector:
        vector = models.SparseVector(**vector)
    if isinstance(vector, list | models.SparseVector):
        found["query"] = vector
    if prefetch := asked.get("prefetch"):
        found["prefetch"] = [_by_name(one) for one in (prefetch if isinstance(prefetch, list) else [prefetch])]
    return found


def _structs(body: Any) -> list[Point]:
    """Return the points of an upsert, which may come as columns."""
    if "batch" not in body:
        return list(body["points"])
    batch = body["batch"]
    columns = batch["vectors"]
    vectors = (
        [{name: given[at] for name, given in columns.items()} for at in range(len(batch["ids"]))]
        if isinstance(columns, dict)
        else columns
    )
    payloads = batch.get("payloads") or [None] * len(batch["ids"])
    rows = zip(batch["ids"], vectors, payloads, strict=True)
    return [{"id": id, "vector": vector, "payload": payload} for id, vector, payload in rows]


def _checked(collection: Collection, given: Point) -> Point:
    vector = _vectors(collection, given.get("vector") or {})
    return {"id": identity(given["id"]), "vector": vector, "payload": given.get("payload") or {}}


def _vectors(collection: Collection, given: Any) -> dict[str, Any]:
    """Return vectors as they are stored, by name. Raises BadRequest for those that the collection does not have."""
    made = collection["made_with"]
    dense, sparse = made.get("vectors") or {}, made.get("sparse_vectors") or {}
    dense = {"": dense} if "size" in dense else dense
    found: dict[str, Any] = {}
    for name, vector in (given if isinstance(given, dict) else {"": given}).items():
        if name in sparse:
            found[name] = vector
        elif name not in dense:
            raise BadRequest(f"Not existing vector name error: {name}")
        elif len(vector) != dense[name]["size"]:
            size = dense[name]["size"]
            raise BadRequest(f"Vector dimension error: expected dim: {size}, got {len(vector)}")
        else:
            found[name] = _scaled(vector) if dense[name]["distance"] == "Cosine" else vector
    return found


def _scaled(vector: list[float]) -> list[float]:
    """Return a vector of unit length, as it is kept for cosines."""
    kept = np.asarray(vector, dtype=np.float32)
    square = float((kept * kept).sum())
    if square > 0 and abs(square - 1) > UNIT:
        kept = kept / np.float32(np.sqrt(square))
    found: list[float] = kept.tolist()
    return found


def _existing(there: Mapping[Any, Point], id: Any) -> Any:
    if id not in there:
        raise NoPoint(f"Not found: No point with id {id} found")
    return id
