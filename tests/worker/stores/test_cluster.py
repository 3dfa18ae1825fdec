"""A cluster of three nodes by their addresses: the next one answers, and a comparison sees every replica."""

from __future__ import annotations

import random
import types
from collections.abc import Iterator
from typing import Any

import pytest
from numbered_points import DIMENSION, MODEL, everything, identity, made, numbered
from scripted_cluster import Cluster, Replica
from scripted_qdrant import ScriptedQdrant
from worker_told import store_settings

from importer.errors import StoreRefused, StoreUnreachable
from importer.protocol.records import ConversationFacts, Release
from importer.worker.maintenance import erase_ids, prints
from importer.worker.patience import Patience
from importer.worker.plan import looked_up, plan
from importer.worker.retell import retell
from importer.worker.stores import Lookup, Ownership, Scope, StoreRequest
from importer.worker.stores.qdrant.store import QdrantStore, open_store

pytestmark = pytest.mark.slow

COPIES: dict[str, Any] = {"replication_factor": 2, "write_consistency_factor": 2, "shard_number": 3}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(random.Random(1))


@pytest.fixture
def urls(cluster: Cluster) -> Iterator[list[str]]:
    with cluster.listening() as found:
        yield found


def opened(*urls: str, **settings: Any) -> QdrantStore:
    asked = store_settings(", ".join(urls), **{**COPIES, **settings})
    return open_store(StoreRequest(asked, MODEL, DIMENSION), Patience(tries=2, sleep=lambda _: None))


def printed(store: QdrantStore) -> set[str]:
    session: Any = types.SimpleNamespace(store=store)
    return {row[0] for row in prints(session)["points"]}


def test_the_next_address_is_used_when_one_is_away(cluster: Cluster, urls: list[str]) -> None:
    """Reads go on; writes wait for the replica that is gone, and go on when it is back."""
    store = opened(*urls)
    store.write(numbered(9), {}, [])
    with cluster.away(0):
        assert everything(store).keys() == {identity(number) for number in range(9)}
        assert store.candidates(Lookup("number3 tests", None)).found
        with pytest.raises(StoreUnreachable) as caught:
            store.write(numbered(12), {}, [])
        assert "importer status" in caught.value.hint
    store.write(numbered(12), {}, [])
    assert all(len(cluster.holding(identity(number))) == 2 for number in range(12))


def test_one_replica_orders_all_writes(cluster: Cluster, urls: list[str]) -> None:
    """Two hosts that write the same open point to different nodes leave it alike on every replica."""
    store = opened(*urls)
    store.write([made(1)], {identity(1): Ownership(("a",))}, [identity(2)])
    store.delete(Scope(source="other"))
    assert cluster.orderings == {"medium"}


def test_opening_passes_over_one_that_is_away(cluster: Cluster, urls: list[str]) -> None:
    """The first address need not be the one that is there."""
    opened(*urls).write(numbered(3), {}, [])
    with cluster.away(0):
        assert opened(*urls).count() == 3
    with cluster.away(0), pytest.raises(StoreUnreachable):
        opened(urls[0])


def test_a_comparison_sees_what_one_replica_alone_has(cluster: Cluster, urls: list[str]) -> None:
    """What was deleted from the others is extra, found by the node that has it, and deleted there."""
    store = opened(*urls)
    store.write(numbered(20), {}, [])
    for number in range(6):
        for replica in cluster.holding(identity(number))[1:]:
            del replica.points[identity(number)]
    assert printed(store) == {identity(number) for number in range(6, 20)}
    assert store.unsure([identity(number) for number in range(20)]).keys() == {identity(number) for number in range(6)}
    session: Any = types.SimpleNamespace(store=store, recount=lambda: 0, purged=lambda: None)
    assert erase_ids(session, [identity(number) for number in range(6)]) == 6
    assert not any(cluster.holding(identity(number)) for number in range(6))


