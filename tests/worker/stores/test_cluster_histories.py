"""Seeded histories of a cluster: writes that reach some replicas and fail, nodes that go and come, new workers.

What was acknowledged is on all replicas asked for, nothing is there twice, and a comparison with repair ends quiet.
"""

from __future__ import annotations

import os
import random
import types
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import store_backends
from numbered_points import DIMENSION, MODEL, identity, vector
from qdrant_client import QdrantClient
from scripted_cluster import ACTIVE, NODES, Cluster, Replica
from worker_told import store_settings

from importer.errors import StoreUnreachable
from importer.protocol.records import Chunk, Release
from importer.protocol.worker_settings import addresses
from importer.worker.maintenance import erase_ids, prints
from importer.worker.patience import Patience
from importer.worker.plan import looked_up, plan
from importer.worker.stores import StoreRequest
from importer.worker.stores.qdrant.collection import open_collection
from importer.worker.stores.qdrant.nodes import Nodes
from importer.worker.stores.qdrant.store import QdrantStore, open_store
from importer.worker.stores.schema import point

STEPS = 14
TRIES = 8  # of a batch before its nodes are back
ROUNDS = 3
IN_CI = 40
SETTINGS: dict[str, Any] = {"shard_number": 3, "replication_factor": 2}


@dataclass
class History:
    """One history; `there` are the ids that were acknowledged as stored, with their holders."""

    seed: int
    there: dict[str, set[str]] = field(default_factory=dict)
    waited: int = 0
    acknowledged: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(f"cluster {self.seed}")
        self.cluster = Cluster(self.rng, lenient=self.rng.random() < 0.3, failing=self.fate)
        self.chance = self.rng.choice((0.02, 0.1, 0.3))
        self.written = 1 if self.rng.random() < 0.25 else 2  # replicas that a write asks for
        addresses = self.rng.choice((1, NODES, NODES))
        clients = [self.cluster.client(number) for number in range(addresses)]
        self.several = addresses > 1
        self.client = clients[0] if addresses == 1 else cast(QdrantClient, Nodes(clients))
        self.calm = True
        self.store = self.worker()
        self.calm = False

    def fate(self, replica: Replica) -> str:
        """Return what happens to a write on one replica."""
        return "" if self.calm or self.rng.random() > self.chance else self.rng.choice(("lost", "late"))

    def worker(self) -> QdrantStore:
        """Return the store as a new worker opens it, which knows of no failure."""
        factors = {**SETTINGS, "write_consistency_factor": self.written}
        request = StoreRequest(store_settings("http://node-0", **factors), MODEL, DIMENSION)
        found = open_collection(self.client, request, False)
        return QdrantStore(self.client, request, found, Patience(tries=2, sleep=lambda _: None))

    def run(self) -> None:
        """Do all steps, sending each batch until it is acknowledged, as the daemon does."""
        for _ in range(STEPS):
            chunks, releases = self.batch()
            for tried in range(TRIES + 3):
                self.happen(end=tried >= TRIES)
                if self.sent(chunks, releases):
                    break
                self.waited += 1
            else:
                raise AssertionError("the batch is never stored")
            self.acknowledge(chunks, releases)

    def batch(self) -> tuple[list[Chunk], list[Release]]:
        """Return chunks, new ones and known ones, closed or held open, and releases of those held open."""
        chunks = [self.chunk(self.rng.randrange(60)) for _ in range(self.rng.randint(1, 6))]
        held = [(id, holder) for id, holders in sorted(self.there.items()) for holder in sorted(holders)]
        releases = self.rng.sample(held, min(len(held), self.rng.randint(0, 2)))
        return chunks, [Release(id, holder) for id, holder in releases]

    def chunk(self, number: int) -> Chunk:
        holder = self.rng.choice(("", "", "a", "b")) if number % 3 == 0 else ""
        return Chunk(identity(number), f"text {number}", {"source": "s", "conversation_id": f"c{number % 5}"}, holder)

    def happen(self, *, end: bool) -> None:
        """Take nodes away and bring them back, let transfers go on, replace the worker; at the `end` all are back."""
        self.calm = end
        for node in self.cluster.nodes:
            node.up = end or (node.up and self.rng.random() > 0.08) or self.rng.random() < 0.3
        if end or self.rng.random() < 0.5:
            self.cluster.heal()
        if end:
            self.cluster.heal()
        if self.rng.random() < 0.2:
            try:
                self.store = self.worker()
            except StoreUnreachable:
                self.waited += 1  # its node is away: the daemon tries again

    def sent(self, chunks: list[Chunk], releases: list[Release]) -> bool:
        """Do what a worker does with a batch; return True if the store took it."""
        try:
            todo = plan(chunks, releases, *looked_up(self.store, [one.id for one in (*chunks, *releases)]))
            points = [point(chunk, standing, vector(1)) for chunk, standing in todo.write]
            self.store.write(points, todo.standing, todo.deletes)
        except StoreUnreachable:
            return False
        return True

    def acknowledge(self, chunks: list[Chunk], releases: list[Release]) -> None:
        """Note what the receipt says, and look for it on the replicas."""
        self.note(chunks, releases)
        for chunk in chunks:
            self.acknowledged += 1
            if chunk.id in self.there:
                replicas = [one for one in self.cluster.shard_of(chunk.id) if one.state == ACTIVE]
                assert all(chunk.id in one.points for one in replicas), "acknowledged, and not on every replica"
                assert len(self.cluster.holding(chunk.id)) >= (1 if self.cluster.lenient else self.written)

    def note(self, chunks: list[Chunk], releases: list[Release]) -> None:
        """Note what a receipt says: which points there are now, and by whom each is held open."""
        for chunk in chunks:
            known = self.there.get(chunk.id)
            closed = not chunk.holder or known == set()
            self.there[chunk.id] = set() if closed else (known or set()) | {chunk.holder}
        for release in releases:
            if (holders := self.there.get(release.id)) and release.holder in holders:
                holders.remove(release.holder)
                if not holders:
                    del self.there[release.id]

    def settle(self) -> None:
        """Bring all nodes back, and let the cluster end its transfers."""
        self.calm = True
        for node in self.cluster.nodes:
            node.up = True
        for _ in range(3):
            self.cluster.heal()
        self.store = self.worker()

    def compare(self) -> tuple[set[str], set[str]]:
        """Return what `verify` finds missing and extra."""
        seen: set[str] = set()
        after = None
        while True:
            page = prints(self.session, after, 7)
            seen |= {row[0] for row in page["points"]}
            after = page["next"]
            if after is None:
                return self.there.keys() - seen, seen - self.there.keys()

    @property
    def session(self) -> Any:
        return types.SimpleNamespace(store=self.store, recount=lambda: 0, purged=lambda: None)

    def repair(self, missing: set[str], extra: set[str]) -> None:
        """Write what is missing to every replica, delete what is extra."""
        if extra:
            erase_ids(self.session, sorted(extra))
        chunks = [self.chunk(number) for number in range(60) if identity(number) in missing]
        stored = looked_up(self.store, [one.id for one in chunks], vectors=True)
        todo = plan(chunks, (), *stored)
        self.store.write([point(one, stands, vector(1)) for one, stands in todo.write], todo.standing, todo.deletes)


