"""Importing into a cluster of three nodes: through the loss of one, told by `status` and `doctor`, and repaired."""

from __future__ import annotations

import contextlib
import os
import pathlib
import random
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import oracle
import pytest
from changing_files import World
from kill_storm import Storm
from processes import Importer, asked, idle, kill, until
from scripted_cluster import NODES, Cluster

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


@pytest.mark.long
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


@dataclass
class ClusterStorm(Storm):
    """A storm in which nodes of the cluster are killed, too, one at a time, and come back at the next blow."""

    cluster: Cluster = field(default_factory=lambda: Cluster(random.Random(0)))
    gone: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def _strike(self, process: subprocess.Popen[str]) -> None:
        """Bring back the node that is away, and kill another one, or the daemon or its worker."""
        self.gone.close()
        self.cluster.heal()
        if process.poll() is None and self.rng.random() < 0.34:
            self.gone.enter_context(self.cluster.away(self.rng.randrange(NODES)))
            self.kills["node"] += 1
        else:
            super()._strike(process)

    def settle(self) -> None:
        """Bring back all nodes, let the cluster fill its replicas, and wait until the daemon has caught up."""
        self.gone.close()
        for _ in range(3):
            self.cluster.heal()
        super().settle()

    def verdict(self) -> dict[str, Any]:
        """Return what is wrong: chunks of the files that are missing or extra, and replicas that differ."""
        expected = oracle.expect(self.world.folder)
        print(f"seed {self.seed}: {dict(self.kills)} kills, {self.world.lines} lines, {len(expected.chunks)} chunks")
        stored = {id for replicas in self.cluster.replicas for one in replicas for id in one.points}
        uneven = [shard for shard, (one, other) in enumerate(self.cluster.replicas) if one.points != other.points]
        wrong = {"missing": expected.chunks.keys() - stored, "extra": stored - expected.chunks.keys(), "uneven": uneven}
        totals = oracle.totals_of(self.importer.state)
        wrong["I6"] = [] if totals == expected.tally else [totals, expected.tally]
        return {name: found for name, found in {**wrong, "torn": self.torn}.items() if found}


def storm_over(cluster: Cluster, installed: Importer, folder: pathlib.Path, seed: int) -> ClusterStorm:
    """Return a storm over files that grow."""
    folder.mkdir()
    longest_s = float(os.environ.get("CHAOS_LONGEST_S", "2.5"))  # on a busy machine shorter lives get nowhere
    return ClusterStorm(World(str(folder), seed, growing=True), installed, seed, cluster=cluster, longest_s=longest_s)


def test_some_kills_of_daemon_worker_and_node(installed: Importer, cluster: Cluster, tmp_path: pathlib.Path) -> None:
    """In the end each replica has exactly what the files say."""
    with storm_over(cluster, installed, tmp_path / "said", 3) as storm:
        storm.rage(kills=9)
        storm.settle()
    assert not storm.verdict()


@pytest.mark.long
@pytest.mark.parametrize("kills", [2, 8])
def test_two_hosts_with_the_same_open_conversations(cluster: Cluster, tmp_path: pathlib.Path, kills: int) -> None:
    """A home that is synced: both import what grows, and are killed again and again; in the end both call it clean."""
    (tmp_path / "said").mkdir()
    world, rng = World(str(tmp_path / "said"), 11, growing=True), random.Random(11)
    with cluster.listening() as urls, contextlib.ExitStack() as ended:
        hosts = {name: sharing(tmp_path / name, urls, name) for name in ("north", "south")}
        alive = {name: started(host, world, ended) for name, host in hosts.items()}
        for _ in range(kills):
            end = time.monotonic() + rng.uniform(0.5, 2.5)
            while time.monotonic() < end:
                world.act()
                time.sleep(0.02)
            struck = rng.choice(("north", "south"))
            kill(alive[struck])
            alive[struck] = started(hosts[struck], world, ended)
        world.finish_lines()
        for name, host in hosts.items():
            until(lambda host=host: idle(host), seconds=300, every_s=0.2)
            assert alive[name].poll() is None
        for host in hosts.values():
            found = host.run("verify", "--json")
            assert (found.json["missing"], found.json["differing"], found.json["extra"]) == (0, 0, 0), found.out
    check(cluster, world.folder)


def sharing(base: pathlib.Path, urls: list[str], name: str) -> Importer:
    """Return an installation of its own on a host of that name, which imports into the cluster."""
    found = Importer(base, embedded=True)
    found.environ.update(
        QDRANT_URL=",".join(urls),
        IMPORTER_HOST=name,
        IMPORTER_STORE_REPLICATION_FACTOR="2",
        IMPORTER_STORE_WRITE_CONSISTENCY_FACTOR="2",
        IMPORTER_STORE_SHARD_NUMBER="3",
        IMPORTER_TAIL_RESCAN_S="0.5",
        IMPORTER_LOG_LEVEL="error",
        MEMORY_BATCH_SIZE="16",
    )
    return found


def started(host: Importer, world: World, ended: contextlib.ExitStack) -> subprocess.Popen[str]:
    """Start a host's daemon, to be killed at the end at the latest."""
    process = host.start("run", "--source", f"auto={world.folder}")
    ended.callback(lambda: (process.kill(), process.communicate()))
    return process


@pytest.mark.long
def test_four_hundred_kills(installed: Importer, cluster: Cluster, tmp_path: pathlib.Path) -> None:
    """The same four hundred times, looked at now and then."""
    total = int(os.environ.get("CLUSTER_KILLS", "400"))
    with storm_over(cluster, installed, tmp_path / "said", int(os.environ.get("CHAOS_SEED", "7"))) as storm:
        for kills in range(min(50, total), total + 1, 50):
            storm.rage(kills)
            storm.settle()
            assert not storm.verdict()
