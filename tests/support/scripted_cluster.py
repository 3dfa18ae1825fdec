"""A stand-in for a cluster of three Qdrant nodes: shards with two replicas each, and a server's rules of consistency.

    cluster = Cluster(random.Random(seed))
    client = cluster.client(0)          # qdrant-client, in this process
    with cluster.listening() as urls:   # or over HTTP, for whole processes

The rules are those of Qdrant's replica sets, as its source has them:

- A write goes to every replica that is active. Replicas that fail are taken for dead when as many others as the write
  consistency factor asks for succeeded; else the write is an error, and what reached a replica stays there.
- A read is answered by the node's own replica, else by another active one. With consistency `all` every replica must be
  active and answer, and only points that stand alike on all of them are told.
- A dead replica is filled again from an active one: a transfer, which takes a while.
"""

from __future__ import annotations

import contextlib
import copy
import json
import random
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from point_filters import passes
from qdrant_client import QdrantClient
from scripted_qdrant import ScriptedQdrant

ACTIVE, DEAD, PARTIAL = "Active", "Dead", "Partial"
NODES, SHARDS = 3, 3
HOW = {"sync": True, "method": "stream_records"}  # a transfer goes on
WRITES = {("PUT", ""), ("POST", "batch"), ("POST", "delete")}
Answer = tuple[int, Any]


@dataclass
class Replica:
    """A shard's points on one node."""

    node: int
    state: str = ACTIVE
    points: dict[str, Any] = field(default_factory=dict)


class ClusterError(Exception):
    """An internal error of the server, in its words."""


@dataclass(eq=False)
class Node(ScriptedQdrant):
    """One node: what it serves is the cluster's; `up` says whether it is there."""

    cluster: Any = None
    number: int = 0
    up: bool = True

    def answer(self, method: str, path: str, body: Any) -> Answer:
        """Answer as this node does."""
        with self.cluster.lock:
            return self.cluster.answer(self, method, path, body)

    def serve(self, method: str, path: str, body: Any) -> Answer:
        """Answer from the points that were gathered for this request."""
        return super().answer(method, path, body)

    def _scroll(self, collection: dict[str, Any], body: Any) -> Answer:
        after, limit, wanted = body.get("offset"), body.get("limit") or 10, body.get("filter") or {}
        found = [
            self.points[id]
            for id in sorted(self.points)
            if (not after or id >= after) and passes(self.points[id], wanted)
        ]
        told = [{"id": p["id"], "payload": p["payload"], "vector": p["vector"]} for p in found[:limit]]
        return 200, {"points": told, "next_page_offset": found[limit]["id"] if len(found) > limit else None}

    def _create(self, name: str, body: Any) -> Answer:
        if name not in self.collections:
            self.cluster.place(body)
        return super()._create(name, body)


