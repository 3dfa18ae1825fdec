"""Importing into a cluster of three nodes: through the loss of one, told by `status` and `doctor`, and repaired."""

from __future__ import annotations

import pathlib
import random
from collections.abc import Iterator

import oracle
import pytest
from processes import Importer, asked, idle, until
from scripted_cluster import Cluster

from importer.bench.corpus import corpus


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(random.Random(2))


@pytest.fixture
def installed(tmp_path: pathlib.Path, cluster: Cluster) -> Iterator[Importer]:
    with cluster.listening() as urls:
        importer = Importer(tmp_path, embedded=True)
        importer.environ.update(
            QDRANT_URL=",".join(urls),
            IMPORTER_STORE_REPLICATION_FACTOR="2",
            IMPORTER_STORE_WRITE_CONSISTENCY_FACTOR="2",
            IMPORTER_STORE_SHARD_NUMBER="3",
            MEMORY_BATCH_SIZE="16",
        )
        yield importer


def check(cluster: Cluster, folder: str) -> None:
    """Check that every replica has what the files say, and nothing else."""
    wanted = oracle.expect(folder).chunks.keys()
    for replicas in cluster.replicas:
        first, second = replicas
        assert first.points == second.points
    assert {id for replicas in cluster.replicas for id in replicas[0].points} == wanted


def test_a_node_that_is_lost_is_waited_for_and_told(
    installed: Importer, cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    """The first address goes in the middle of the import: the daemon says so, and goes on when it is back."""
    folder = str(tmp_path / "said")
    corpus.write(folder, files=12, seed=4)
    with installed.daemon("--source", f"auto={folder}", IMPORTER_FAILPOINTS="embed=sleep:0.02"):
        until(lambda: sum(len(one.points) for replicas in cluster.replicas for one in replicas) > 40)
        with cluster.away(0):
            until(lambda: asked(installed, "status")["state"] == "degraded", seconds=60)
            told = installed.run("status", "--json").json["store"]["cluster"]
            assert [node["reachable"] for node in told["nodes"]] == [False, True, True]
            shown = installed.run("status").out
            assert "away" in shown
            assert "store unreachable" in shown
            assert installed.run("search", "prompt", "--json").code == 0
        until(lambda: idle(installed), seconds=120)
        (found,) = (one for one in installed.run("doctor", "--json").json["checks"] if one["name"] == "cluster")
        assert (found["ok"], found["detail"]) == (True, "3 nodes, 6 replicas of 3 shards")
    check(cluster, folder)
    assert not oracle.rejected_in(installed.state)


def test_a_comparison_names_the_shard_that_is_behind(
    installed: Importer, cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    """And repairs until it is quiet."""
    folder = str(tmp_path / "said")
    corpus.write(folder, files=4, seed=5)
    assert installed.run("backlog", folder).code == 0
    check(cluster, folder)
    behind = cluster.replicas[1][1]
    for id in sorted(behind.points)[:5]:
        del behind.points[id]
    done = installed.run("verify", "--json")
    assert (done.code, done.json["missing"]) == (1, 5)
    (words,) = done.json["behind"]
    assert words.startswith(f"shard 1 on {cluster.nodes[behind.node].url} has ")
    repaired = installed.run("verify", "--repair", "--json")
    assert repaired.code == 0, repaired.err
    assert (repaired.code, repaired.json["imported"]) == (0, 5), repaired.err
    assert installed.run("verify", "--json").json["behind"] == []
    check(cluster, folder)
