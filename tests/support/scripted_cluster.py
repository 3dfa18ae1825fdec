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
from collections import ChainMap
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from qdrant_client import QdrantClient
from scripted_points import Points, change, resolved
from scripted_qdrant import ScriptedQdrant

ACTIVE, DEAD, PARTIAL = "Active", "Dead", "Partial"
NODES, SHARDS = 3, 3
HOW = {"sync": True, "method": "stream_records"}  # a transfer goes on
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
            try:
                return super().answer(method, path, body)
            except ClusterError as error:
                return 500, f"Service internal error: {error}"

    def view(self, name: str, query: str, ids: Sequence[Any] | None = None) -> Points:
        """Return what this node reads from the replicas."""
        found: Points = self.cluster.view(self, name, "all" if "consistency=all" in query else "", ids)
        return found

    def write(self, name: str, kind: str, body: Any, query: str) -> None:
        """Write to all replicas."""
        self.cluster.orderings.add(query.partition("ordering=")[2].partition("&")[0])
        self.cluster.write(name, self.collections[name], kind, body)

    def describe_cluster(self, name: str) -> Any:
        """Return where the shards of a collection lie."""
        return self.cluster.distribution(self, name)

    def _of_server(self, parts: list[str], body: Any) -> Answer:
        return (200, self.cluster.peers()) if parts == ["cluster"] else super()._of_server(parts, body)

    def _create(self, name: str, body: Any) -> Answer:
        if name not in self.collections:
            self.cluster.place(name, body)
        return super()._create(name, body)


