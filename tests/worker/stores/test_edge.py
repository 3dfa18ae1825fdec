"""The embedded store on its own: durable at any kill and power cut, made whole, small, and honest about its disk."""

from __future__ import annotations

import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from numbered_points import DIMENSION, MODEL, everything, identity, made, numbered, vector
from store_questions import hits
from store_writer import BATCH
from worker_told import store_settings

from importer.errors import StoreRefused, StoreUnreachable
from importer.protocol.query import Query
from importer.protocol.system.capabilities import has
from importer.worker import stores
from importer.worker.stores import Ownership, Scope, Store, StoreRequest
from importer.worker.stores.edge import page_cache
from importer.worker.stores.edge.shard import sync_log
from importer.worker.stores.edge.store import UPSERT_POINTS, open_store
from importer.worker.stores.edge.values import tags

pytestmark = pytest.mark.slow

SUPPORT = pathlib.Path(__file__).parents[2] / "support"


def opened(directory: object, **settings: object) -> Store:
    return stores.load(store_settings(f"edge:{directory}", **settings), model=MODEL, dimension=DIMENSION)


@pytest.mark.slow
@pytest.mark.parametrize("kills", [6, pytest.param(40, marks=pytest.mark.long)])
def test_no_acknowledged_point_is_lost_to_a_kill(tmp_path: pathlib.Path, kills: int) -> None:
    """SIGKILL while writing, flushing or optimising: what was acknowledged is there, whole, and is found."""
    seed = random.randrange(10**6)
    print("seed", seed)
    dice, acknowledged = random.Random(seed), 0
    for _ in range(kills):
        acknowledged = write_until_killed(tmp_path, acknowledged, dice.randrange(1, 20))
        store = opened(tmp_path)
        found = everything(store, page=1000, with_vectors=True)
        assert {identity(n) for n in range(acknowledged)} <= set(found)
        assert all(len(point.dense) == DIMENSION for point in found.values())
        assert store.count() == len(found)
        assert not any("open_by" in found[identity(n)].payload for n in range(acknowledged - 2 * BATCH))
        some = dice.randrange(acknowledged)
        assert hits(store, Query(f"number{some}", mode="keyword"))[0].id == identity(some)
        assert hits(store, Query("", mode="dense"), vector(some))[0].id == identity(some)
        store.close()


def test_a_large_write_gives_way_now_and_then(tmp_path: pathlib.Path) -> None:
    """The engine holds the interpreter's lock as long as a call takes: none of them is given more than a few points."""
    store, given = opened(tmp_path), list[int]()
    real = store._shard  # type: ignore[attr-defined]

    class Counting:
        def __getattr__(self, name: str) -> object:
            return getattr(real, name)

        def update(self, operation: object) -> None:
            before = real.info().points_count
            real.update(operation)
            given.append(real.info().points_count - before)

    store._shard = Counting()  # type: ignore[attr-defined]
    points = numbered(3 * UPSERT_POINTS + 1)
    store.write(points, {}, [])
    store.write([], {identity(n): Ownership(("h",)) for n in range(UPSERT_POINTS + 1)}, [])
    assert given == [UPSERT_POINTS, UPSERT_POINTS, UPSERT_POINTS, 1, 0, 0]
    assert set(everything(store, page=1000)) == {identity(n) for n in range(len(points))}
    store.close()


def test_what_a_killed_optimisation_was_writing_is_deleted(tmp_path: pathlib.Path) -> None:
    """The engine leaves it: up to a segment's size at each kill, with texts that may be forgotten later."""
    store = opened(tmp_path)
    store.write(numbered(3), {}, [])
    store.close()
    unfinished = tmp_path / "conversations" / "temp_segments" / "segment_builder_7dG0bg" / "payload_storage"
    unfinished.mkdir(parents=True)
    (unfinished / "page_0.dat").write_text("what was said")
    store = opened(tmp_path)
    assert not list(tmp_path.glob("*/temp_segments/*"))
    assert len(everything(store)) == 3
    store.close()


