"""What the nodes of a Qdrant cluster say of themselves: which are there, and how each shard's replicas stand.

Asked node by node with `store_ping`, for only a node itself counts the points of its replicas.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from importer.protocol.worker_settings import addresses
from importer.service.status.store_location import Probe
from importer.service.status.store_ping import StoreServer

WHOLE = {"Active", "Listener", "ActiveRead"}  # states in which a replica has what it is to have
# Other states, as a server calls them, in words; one that is not known here is told by the server's word.
STATES = {
    "Dead": "dead: it is filled again from another replica when its node is there",
    "Partial": "being filled from another replica",
    "PartialSnapshot": "being filled from a snapshot",
    "Recovery": "recovering what it missed",
    "Initializing": "being made",
    "ManualRecovery": "waiting to be recovered by hand",
    "Resharding": "being filled by resharding",
    "ReshardingScaleDown": "giving its points away by resharding",
}


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """One address: whether it answers, the version it tells, why it does not answer, and its number as a peer.

    `trouble` are its words where the collection's optimizer has failed, which it calls a red status.
    """

    url: str
    reachable: bool
    version: str = ""
    why: str = ""
    peer: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Replica:
    """A shard on one peer. `points` is its own count, None where that peer has no address here."""

    shard: int
    peer: int
    state: str
    points: int | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """A shard that is on its way from one peer to another; `how` are the server's words, "" for none."""

    shard: int
    source: int
    target: int
    how: str = ""


@dataclass(frozen=True, slots=True)
class Resharding:
    """A change of the number of shards that goes on: `direction` is up or down, `peer` is where the shard is."""

    direction: str
    shard: int
    peer: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """All nodes by their addresses, the replicas they tell of, and the transfers and the resharding that go on."""

    nodes: tuple[ClusterNode, ...] = ()
    replicas: tuple[Replica, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    resharding: tuple[Resharding, ...] = ()

    def away(self) -> list[ClusterNode]:
        """Return the nodes that do not answer."""
        return [node for node in self.nodes if not node.reachable]

    def behind(self) -> Iterator[tuple[Replica, str]]:
        """Yield each replica that is not active or has fewer points than another one of its shard, and say so."""
        most: dict[int, int] = {}
        for one in self.replicas:
            most[one.shard] = max(most.get(one.shard, 0), one.points or 0)
        for one in self.replicas:
            name = f"shard {one.shard} on {self.name(one.peer)}"
            if one.state not in WHOLE:
                yield one, f"{name} is {STATES.get(one.state, one.state)}"
            elif one.points is not None and one.points < most[one.shard]:
                yield one, f"{name} has {one.points:,} of {most[one.shard]:,} points"

    def moving(self) -> Iterator[str]:
        """Yield in words what is on its way: shards between nodes, and a change of their number."""
        for one in self.transfers:
            how = f" ({one.how})" if one.how else ""
            yield f"shard {one.shard} from {self.name(one.source)} to {self.name(one.target)}{how}"
        for change in self.resharding:
            what = "is added" if change.direction == "up" else "is given up"
            yield f"resharding {change.direction}: shard {change.shard} {what} on {self.name(change.peer)}"

    def name(self, peer: int) -> str:
        """Return the address of a peer, its number where it has none here."""
        return next((node.url for node in self.nodes if node.peer == peer), f"peer {peer}")


def look(location: str, collection: str, *, api_key: str = "", ca_file: str = "") -> tuple[Probe, Cluster]:
    """Ask every address; return what the first one that answers counts, and all nodes with their replicas."""
    probe: Probe | None = None
    cluster = Cluster()
    for url in addresses(location):
        server = StoreServer(url, api_key=api_key, ca_file=ca_file)
        found = server.look(collection)
        if probe is None or (found.reachable and not probe.reachable):
            probe = found
        told = _told(server, collection, "/cluster") if found.status else {}
        trouble = _trouble(_told(server, collection)) if found.status == 200 else ""
        # An answer without a count is an answer: a shard may lack replicas, and then the replicas tell why.
        node = ClusterNode(url, bool(found.status), found.version, found.why, int(told.get("peer_id") or 0), trouble)
        cluster = _joined(replace(cluster, nodes=(*cluster.nodes, node)), told)
    return probe or Probe(False, why="no address"), cluster


def _told(server: StoreServer, collection: str, of: str = "") -> Mapping[str, Any]:
    """Return what a node tells of the collection, or of its shards (`/cluster`); {} for one that tells nothing."""
    try:
        _, answer = server.ask("GET", f"/collections/{quote(collection, safe='')}{of}")
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    result = answer.get("result") if isinstance(answer, dict) else None
    return result if isinstance(result, dict) else {}


def _trouble(described: Mapping[str, Any]) -> str:
    """Return why a collection's optimizer failed, "" where it did not: writes go on, and nothing is put in order."""
    status = described.get("optimizer_status")
    return str(status.get("error", "")) if isinstance(status, dict) else ""


def _joined(cluster: Cluster, told: Mapping[str, Any]) -> Cluster:
    """Return the cluster with what one more node tells; of its own replicas it knows more than others do."""
    known = {(one.shard, one.peer): one for one in cluster.replicas}
    for row in told.get("remote_shards") or ():
        one = Replica(row["shard_id"], row["peer_id"], row["state"])
        known.setdefault((one.shard, one.peer), one)
    for row in told.get("local_shards") or ():
        one = Replica(row["shard_id"], told["peer_id"], row["state"], row.get("points_count"))
        known[one.shard, one.peer] = one
    moving = {_transfer(row) for row in told.get("shard_transfers") or ()}
    changes = {_resharding(row) for row in told.get("resharding_operations") or ()}
    return replace(
        cluster,
        replicas=tuple(known[key] for key in sorted(known)),
        transfers=_merged(cluster.transfers, moving),
        resharding=tuple(sorted({*cluster.resharding, *changes}, key=lambda one: (one.shard, one.peer))),
    )


def _transfer(row: Mapping[str, Any]) -> Transfer:
    """Return a transfer; the node that sends tells how far it is."""
    return Transfer(row["shard_id"], row["from"], row["to"], str(row.get("comment") or row.get("method") or ""))


def _resharding(row: Mapping[str, Any]) -> Resharding:
    """Return a change of the number of shards."""
    return Resharding(str(row.get("direction", "")).lower(), row["shard_id"], row["peer_id"])


def _merged(known: Iterable[Transfer], told: Iterable[Transfer]) -> tuple[Transfer, ...]:
    """Return each transfer once: every node tells of it, in the longest words the one that sends."""
    found: dict[tuple[int, int, int], Transfer] = {}
    for one in (*known, *told):
        key = (one.shard, one.source, one.target)
        found[key] = max(one, found.get(key, one), key=lambda other: len(other.how))
    return tuple(found[key] for key in sorted(found))
