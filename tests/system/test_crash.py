"""SIGKILL of either process, at every seam and at random moments; afterwards the files say what must be there."""

from __future__ import annotations

import os
import pathlib
import random
import subprocess
import time

import oracle
import planted_cases
import pytest
import store_diff
from portions import portion
from processes import Importer, alone, kill, until, workers_of

from importer.bench.corpus import corpus

DAEMON_SEAMS = ("read", "send", "received", "commit", "committed")
WORKER_SEAMS = ("embed", "upsert.before", "upsert.after", "receipt", "reply")
SMALL = {"MEMORY_BATCH_SIZE": "16"}  # many batches from few files


@pytest.fixture(scope="session")
def conversations(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small corpus and every planted peculiarity but the heavy one."""
    folder = str(tmp_path_factory.mktemp("said"))
    corpus.write(folder, files=12, seed=7)
    planted_cases.plant(folder, seed=7, only=set(planted_cases.CASES) - {"heavy"})
    return folder


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    importer = Importer(tmp_path)
    importer.environ.update(SMALL)
    return importer


def check(installed: Importer, folder: str) -> store_diff.StoreDiff:
    """I1, I2, I3 and I6, exactly, for files that have not changed."""
    expected = oracle.expect(folder)
    with oracle.opened(installed.state) as store:
        look = store_diff.compare(expected, store)
        assert not oracle.unpaid(installed.state, store)
    assert not look.wrong
    assert not oracle.torn_offsets(installed.state)
    assert oracle.totals_of(installed.state) == expected.tally
    return look


def finish(installed: Importer, folder: str) -> None:
    """Import what is left. Lines that are broken in the corpus are in quarantine; no chunk is."""
    done = installed.run("backlog", folder)
    assert done.code == 1, done.err
    assert not oracle.rejected_in(installed.state)


def killed_importer(installed: Importer, folder: str, seam: str, nth: int) -> None:
    """Killed at a seam, the next run finishes: nothing lost, nothing twice, every line counted once."""
    killed = installed.run("backlog", folder, IMPORTER_FAILPOINTS=f"{seam}=kill@{nth}")
    assert killed.code == -9
    assert not oracle.torn_offsets(installed.state)
    finish(installed, folder)
    check(installed, folder)


def killed_worker(installed: Importer, folder: str, seam: str, nth: int) -> None:
    """Check that a worker killed at a seam is replaced and the same run finishes as usual."""
    once = f"{installed.base}/once"
    done = installed.run("backlog", folder, "--json", IMPORTER_FAILPOINTS=f"{seam}=kill@{nth}%{once}")
    assert os.path.exists(once)
    assert (done.code, done.json["worker"]["spawns"]) == (1, 2), done.err
    check(installed, folder)


@pytest.mark.parametrize("seam", DAEMON_SEAMS)
def test_killed_importer(installed: Importer, conversations: str, seam: str) -> None:
    """At every seam of the importer."""
    killed_importer(installed, conversations, seam, 1 + DAEMON_SEAMS.index(seam))


@pytest.mark.parametrize("seam", WORKER_SEAMS)
def test_killed_worker(installed: Importer, conversations: str, seam: str) -> None:
    """At every seam of the worker."""
    killed_worker(installed, conversations, seam, 1 + WORKER_SEAMS.index(seam))


@pytest.mark.long
@pytest.mark.parametrize("nth", range(1, 9))
@pytest.mark.parametrize("seam", [*DAEMON_SEAMS, *WORKER_SEAMS])
def test_killed_at_every_turn(installed: Importer, conversations: str, seam: str, nth: int) -> None:
    """At every seam, the first time it is passed and the seven after that."""
    killed = killed_importer if seam in DAEMON_SEAMS else killed_worker
    killed(installed, conversations, seam, nth)


def strike(rng: random.Random, process: subprocess.Popen[str]) -> str:
    """Kill the importer or its worker after a while; return which."""
    end = time.monotonic() + rng.uniform(0.1, 1.5)
    until(lambda: time.monotonic() > end or process.poll() is not None)
    workers = workers_of(process)
    if workers and rng.random() < 0.5:
        return "worker" if kill(workers[0]) else ""
    if process.poll() is None and kill(process):
        process.wait()
        until(lambda: all(alone(worker.pid) for worker in workers))
        return "importer"
    return ""


@pytest.mark.parametrize("seed", portion([1, 2], 2))
def test_random_kills(installed: Importer, conversations: str, seed: int) -> None:
    """At random moments of a backlog: after each kill the offsets are paid for, at the end everything is there."""
    rng, kills, process = random.Random(seed), [], installed.start("backlog", conversations)
    while len(kills) < 6:
        if victim := strike(rng, process):
            kills.append(victim)
        if process.poll() is not None:
            process.communicate()
            process = installed.start("backlog", conversations)
    process.communicate(timeout=60)
    finish(installed, conversations)
    look = check(installed, conversations)
    print(f"seed {seed}: {kills}, {look.points} points")