def write_until_killed(directory: pathlib.Path, first: int, writes: int) -> int:
    """How many points were acknowledged when the writer was killed, right after its `writes`-th answer."""
    command = [sys.executable, str(SUPPORT / "store_writer.py"), str(directory), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        answers = [int(writer.stdout.readline()) for _ in range(writes)]
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split()
    return int(rest[-1]) if rest else answers[-1]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_power_cut_that_kept_only_the_synced_log_loses_nothing(tmp_path: pathlib.Path, seed: int) -> None:
    """The log is synced before a write returns; pages of the segments may be of any age."""
    store = opened(tmp_path / "now")
    store.write(numbered(200), {}, [])
    store.optimize()
    copy(tmp_path / "now", tmp_path / "before")
    store.write([made(n, open_by=["a"]) for n in range(200, 400)], {identity(3): Ownership(("b",))}, [identity(4)])
    copy(tmp_path / "now", tmp_path / "cut")
    age(tmp_path / "cut", tmp_path / "before", random.Random(seed))
    found = everything(opened(tmp_path / "cut"))
    assert set(found) == {identity(n) for n in range(400) if n != 4}
    assert found[identity(3)].payload["open_by"] == ["b"]
    store.close()


def copy(source: pathlib.Path, target: pathlib.Path) -> None:
    """A copy that keeps holes: mapped files are mostly holes."""
    subprocess.run(["cp", "-a", "--sparse=always", str(source), str(target)], check=True)


def age(new: pathlib.Path, old: pathlib.Path, dice: random.Random) -> None:
    """Half of the segments' pages that changed become again what they were."""
    for path in (new / "conversations" / "segments").rglob("*"):
        before = old / path.relative_to(new)
        if path.is_file() and before.is_file() and 0 < path.stat().st_size == before.stat().st_size:
            was, now = np.memmap(before, "u1", "r"), np.memmap(path, "u1", "r+")
            changed = np.unique(np.flatnonzero(was != now) // 4096)
            for page in (at for at in changed if dice.random() < 0.5):
                now[page * 4096 : (page + 1) * 4096] = was[page * 4096 : (page + 1) * 4096]


def test_a_log_segment_in_the_making_is_no_trouble(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is renamed between the listing and the sync, and holds nothing yet. Others must be there."""
    log = tmp_path / "wal"
    log.mkdir()
    (log / "open-1").touch()
    monkeypatch.setattr(os, "listdir", lambda _path: ["open-1", "tmp-open-2"])
    sync_log(str(tmp_path))
    monkeypatch.setattr(os, "listdir", lambda _path: ["open-1", "closed-0"])
    with pytest.raises(FileNotFoundError):
        sync_log(str(tmp_path))


def test_optimising_changes_nothing_that_is_found(tmp_path: pathlib.Path) -> None:
    """Segments are rewritten, be they another process'; points, holders and searches stay."""
    store = opened(tmp_path, optimise_every_points=300)
    store.write([made(n, "word " * 30 + f"number{n}") for n in range(300)], {}, [])
    store.write([], {identity(5): Ownership(("a",))}, [identity(6)])
    before = everything(store, with_vectors=True)
    store.close()
    store = opened(tmp_path, optimise_every_points=299)
    assert store.pending_optimize
    assert store.optimize()
    assert not store.pending_optimize
    after = everything(store, with_vectors=True)
    assert [point.payload for point in after.values()] == [point.payload for point in before.values()]
    assert hits(store, Query("number299", mode="keyword"))[0].id == identity(299)
    assert store.count() == 299


@pytest.mark.skipif(not has("fadvise"), reason="this system takes no hints")
def test_a_search_by_meaning_reads_each_segments_copies_once(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine has dropped them from the page cache, and would read them in pages."""
    read: list[str] = []
    monkeypatch.setattr(page_cache, "_read", lambda paths, fill=page_cache._read: (read.extend(paths), fill(paths)))
    store = opened(tmp_path)

    def searched(mode: str) -> int:
        read.clear()
        assert hits(store, Query("number7", mode=mode), None if mode == "keyword" else vector(7))[0].id == identity(7)
        return sum(name.endswith("/quantized.data") for name in read)

    store.write([made(n) for n in range(300)], {}, [])
    assert store.optimize()
    assert [searched(mode) for mode in ("keyword", "dense", "dense", "hybrid")] == [0, 1, 0, 0]
    store.write([made(n) for n in range(300, 600)], {}, [])
    assert store.optimize()
    assert searched("hybrid") > 0
    assert searched("dense") == 0
    store.close()


def test_counts_and_facets_know_what_was_deleted_since(tmp_path: pathlib.Path) -> None:
    """Both are read from the segments' books, which are not rewritten for a deletion or a moved point."""
    store = opened(tmp_path)
    store.write(numbered(90), {}, [])
    store.optimize()
    store.write([made(n) for n in range(60, 70)], {identity(80): Ownership(("a",))}, [identity(n) for n in range(30)])
    assert store.count() == 60
    assert store.facet("project_name") == {"p0": 20, "p1": 20, "p2": 20}
    assert store.facet("source", limit=1) == {"claude-code": 60}


def test_resting_twice_does_nothing_the_second_time(tmp_path: pathlib.Path) -> None:
    """An idle store costs nothing."""
    store = opened(tmp_path)
    store.write(numbered(3), {}, [])
    store.optimize()
    assert store.optimize() is False


def test_a_full_disk_is_said_before_anything_is_written(tmp_path: pathlib.Path) -> None:
    """Mapped files on a full disk would end the process; retrying helps once there is room."""
    opened(tmp_path).close()
    request = StoreRequest(store_settings(f"edge:{tmp_path}"), MODEL, DIMENSION)
    store = open_store(request, min_free_bytes=1 << 60)
    with pytest.raises(StoreUnreachable, match="MB are left"):
        store.write(numbered(1), {}, [])
    assert store.count() == 0


def test_a_store_half_made_is_made_again(tmp_path: pathlib.Path) -> None:
    """A kill while creating leaves a draft, which is no store."""
    (tmp_path / "conversations.new" / "segments").mkdir(parents=True)
    store = opened(tmp_path)
    store.write(numbered(1), {}, [])
    assert os.listdir(tmp_path) == ["conversations"]


def test_a_store_made_again_has_another_fingerprint(tmp_path: pathlib.Path) -> None:
    """So that a dropped one is noticed."""
    first = opened(tmp_path)
    first.close()
    shutil.rmtree(tmp_path / "conversations")
    assert opened(tmp_path).fingerprint != first.fingerprint
    assert first.fingerprint.startswith(f"{MODEL}/{DIMENSION}/v1/")


@pytest.mark.parametrize("content", [b"", b"{}", b"not json"])
def test_a_damaged_fingerprint_is_refused(tmp_path: pathlib.Path, content: bytes) -> None:
    """Never guessed: another model's vectors would look the same."""
    opened(tmp_path).close()
    (tmp_path / "conversations" / "importer.json").write_bytes(content)
    with pytest.raises(StoreRefused):
        opened(tmp_path)


def test_somebody_elses_directory_is_not_taken_over(tmp_path: pathlib.Path) -> None:
    """Files that are not ours are left alone."""
    (tmp_path / "conversations").mkdir()
    (tmp_path / "conversations" / "diary.txt").write_text("mine")
    with pytest.raises(StoreRefused):
        opened(tmp_path)
    assert (tmp_path / "conversations" / "diary.txt").read_text() == "mine"


def test_what_the_indexes_read_is_not_shown(tmp_path: pathlib.Path) -> None:
    """Words and tags are this store's own."""
    store = opened(tmp_path)
    store.write(numbered(2), {}, [])
    assert everything(store)[identity(1)].payload == made(1).payload
    assert store.scroll(scope=Scope(project="p1")).points[0].payload == made(1).payload


def test_tags_are_what_filters_ask_for() -> None:
    """Empty ones are left out."""
    assert tags({"project": "/a/b", "project_name": "b", "title": "t", "kind": ""}) == [
        "project=/a/b",
        "project_name=b",
    ]
