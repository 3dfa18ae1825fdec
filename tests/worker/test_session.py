"""What a session does before its model is in memory."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from worker_told import embed_settings, store_settings, told

from importer.errors import StoreUnreachable
from importer.protocol import wire
from importer.worker import session, stores
from importer.worker.stores import Point
from importer.worker.stores.edge.store import EdgeStore

pytestmark = pytest.mark.slow

MODEL, DIMENSION, EVERY = "text-embedding-3-small", 1536, 1000


def filled(directory: pathlib.Path, count: int) -> None:
    """Make a store with so many points that were not optimised yet."""
    store = stores.load(store_settings(f"edge:{directory}"), model=MODEL, dimension=DIMENSION)
    vectors = np.eye(count, DIMENSION, dtype=np.float32)
    ids = [f"00000000-0000-0000-0000-{n:012}" for n in range(count)]
    store.write([Point(id, vectors[n], {"document": f"said {n}"}) for n, id in enumerate(ids)], {}, [])
    store.close()


def configured(directory: pathlib.Path, *, preload: bool) -> wire.Configure:
    """Return the frame for a worker on that store."""
    settings = replace(
        told(),
        store=store_settings(f"edge:{directory}", optimise_every_points=EVERY),
        embed=embed_settings(provider="openai", model=MODEL, api_key="key"),
    )
    return wire.Configure(settings, preload=preload)


def waiting(store: Any) -> int:
    """Return how many points were written since the store was last in order."""
    info = store._shard.info()
    return int(info.points_count) - int(info.indexed_vectors_count)


@pytest.mark.parametrize(
    ("count", "preload", "left"), [(EVERY // 2, True, 0), (EVERY // 2 - 1, True, EVERY // 2 - 1), (EVERY, False, EVERY)]
)
def test_a_store_is_put_in_order_before_the_model_is_loaded(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, count: int, preload: bool, left: int
) -> None:
    """Half of what makes it due is enough; a worker that is to answer has no time for it."""
    filled(tmp_path, count)
    steps: list[str] = []
    optimize = EdgeStore.optimize
    monkeypatch.setattr(EdgeStore, "optimize", lambda store: steps.append("optimised") or optimize(store))
    monkeypatch.setattr(session, "embedder_of", lambda _settings: steps.append("loaded"))
    opened = session.open_session(configured(tmp_path, preload=preload))
    try:
        assert waiting(opened.store) == left
        assert steps == (["optimised"] if left == 0 else []) + (["loaded"] if preload else [])
        assert opened.points == count
    finally:
        opened.store.close()


def test_a_full_disk_is_told_by_the_next_write(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not keep a worker from starting."""
    filled(tmp_path, EVERY)

    def full(_store: EdgeStore) -> bool:
        raise StoreUnreachable("the disk is full")

    monkeypatch.setattr(EdgeStore, "optimize", full)
    monkeypatch.setattr(session, "embedder_of", lambda _settings: None)
    opened = session.open_session(configured(tmp_path, preload=True))
    assert opened.points == EVERY
    opened.store.close()