def test_pages_of_several_nodes_are_one_in_order(cluster: Cluster, urls: list[str]) -> None:
    """Nothing is left out between two pages, whichever node has less."""
    store = opened(*urls)
    store.write(numbered(30), {}, [])
    for number in range(0, 30, 2):
        cluster.holding(identity(number))[number % 4 // 2].points.pop(identity(number))
    found: list[str] = []
    after = None
    while True:
        page = store.survey(after, 4)
        found += [point.id for point in page.points]
        if (after := page.next) is None:
            break
    assert found == sorted(identity(number) for number in range(30))


def test_what_a_failed_write_was_to_delete_is_deleted_with_the_next(cluster: Cluster, urls: list[str]) -> None:
    """By a single address the replica that still has it is not seen."""
    store = opened(urls[0])
    store.write([made(1, open_by=["a"])], {}, [])
    keeper = cluster.shard_of(identity(1))[1]
    cluster.failing = lambda replica: "lost" if replica is keeper else ""
    todo = plan([], [Release(identity(1), "a")], *looked_up(store, [identity(1)]))
    assert todo.deletes == (identity(1),)
    with pytest.raises(StoreUnreachable):
        store.write((), {}, todo.deletes)
    assert cluster.holding(identity(1)) == [keeper]
    cluster.failing = lambda _replica: ""
    store.write([made(2)], {}, [])
    assert cluster.holding(identity(1)) == []


def test_facts_that_reached_one_replica_are_told_to_all(cluster: Cluster, urls: list[str]) -> None:
    """A new worker reads them from the one that has them, and tells them again."""
    opened(*urls).write([made(1), made(2)], {}, [])
    facts = ConversationFacts("c1", title="Kilns")
    keeper = cluster.shard_of(identity(1))[0]
    cluster.failing = lambda replica: "" if replica is keeper else "lost"
    with pytest.raises(StoreUnreachable):
        retell(opened(*urls), "claude-code", facts)
    cluster.failing = lambda _replica: ""
    retell(opened(*urls), "claude-code", facts)
    titles = [one.points[identity(1)]["payload"]["metadata"].get("title") for one in cluster.shard_of(identity(1))]
    assert titles == ["Kilns", "Kilns"]
    assert retell(opened(*urls), "claude-code", facts) == 0


def test_points_without_a_vector_are_not_told_of(cluster: Cluster, urls: list[str]) -> None:
    """So that a repair writes them again, with one."""
    store = opened(*urls)
    store.write(numbered(4), {}, [])
    for replica in cluster.holding(identity(2)):
        replica.points[identity(2)]["vector"] = {}
    assert printed(store) == {identity(number) for number in (0, 1, 3)}
    assert looked_up(store, [identity(2)], vectors=True)[2] == {identity(2)}


@pytest.mark.parametrize("told", [None, {"other": "program"}])
def test_a_collection_made_again_by_others_is_noticed(told: Any) -> None:
    """Without our metadata it is none of ours: nothing is acknowledged into it."""
    with ScriptedQdrant() as server:
        store = opened(server.url)
        ((_, collection),) = server.collections.items()
        collection["made_with"]["metadata"] = told
        with pytest.raises(StoreRefused, match="made again"):
            store.write([made(1)], {}, [])


def test_an_alias_that_is_moved_is_noticed() -> None:
    """From then on points would go elsewhere."""
    with ScriptedQdrant() as server:
        for name in ("first", "second"):
            opened(server.url, collection=name).close()
        server.aliases["name"] = "first"
        store = opened(server.url, collection="name")
        store.write([made(1)], {}, [])
        server.aliases["name"] = "second"
        with pytest.raises(StoreRefused, match="made again"):
            store.write([made(2)], {}, [])


def test_a_dead_replica_is_filled_again(cluster: Cluster, urls: list[str]) -> None:
    """Where a write asks for one replica, the import goes on meanwhile, and takes no known point for sure."""
    store = opened(*urls, write_consistency_factor=1)
    bad: Replica = cluster.shard_of(identity(1))[1] if store else cluster.replicas[0][0]
    cluster.failing = lambda replica: "lost" if replica is bad else ""
    store.write([made(1)], {}, [])
    assert bad.state == "Dead"
    assert looked_up(store, [identity(1), identity(9)])[::2] == ({identity(1): ()}, {identity(1)})
    cluster.failing = lambda _replica: ""
    cluster.heal()
    cluster.heal()
    assert looked_up(store, [identity(1)])[::2] == ({identity(1): ()}, frozenset())
    assert len(cluster.holding(identity(1))) == 2


def test_a_dead_replica_is_waited_for_where_writes_ask_for_all(cluster: Cluster, urls: list[str]) -> None:
    """What is known could stand on one replica alone."""
    store = opened(*urls)
    store.write([made(1)], {}, [])
    cluster.shard_of(identity(1))[1].state = "Dead"
    with pytest.raises(StoreUnreachable) as caught:
        store.lookup([identity(1)])
    assert "importer status" in caught.value.hint


def test_a_node_that_is_away_is_not_asked_again_at_once(cluster: Cluster, urls: list[str]) -> None:
    """One that hangs costs a time-out: once in a while, and not for every batch."""
    store = opened(*urls, write_consistency_factor=1)
    store.write([made(1)], {}, [])
    away = cluster.nodes[2]
    with cluster.away(2):
        for _ in range(3):
            store.unsure([identity(1)])
    asked = len(away.requests)
    store.unsure([identity(1)])
    assert len(away.requests) == asked, "it is left out for a while"
