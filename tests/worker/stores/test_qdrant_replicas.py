"""A collection with replicas: a write that reached one of them is written again, and is not taken for stored."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from numbered_points import DIMENSION, MODEL, identity, made
from qdrant_client import grpc as proto
from scripted_grpc import ScriptedGrpc
from scripted_http import Fault
from scripted_qdrant import ScriptedQdrant
from worker_told import store_settings

from importer.errors import StoreUnreachable
from importer.protocol.records import Chunk, Release
from importer.worker.maintenance import erase_ids, prints
from importer.worker.patience import Patience
from importer.worker.plan import WritePlan, looked_up, plan
from importer.worker.stores import StoreRequest
from importer.worker.stores.qdrant.store import QdrantStore, open_store

HALF = Fault("/points", status=500, how="one_replica", applied=True)


@pytest.fixture
def server() -> Iterator[ScriptedQdrant]:
    with ScriptedQdrant() as found:
        yield found


def opened(url: str, **settings: Any) -> QdrantStore:
    return open_store(StoreRequest(store_settings(url, **settings), MODEL, DIMENSION), Patience(sleep=lambda _: None))


def half_written(server: ScriptedQdrant, store: QdrantStore, number: int = 1, **more: Any) -> None:
    """Write a point that reaches one replica, and fail."""
    server.faults.extend([HALF] * Patience().tries)
    with pytest.raises(StoreUnreachable):
        store.write([made(number, **more)], {}, [])
    assert server.lacking == {identity(number)}
    assert identity(number) in server.points


def planned(store: QdrantStore, chunks: Sequence[Chunk], releases: Sequence[Release] = ()) -> WritePlan:
    ids = [one.id for one in (*chunks, *releases)]
    return plan(chunks, releases, *looked_up(store, ids))


def chunk(number: int, holder: str = "") -> Chunk:
    return Chunk(identity(number), "text", {}, holder)


@pytest.mark.parametrize("told_by", ["settings", "collection"])
def test_another_worker_writes_what_is_on_one_replica(server: ScriptedQdrant, told_by: str) -> None:
    """It has no memory of the failure: what it reads from all replicas tells it."""
    half_written(server, opened(server.url, replication_factor=2))
    later = opened(server.url, replication_factor=2 if told_by == "settings" else 0)
    todo = planned(later, [chunk(1)])
    assert ([one.id for one, _ in todo.write], todo.known) == ([identity(1)], 0)
    later.write([made(1)], {}, [])
    assert server.lacking == set()
    assert planned(later, [chunk(1)]).write == ()


def test_what_failed_is_written_again_whatever_is_read(server: ScriptedQdrant) -> None:
    """As where a replica is taken for dead, and all others have the point."""
    store = opened(server.url)
    half_written(server, store)
    assert list(store.lookup([identity(1)])) == [identity(1)]
    todo = planned(store, [chunk(1)])
    assert ([one.id for one, _ in todo.write], todo.again) == ([identity(1)], 1)
    store.write([made(1)], {}, [])
    assert planned(store, [chunk(1)]).write == ()


def test_its_other_holder_is_kept(server: ScriptedQdrant) -> None:
    """The point is written whole, with those who hold it open on the replica that has it."""
    store = opened(server.url, replication_factor=2)
    half_written(server, store, open_by=["a"])
    ((_, standing),) = planned(opened(server.url), [chunk(1, "b")]).write
    assert sorted(standing.holders) == ["a", "b"]


def test_one_who_lets_go_is_told_to_every_replica_again(server: ScriptedQdrant) -> None:
    """The replica asked may have been told already, and another one not."""
    store = opened(server.url, replication_factor=2)
    half_written(server, store, open_by=["a"])
    assert planned(store, [], [Release(identity(1), "gone")]).standing[identity(1)].holders == ("a",)


def test_a_comparison_finds_it_missing(server: ScriptedQdrant) -> None:
    """So that a repair writes it again."""
    store = opened(server.url, replication_factor=2)
    store.write([made(2)], {}, [])
    half_written(server, store)
    session: Any = types.SimpleNamespace(store=opened(server.url))
    assert [row[0] for row in prints(session)["points"]] == [identity(2)]


def test_what_is_forgotten_goes_from_the_one_that_has_it(server: ScriptedQdrant) -> None:
    """A point on one replica alone is a point."""
    half_written(server, opened(server.url, replication_factor=2))
    session: Any = types.SimpleNamespace(store=opened(server.url), recount=lambda: 0, purged=lambda: None)
    assert erase_ids(session, [identity(1)]) == 1
    assert identity(1) not in server.points


def test_over_grpc_too() -> None:
    """All replicas are asked where there are several, else the server's own way."""
    with ScriptedGrpc() as server:
        for factor, level in ((0, None), (2, proto.ReadConsistencyType.All)):
            store = opened(server.url, replication_factor=factor)
            store.lookup([identity(1)])
            store.payloads([identity(1)])
            assert server.levels == [level] * 2
            server.levels.clear()
            store.close()


def test_what_got_through_before_a_failure_is_not_written_again(server: ScriptedQdrant) -> None:
    """Or a batch above a rate limit would never end."""
    store = opened(server.url, upsert_points=1)
    done = b'{"result": {"operation_id": 1, "status": "completed"}, "status": "ok", "time": 0.0}'
    server.faults.extend([Fault("/points", body=done, applied=True), *[HALF] * Patience().tries])
    with pytest.raises(StoreUnreachable):
        store.write([made(1), made(2)], {}, [])
    assert [one.id for one, _ in planned(store, [chunk(1), chunk(2)]).write] == [identity(2)]