def lived(seed: int) -> History:
    """Live one history, and check its end."""
    history = History(seed)
    history.run()
    history.settle()
    for id in history.there:
        assert len(history.cluster.holding(id)) == 2, f"{id} was acknowledged, and is not on both replicas"
    for _ in range(ROUNDS):
        if not any(found := history.compare()):
            break
        history.repair(*found)
    assert history.compare() == (set(), set())
    if history.several:
        for replicas in history.cluster.replicas:
            first, second = replicas
            assert first.points == second.points
            assert first.points.keys() == {id for id in history.there if history.cluster.shard_of(id) is replicas}
    history.client.close()
    return history


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_what_was_acknowledged_is_on_all_replicas(part: int) -> None:
    """A few dozen histories; the sums show that they are no idle ones."""
    lives = [lived(seed) for seed in range(part, IN_CI, 4)]
    assert sum(life.waited for life in lives) > 5
    assert sum(life.acknowledged for life in lives) > 100


@pytest.mark.long
@pytest.mark.parametrize("part", range(20))
def test_five_hundred_histories(part: int) -> None:
    """The same, five hundred of them."""
    for seed in range(part, 500, 20):
        lived(seed)


class NodesHistory(History):
    """The same history on nodes by their addresses, real ones where QDRANT_TEST_URL names them: these are left alone.

    Now and then a new worker begins with another address, as when the first node is away.
    """

    def __init__(self, seed: int, urls: list[str], collection: str) -> None:
        self.urls, self.collection = urls, collection
        super().__init__(seed)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"nodes {self.seed}")
        self.several = len(self.urls) > 1
        self.store = self.worker()

    def worker(self) -> QdrantStore:
        copies = min(2, len(self.urls))
        factors = {"replication_factor": copies, "write_consistency_factor": copies, "collection": self.collection}
        first = self.rng.randrange(len(self.urls))
        location = ",".join([*self.urls[first:], *self.urls[:first]])
        settings = store_settings(location, api_key=store_backends.KEY, **factors)
        return open_store(StoreRequest(settings, MODEL, DIMENSION))

    def happen(self, *, end: bool) -> None:
        if self.rng.random() < 0.3:
            self.store.close()
            self.store = self.worker()

    def acknowledge(self, chunks: list[Chunk], releases: list[Release]) -> None:
        self.note(chunks, releases)

    def settle(self) -> None:
        self.store.close()
        self.store = self.worker()

    def at_each_node(self) -> list[dict[str, tuple[str, ...]]]:
        """Return what each node has of all points that there can be, with their holders."""
        found = []
        for url in self.urls:
            alone = open_store(
                StoreRequest(
                    store_settings(url, api_key=store_backends.KEY, collection=self.collection), MODEL, DIMENSION
                )
            )
            found.append(alone.lookup([identity(number) for number in range(60)]))
            alone.close()
        return found


@pytest.fixture
def urls() -> Iterator[list[str]]:
    if store_backends.SERVER:
        yield list(addresses(store_backends.SERVER))
        return
    with Cluster(random.Random(1)).listening() as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(int(os.environ.get("NODE_HISTORIES", "2"))))
def test_histories_over_addresses(urls: list[str], seed: int) -> None:
    """Every node has what was acknowledged, held open by whom it says, and a comparison is quiet."""
    history = NodesHistory(seed, urls, f"test_history_{uuid.uuid4().hex[:12]}")
    try:
        history.run()
        history.settle()
        wanted = {id: tuple(sorted(holders)) for id, holders in history.there.items()}
        assert history.at_each_node() == [wanted] * len(urls)
        assert history.compare() == (set(), set())
        assert not history.waited
    finally:
        history.store.close()
        if store_backends.SERVER:
            with store_backends.client() as client:
                client.delete_collection(history.collection)