@dataclass
class Placed:
    """Where one collection lies: the replicas of each shard, and those that are being filled."""

    replicas: list[list[Replica]] = field(default_factory=list)
    factor: int = 1
    transfers: list[tuple[int, Replica]] = field(default_factory=list)

    def shard_of(self, id: Any) -> list[Replica]:
        """Return the replicas of the shard that holds a point."""
        return self.replicas[(id if isinstance(id, int) else int(id[:8], 16)) % len(self.replicas)]


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
        self.placed: dict[str, Placed] = {}
        self.resharding: list[dict[str, Any]] = []
        self.orderings: set[str] = set()
        shared: dict[str, Any] = {"collections": {}, "aliases": {}}
        self.nodes = [Node(cluster=self, number=number, **shared) for number in range(NODES)]

    @property
    def newest(self) -> Placed:
        """Where the collection lies that was made last."""
        return next(reversed(self.placed.values()), Placed())

    @property
    def replicas(self) -> list[list[Replica]]:
        """The replicas of the collection that was made last, by shard."""
        return self.newest.replicas

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

    def place(self, name: str, made: Any) -> None:
        """Spread the shards of a new collection over the nodes."""
        copies = min(made.get("replication_factor") or 1, NODES)
        shards = made.get("shard_number") or SHARDS
        replicas = [[Replica((shard + n) % NODES) for n in range(copies)] for shard in range(shards)]
        self.placed.pop(name, None)
        self.placed[name] = Placed(replicas, made.get("write_consistency_factor") or 1)

    def shard_of(self, id: Any) -> list[Replica]:
        """Return the replicas of the shard that holds a point."""
        return self.newest.shard_of(id)

    def holding(self, id: str) -> list[Replica]:
        """Return the replicas that have a point."""
        return [replica for replica in self.shard_of(id) if id in replica.points]

    def heal(self) -> None:
        """Do what the cluster does by itself when its nodes are there: begin transfers, and end those that run."""
        for placed in self.placed.values():
            for shard, target in placed.transfers:
                among = placed.replicas[shard]
                source = next((one for one in among if one.state == ACTIVE and self.there(one)), None)
                if source and self.there(target):
                    target.points, target.state = copy.deepcopy(source.points), ACTIVE
            placed.transfers = [(shard, target) for shard, target in placed.transfers if target.state == PARTIAL]
            dead = [(n, one) for n, among in enumerate(placed.replicas) for one in among if one.state == DEAD]
            for shard, replica in dead:
                if self.there(replica):
                    replica.state = PARTIAL
                    placed.transfers.append((shard, replica))

    def there(self, replica: Replica) -> bool:
        """Return True if the node of a replica is up."""
        return self.nodes[replica.node].up

    def view(self, node: Node, name: str, level: str, ids: Sequence[Any] | None) -> Points:
        """Return the points that a read of this consistency gives on this node; of some `ids`, if not of all."""
        found: Points = {}
        for shard, replicas in enumerate(self.placed[name].replicas):
            active = [one for one in replicas if one.state == ACTIVE and self.there(one)]
            if not active or (level == "all" and len(active) < len(replicas)):
                raise ClusterError(
                    f"The replica set for shard {shard} on peer {node.number} does not have enough active replicas"
                )
            own = [one for one in active if one.node == node.number]
            asked = active if level == "all" else own or [self.rng.choice(active)]
            first, *others = (one.points for one in asked)
            wanted = first if ids is None else [id for id in ids if id in first]
            found |= {id: first[id] for id in wanted if all(other.get(id) == first[id] for other in others)}
        return found

    def write(self, name: str, collection: Any, kind: str, body: Any) -> None:
        """Write to every active replica of the shards that are touched. Raises ClusterError when too few have it."""
        placed = self.placed[name]
        there = ChainMap(*(one.points for replicas in placed.replicas for one in replicas))
        touched = resolved(collection, there, kind, body)
        for replicas in placed.replicas:
            if mine := [(id, value) for id, value in touched if placed.shard_of(id) is replicas]:
                self._apply(placed, replicas, kind, mine)

    def _apply(self, placed: Placed, replicas: list[Replica], kind: str, touched: list[tuple[Any, Any]]) -> None:
        """Apply one operation to the replicas of a shard. Raises ClusterError when too few have it."""
        tried = [one for one in replicas if one.state in (ACTIVE, PARTIAL)]
        failed = []
        for replica in tried:
            fate = self.failing(replica) if self.there(replica) else "lost"
            if fate != "lost":
                for id, value in touched:
                    change(replica.points, kind, id, value)
            if fate:
                failed.append(replica)
        succeeded = [one for one in tried if one not in failed]
        needed = min(placed.factor, len(tried) if self.lenient else len(replicas))
        if len(succeeded) < needed:
            raise ClusterError("Write operation failed on a replica. Consistency of this update is not guaranteed.")
        if not any(one.state == ACTIVE for one in succeeded):
            raise ClusterError("Failed to apply operation to at least one `Active` replica.")
        for replica in failed:
            replica.state = DEAD
        placed.transfers = [(shard, target) for shard, target in placed.transfers if target.state == PARTIAL]

    def peers(self) -> dict[str, Any]:
        """Return what `/cluster` answers."""
        peers = {str(one.number + 1): {"uri": f"http://node-{one.number}:6335/"} for one in self.nodes}
        failures = {str(one.number + 1): {"failure_count": 3} for one in self.nodes if not one.up}
        return {"status": "enabled", "peer_id": 1, "peers": peers, "message_send_failures": failures}

    def distribution(self, node: Node, name: str) -> dict[str, Any]:
        """Return what `/collections/NAME/cluster` answers."""
        placed = self.placed[name]
        local, remote = [], []
        for shard, replicas in enumerate(placed.replicas):
            for one in replicas:
                known = {"shard_id": shard, "state": one.state}
                if one.node == node.number:
                    local.append({**known, "points_count": len(one.points)})
                else:
                    remote.append({**known, "peer_id": one.node + 1})
        moving = [
            {"shard_id": shard, "from": placed.replicas[shard][0].node + 1, "to": target.node + 1, **HOW}
            for shard, target in placed.transfers
        ]
        told = {"peer_id": node.number + 1, "shard_count": len(placed.replicas)}
        shards = {"local_shards": local, "remote_shards": remote, "shard_transfers": moving}
        return {**told, **shards, "resharding_operations": self.resharding}