@dataclass(eq=False)
class Cluster:
    """Three nodes. `lenient` as servers before 1.16: a write asks for no more replicas than are active.

    `failing` decides for each replica of a write what happens to it: "" (it is done), "lost" or "late" (done, and an
    error all the same).
    """

    rng: random.Random
    lenient: bool = False
    failing: Callable[[Replica], str] = lambda _replica: ""

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.replicas: list[list[Replica]] = []
        self.factor = 1
        self.transfers: list[tuple[int, Replica]] = []
        self.resharding: list[dict[str, Any]] = []
        self.orderings: set[str] = set()
        shared: dict[str, Any] = {"collections": {}, "aliases": {}}
        self.nodes = [Node(cluster=self, number=number, **shared) for number in range(NODES)]

    def client(self, number: int) -> QdrantClient:
        """Return a client of one node, which answers within this process."""

        def handle(request: httpx.Request) -> httpx.Response:
            node = self.nodes[number]
            if not node.up:
                raise httpx.ConnectError("Connection refused", request=request)
            path = request.url.raw_path.decode()
            status, result = node.answer(request.method, path, json.loads(request.content or b"null"))
            ok = {"result": result, "status": "ok", "time": 0.0}
            return httpx.Response(status, json=ok if status == 200 else {"status": {"error": result}, "time": 0.0})

        return QdrantClient(
            host=f"node-{number}", check_compatibility=False, transport=httpx.MockTransport(handle), trust_env=False
        )

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """Yield the URLs of the nodes, which listen on the loopback meanwhile."""
        with ExitStack() as stack:
            for node in self.nodes:
                stack.enter_context(node)
            yield [node.url for node in self.nodes]

    @contextmanager
    def away(self, number: int) -> Iterator[None]:
        """Take a node away, to come back on the same port."""
        self.down(number)
        try:
            with self.nodes[number].away() if hasattr(self.nodes[number], "url") else contextlib.nullcontext():
                yield
        finally:
            self.nodes[number].up = True

    def down(self, number: int) -> None:
        """Kill a node: it cannot be reached, and its own replicas stay as they are."""
        self.nodes[number].up = False

    def place(self, made: Any) -> None:
        """Spread the shards of a new collection over the nodes."""
        copies = min(made.get("replication_factor") or 1, NODES)
        self.factor = made.get("write_consistency_factor") or 1
        shards = made.get("shard_number") or SHARDS
        self.replicas = [[Replica((shard + n) % NODES) for n in range(copies)] for shard in range(shards)]
        self.transfers = []

    def shard_of(self, id: str) -> list[Replica]:
        """Return the replicas of the shard that holds a point."""
        return self.replicas[int(id[:8], 16) % len(self.replicas)]

    def holding(self, id: str) -> list[Replica]:
        """Return the replicas that have a point."""
        return [replica for replica in self.shard_of(id) if id in replica.points]

    def heal(self) -> None:
        """Do what the cluster does by itself when its nodes are there: begin transfers, and end those that run."""
        for shard, target in self.transfers:
            source = next((one for one in self.replicas[shard] if one.state == ACTIVE and self.there(one)), None)
            if source and self.there(target):
                target.points, target.state = copy.deepcopy(source.points), ACTIVE
        self.transfers = [(shard, target) for shard, target in self.transfers if target.state == PARTIAL]
        for shard, replicas in enumerate(self.replicas):
            for replica in replicas:
                if replica.state == DEAD and self.there(replica):
                    replica.state = PARTIAL
                    self.transfers.append((shard, replica))

    def there(self, replica: Replica) -> bool:
        """Return True if the node of a replica is up."""
        return self.nodes[replica.node].up

    def answer(self, node: Node, method: str, path: str, body: Any) -> Answer:
        """Gather what the request reads, or write what it writes, and answer in the words of a server."""
        plain, _, query = path.partition("?")
        parts = plain.strip("/").split("/")
        level = urllib.parse.parse_qs(query).get("consistency", [""])[0]
        if parts == ["cluster"]:
            return 200, self.peers()
        if parts[2:] == ["cluster"]:
            return 200, self.distribution(node)
        try:
            if parts[2:3] == ["points"] and (method, "".join(parts[3:])) in WRITES:
                self.orderings.add(urllib.parse.parse_qs(query).get("ordering", [""])[0])
                known = node.collections.get(node.aliases.get(parts[1], parts[1]))
                return self.write(node, parts[3:], body) if known else node.serve(method, path, body)
            if parts[2:3] in (["points"], ["facet"]):
                node.points = self.view(node, level)
            return node.serve(method, path, body)
        except ClusterError as error:
            return 500, f"Service internal error: {error}"

    def view(self, node: Node, level: str) -> dict[str, Any]:
        """Return the points that a read of this consistency gives on this node."""
        found: dict[str, Any] = {}
        for shard, replicas in enumerate(self.replicas):
            active = [one for one in replicas if one.state == ACTIVE and self.there(one)]
            if not active or (level == "all" and len(active) < len(replicas)):
                raise ClusterError(
                    f"The replica set for shard {shard} on peer {node.number} does not have enough active replicas"
                )
            own = [one for one in active if one.node == node.number]
            asked = active if level == "all" else own or [self.rng.choice(active)]
            first, *others = (one.points for one in asked)
            found |= {id: point for id, point in first.items() if all(other.get(id) == point for other in others)}
        return found

    def write(self, node: Node, parts: list[str], body: Any) -> Answer:
        """Write to every active replica of the shards that are touched, one operation after the other."""
        if not parts:
            if any(word in point["payload"]["document"] for word in node.refused_words for point in body["points"]):
                return 400, "Wrong input: Format error in JSON body"
            operations = [("upsert", [(point["id"], point) for point in body["points"]])]
        elif parts == ["delete"]:
            operations = [("delete", [(id, None) for id in body.get("points", ())])]
        else:
            operations = [_operation(one) for one in body["operations"]]
        for kind, touched in operations:
            for replicas in self.replicas:
                mine = [(id, value) for id, value in touched if self.shard_of(id) is replicas]
                if mine:
                    self._apply(replicas, kind, mine)
        done = node._done()[1]
        return 200, done if not parts or parts == ["delete"] else [done for _ in operations]

    def _apply(self, replicas: list[Replica], kind: str, touched: list[tuple[str, Any]]) -> None:
        """Apply one operation to the replicas of a shard. Raises ClusterError when too few have it."""
        tried = [one for one in replicas if one.state in (ACTIVE, PARTIAL)]
        failed = []
        for replica in tried:
            fate = self.failing(replica) if self.there(replica) else "lost"
            if fate != "lost":
                for id, value in touched:
                    _change(replica.points, kind, id, value)
            if fate:
                failed.append(replica)
        succeeded = [one for one in tried if one not in failed]
        needed = min(self.factor, len(tried) if self.lenient else len(replicas))
        if len(succeeded) < needed:
            raise ClusterError("Write operation failed on a replica. Consistency of this update is not guaranteed.")
        if not any(one.state == ACTIVE for one in succeeded):
            raise ClusterError("Failed to apply operation to at least one `Active` replica.")
        for replica in failed:
            replica.state = DEAD
        self.transfers = [(shard, target) for shard, target in self.transfers if target.state == PARTIAL]

    def peers(self) -> dict[str, Any]:
        """Return what `/cluster` answers."""
        peers = {str(one.number + 1): {"uri": f"http://node-{one.number}:6335/"} for one in self.nodes}
        failures = {str(one.number + 1): {"failure_count": 3} for one in self.nodes if not one.up}
        return {"status": "enabled", "peer_id": 1, "peers": peers, "message_send_failures": failures}

    def distribution(self, node: Node) -> dict[str, Any]:
        """Return what `/collections/NAME/cluster` answers."""
        local, remote = [], []
        for shard, replicas in enumerate(self.replicas):
            for one in replicas:
                known = {"shard_id": shard, "state": one.state}
                if one.node == node.number:
                    local.append({**known, "points_count": len(one.points)})
                else:
                    remote.append({**known, "peer_id": one.node + 1})
        moving = [
            {"shard_id": shard, "from": self.replicas[shard][0].node + 1, "to": target.node + 1, **HOW}
            for shard, target in self.transfers
        ]
        told = {"peer_id": node.number + 1, "shard_count": len(self.replicas)}
        shards = {"local_shards": local, "remote_shards": remote, "shard_transfers": moving}
        return {**told, **shards, "resharding_operations": self.resharding}


def _operation(given: dict[str, Any]) -> tuple[str, list[tuple[str, Any]]]:
    """Return one operation of a batch as its kind and what it does to each id."""
    if "delete" in given:
        return "delete", [(id, None) for id in given["delete"]["points"]]
    kind, told = next((kind, given[kind]) for kind in ("set_payload", "delete_payload") if kind in given)
    must = told["filter"]["must"]
    ids = (must[0] if isinstance(must, list) else must)["has_id"]
    return kind, [(id, told.get("payload", told.get("keys"))) for id in ids]


def _change(points: dict[str, Any], kind: str, id: str, value: Any) -> None:
    """Do one operation to one point of a replica."""
    if kind == "upsert":
        points[id] = copy.deepcopy(value)
    elif kind == "delete":
        points.pop(id, None)
    elif id in points and kind == "set_payload":
        points[id]["payload"].update(copy.deepcopy(value))
    elif id in points:
        for key in value:
            points[id]["payload"].pop(key, None)
