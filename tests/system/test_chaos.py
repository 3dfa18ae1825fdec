"""Daemons and workers killed at random over files that grow, vanish, move and are damaged: in the end nothing is wrong.

The quick ones run always, with fixed seeds; `-m long` runs a thousand kills, storms of minutes, thousands of workers.
"""

from __future__ import annotations

import os
import pathlib
import random
import statistics
import time

import kill_storm
import oracle
import psutil
import pytest
import store_diff
from processes import Importer, idle, kill, until, workers_of

from importer.bench.corpus import corpus
from importer.bench.corpus.lines import SessionWriter, encode

KILLS = int(os.environ.get("CHAOS_KILLS", "1000"))
STORM_S = float(os.environ.get("CHAOS_STORM_S", "180"))
RECYCLES = int(os.environ.get("CHAOS_RECYCLES", "2000"))
SEED = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


@pytest.mark.parametrize(("seed", "growing"), [(1, False), (2, True)])
def test_some_kills(tmp_path: pathlib.Path, seed: int, growing: bool) -> None:
    """Some kills of daemon or worker, at seams and in between, while the files change in every way, or only grow."""
    storm = kill_storm.storm_of(tmp_path, seed, growing=growing)
    with storm:
        storm.rage(kills=8)
        storm.settle()
    assert not storm.verdict()


@pytest.mark.slow
def test_some_kills_of_three_workers(tmp_path: pathlib.Path) -> None:
    """Two that embed beside the one that stores: each of them may be struck, and the daemon."""
    with kill_storm.storm_of(tmp_path, 3, workers=3) as storm:
        storm.rage(kills=8)
        storm.settle()
    assert not storm.verdict()


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("growing", [False, True])
def test_a_thousand_kills(tmp_path: pathlib.Path, growing: bool, workers: int) -> None:
    """The same a thousand times: I1 to I3 hold exactly, and I6 where lines are only added. Prints what was done."""
    print(f"seed {SEED}")
    storm = kill_storm.storm_of(tmp_path, SEED, growing=growing, workers=workers)
    with storm:
        for kills in range(100, KILLS + 1, 100):  # a look now and then, so that a fault is found near where it is made
            storm.rage(kills)
            storm.settle()
            assert not storm.verdict()


@pytest.mark.long
def test_workers_killed_for_minutes(tmp_path: pathlib.Path) -> None:
    """Killing workers from outside for minutes, while there is always work: nothing is set aside, nothing is lost."""
    print(f"seed {SEED}")
    rng, kills = random.Random(SEED), 0
    said = tmp_path / "said"
    corpus.write(str(said), files=400, seed=SEED)
    installed = Importer(tmp_path)
    installed.environ["MEMORY_BATCH_SIZE"] = "16"
    with installed.daemon("--source", f"auto={said}", IMPORTER_FAILPOINTS="embed=sleep:0.05") as process:
        end = time.monotonic() + STORM_S
        while time.monotonic() < end and not idle(installed):
            time.sleep(rng.uniform(0.05, 2.0))
            kills += sum(kill(worker) for worker in workers_of(process))
        until(lambda: idle(installed), seconds=600, every_s=0.5)
        process.terminate()
        assert process.wait(30) == 0
    print(f"{kills} workers killed")
    assert not oracle.rejected_in(installed.state)
    with oracle.opened(installed.state) as store:
        assert not store_diff.compare(oracle.expect(str(said)), store).wrong


@pytest.mark.long
def test_thousands_of_workers(tmp_path: pathlib.Path) -> None:
    """A worker for every file or two: no zombies, and the daemon's memory and descriptors stay where they are."""
    said = tmp_path / "said" / "-home-ann-app"
    said.mkdir(parents=True)
    for number in range(2 * RECYCLES):
        session = SessionWriter(random.Random(number), cwd="/home/ann/app", at_ms=1_770_000_000_000 + number * 1000)
        (said / f"{session.id}.jsonl").write_bytes(encode([session.user(f"Question {number}?")]))
    installed = Importer(tmp_path)
    installed.environ.update(MEMORY_BATCH_SIZE="1", IMPORTER_WORKER_RECYCLE_FILES="1")
    rss: list[int] = []
    descriptors: list[int] = []
    with installed.daemon("--source", f"auto={said.parent}") as process:
        daemon = psutil.Process(process.pid)
        while not idle(installed):
            rss.append(daemon.memory_info().rss)
            descriptors.append(daemon.num_fds())
            assert sum(child.status() == psutil.STATUS_ZOMBIE for child in daemon.children()) <= 1
            time.sleep(0.5)
        spawns = asked_spawns(installed)
    print(f"{spawns} workers; RSS {quartiles(rss)}, descriptors {quartiles(descriptors)}")
    assert spawns >= RECYCLES * 0.9
    assert quartiles(rss)[1] <= 1.05 * quartiles(rss)[0]
    assert quartiles(descriptors)[1] <= quartiles(descriptors)[0] + 2


def asked_spawns(installed: Importer) -> int:
    from importer.service import client

    return int(client.ask_daemon(installed.state, "status")["worker"]["spawns"])


def quartiles(values: list[int]) -> tuple[float, float]:
    """Return the medians of the first quarter and of the last; the start itself is left out."""
    steady = values[len(values) // 20 :]
    quarter = max(1, len(steady) // 4)
    return statistics.median(steady[:quarter]), statistics.median(steady[-quarter:])
