"""SIGKILL of a worker that embeds, of the one that stores, and of the importer, with three workers; all is exact."""

from __future__ import annotations

import pathlib
import random
import subprocess
import time
from collections import Counter
from contextlib import suppress

import oracle
import psutil
import pytest
import store_diff
from processes import Importer, alone, kill, until, workers_of

from importer.bench.corpus import corpus

pytestmark = pytest.mark.slow

THREE = {"MEMORY_BATCH_SIZE": "16", "IMPORTER_WORKER_COUNT": "3"}
KINDS = ("embeds", "stores", "importer")


@pytest.fixture(scope="module")
def conversations(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("said"))
    corpus.write(folder, files=16, seed=11)
    return folder


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    importer = Importer(tmp_path)
    importer.environ.update(THREE)
    return importer


def check(installed: Importer, folder: str) -> None:
    """I1, I2, I3 and I6, exactly; no chunk is set aside, none is embedded twice over."""
    expected = oracle.expect(folder)
    with oracle.opened(installed.state) as store:
        assert not store_diff.compare(expected, store).wrong
        assert not oracle.unpaid(installed.state, store)
    assert not oracle.torn_offsets(installed.state)
    assert not oracle.rejected_in(installed.state)
    assert oracle.totals_of(installed.state) == expected.tally


def kind_of(worker: psutil.Process) -> str:
    with suppress(psutil.Error):  # it ended meanwhile
        return "embeds" if "embeds" in worker.cmdline() else "stores"
    return "gone"


@pytest.mark.parametrize(
    ("seam", "nth"),
    [
        ("vectors", 2),
        ("upsert.after", 3),
        *(pytest.param(*one, marks=pytest.mark.long) for one in (("embed", 5), ("reply", 9))),
    ],
)
def test_a_worker_killed(installed: Importer, conversations: str, seam: str, nth: int) -> None:
    """It is replaced, and the same run finishes as usual."""
    once = installed.base / "once"
    done = installed.run("backlog", conversations, "--json", IMPORTER_FAILPOINTS=f"{seam}=kill@{nth}%{once}")
    assert (done.code, once.exists(), done.json["worker"]["crashes"]) == (0, True, 1), done.err
    check(installed, conversations)


@pytest.mark.parametrize(
    "seam", ["embedded", *(pytest.param(one, marks=pytest.mark.long) for one in ("send", "committed"))]
)
def test_the_importer_killed(installed: Importer, conversations: str, seam: str) -> None:
    """No worker outlives it, and the next run finishes."""
    process = installed.start("backlog", conversations, IMPORTER_FAILPOINTS=f"{seam}=kill@4")
    process.communicate(timeout=120)
    assert process.returncode == -9
    until(lambda: all(map(alone, installed.worker_pids())))
    assert installed.run("backlog", conversations).code == 0
    check(installed, conversations)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_random_kills_of_each_kind(installed: Importer, conversations: str, seed: int) -> None:
    """One after the other while the model is slow; in the end everything is there, once."""
    rng, kills = random.Random(seed), Counter[str]()
    wanted = rng.sample([*KINDS, *KINDS], 6)
    process = installed.start("backlog", conversations, IMPORTER_FAILPOINTS="embed=sleep:0.05")
    while wanted:
        if process.poll() is not None:
            process.communicate()
            process = installed.start("backlog", conversations, IMPORTER_FAILPOINTS="embed=sleep:0.05")
        time.sleep(rng.uniform(0.05, 0.4))
        kills[strike(process, wanted)] += 1
    process.communicate(timeout=120)
    assert installed.run("backlog", conversations).code == 0
    check(installed, conversations)
    print(f"seed {seed}: {dict(kills)}")


def strike(process: subprocess.Popen[str], wanted: list[str]) -> str:
    """Kill what is wanted first, if it is there; return its kind, "" if it is not."""
    workers = {kind_of(worker): worker for worker in workers_of(process)}
    if wanted[0] == "importer":
        struck = kill(process) if process.poll() is None else False
        process.wait(60)
    else:
        struck = kill(workers[wanted[0]]) if wanted[0] in workers else False
    return wanted.pop(0) if struck else ""
