"""The nodes of a cluster tell how each replica stands: which is away, dead, behind or on its way."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from scripted_cluster import DEAD, Cluster

from importer.service.status import cluster_ping

MADE = {"vectors": {}, "shard_number": 3, "replication_factor": 2, "write_consistency_factor": 2}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    found = Cluster(random.Random(1))
    with found.listening():
        found.nodes[0].answer("PUT", "/collections/c", MADE)
        yield found


def seen(cluster: Cluster) -> cluster_ping.Cluster:
    return cluster_ping.look(",".join(node.url for node in cluster.nodes), "c")[1]


def test_all_is_well(cluster: Cluster) -> None:
    """Three nodes with two replicas each, all of them counted by their own nodes."""
    found = seen(cluster)
    assert ([node.peer for node in found.nodes], found.away(), list(found.behind())) == ([1, 2, 3], [], [])
    assert [(one.shard, one.peer, one.points) for one in found.replicas[:3]] == [(0, 1, 0), (0, 2, 0), (1, 2, 0)]


def test_a_node_that_is_away_is_named_and_its_replicas_are_not_counted(cluster: Cluster) -> None:
    """The others tell that it has them."""
    with cluster.away(1):
        found = seen(cluster)
    assert [node.url for node in found.away()] == [cluster.nodes[1].url]
    assert [one.points for one in found.replicas if one.peer == 2] == [None, None]


def test_an_optimizer_that_failed_is_told_in_its_words(cluster: Cluster) -> None:
    """The server calls that a red status, and takes points all the same."""
    assert not any(node.trouble for node in seen(cluster).nodes)
    red = {"optimizer_status": {"error": "Service internal error: No space left on device"}, "status": "red"}
    cluster.nodes[1].rule = lambda _method, path, _body: (200, red) if path == "/collections/c" else None
    assert [node.trouble[-9:] for node in seen(cluster).nodes] == ["", "on device", ""]


def test_replicas_that_are_dead_or_behind_are_told_by_address(cluster: Cluster) -> None:
    """A dead one is on its way once its node is there."""
    cluster.replicas[0][0].points["a"] = {}
    cluster.replicas[2][1].state = DEAD
    behind, dead = (words for _, words in seen(cluster).behind())
    assert behind == f"shard 0 on {cluster.nodes[1].url} has 0 of 1 points"
    assert dead.startswith(f"shard 2 on {cluster.nodes[0].url} is dead")
    cluster.heal()
    found = seen(cluster)
    assert found.transfers == (cluster_ping.Transfer(2, 3, 1, "stream_records"),)
    assert any("being filled" in words for _, words in found.behind())
    urls = [node.url for node in cluster.nodes]
    assert list(found.moving()) == [f"shard 2 from {urls[2]} to {urls[0]} (stream_records)"]


def test_resharding_is_told_and_no_fault(cluster: Cluster) -> None:
    """Every node tells of it; it is named once. What is being filled lacks points until it is done."""
    cluster.resharding = [{"direction": "up", "shard_id": 2, "peer_id": 1}]
    cluster.replicas[2][1].state = "Resharding"
    found = seen(cluster)
    assert list(found.moving()) == [f"resharding up: shard 2 is added on {cluster.nodes[0].url}"]
    assert [words.partition(" is ")[2] for _, words in found.behind()] == ["being filled by resharding"]


def test_a_node_that_comes_back_is_noticed(cluster: Cluster) -> None:
    """At the next look it is there, and its replicas are counted."""
    with cluster.away(1):
        assert seen(cluster).away()
    found = seen(cluster)
    assert (found.away(), [one.points for one in found.replicas if one.peer == 2]) == ([], [0, 0])


def test_a_single_server_has_one_node() -> None:
    """Nothing answers there: that is told, and nothing else."""
    probe, found = cluster_ping.look("http://127.0.0.1:9", "c")
    assert (probe.reachable, [node.reachable for node in found.nodes], found.replicas) == (False, [False], ())
