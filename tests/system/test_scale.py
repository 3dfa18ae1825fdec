"""Many files: what a start, a rest and a burst cost.

    pytest -m long tests/test_scale.py -s          KNOWN=10000 IDLE_S=20 BURST=2000 for a shorter look

What is printed are the figures; what is asserted does not depend on the machine's speed.
"""

from __future__ import annotations

import os
import pathlib
import random
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from processes import Importer, asked, idle, until, workers_of

from importer.bench.corpus.lines import SessionWriter, encode

pytestmark = pytest.mark.long

KNOWN = int(os.environ.get("KNOWN", "100000"))
RESTING = int(os.environ.get("RESTING", "10000"))
IDLE_S = float(os.environ.get("IDLE_S", "60"))
BURST = int(os.environ.get("BURST", "20000"))
PER_FOLDER = 1000
MB = 1024 * 1024


def write(folder: pathlib.Path, count: int, seed: int) -> None:
    """Write so many conversations of one exchange, in folders of a thousand."""
    rng = random.Random(seed)
    for number in range(count):
        session = SessionWriter(rng, cwd="/home/ann/app", at_ms=1_780_000_000_000)
        below = folder / f"project-{number // PER_FOLDER:03d}"
        below.mkdir(parents=True, exist_ok=True)
        lines = [session.user(f"question {seed} {number}"), session.text(f"answer {number}")]
        (below / f"{session.id}.jsonl").write_bytes(encode(lines))


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    importer = Importer(tmp_path)
    importer.environ.update(
        IMPORTER_EMBED_PROVIDER="plugins.counting_embedder",
        IMPORTER_PLUGIN_COUNTED_TEXTS=str(tmp_path / "texts"),
        HOME=str(tmp_path),
    )
    return importer


def imported(installed: Importer, folder: pathlib.Path, count: int) -> None:
    """Import all files and check that all are known."""
    done = installed.run("backlog", str(folder), "--json", seconds=3000)
    assert (done.code, done.json["points"]) == (0, count), done.err[-2000:]


def embedded(installed: Importer) -> int:
    """Return how many texts were embedded so far."""
    return pathlib.Path(installed.environ["IMPORTER_PLUGIN_COUNTED_TEXTS"]).read_bytes().count(b"\n")


@contextmanager
def notified(tmp_path: pathlib.Path) -> Iterator[tuple[str, socket.socket]]:
    """Open a service manager's socket."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(path)
        listening.settimeout(60)
        yield path, listening


def test_a_start_with_many_known_files(installed: Importer, tmp_path: pathlib.Path) -> None:
    """Ready when all of them were looked at; nothing is embedded again."""
    folder = tmp_path / "said"
    write(folder, KNOWN, seed=1)
    imported(installed, folder, KNOWN)
    before = embedded(installed)
    for _ in range(3):
        with notified(tmp_path) as (path, listening):
            started = time.monotonic()
            with installed.daemon("--source", f"auto={folder}", NOTIFY_SOCKET=path) as daemon:
                until(lambda: b"READY=1" in listening.recv(4096), every_s=0)
                took = time.monotonic() - started
                own = psutil.Process(daemon.pid)
                cpu, rss = sum(own.cpu_times()[:2]), own.memory_info().rss
                assert not workers_of(daemon)
        os.unlink(path)
        print(f"\n{KNOWN} known files: ready after {took:.2f} s ({cpu:.2f} s of processor), {rss / MB:.1f} MB")
    assert embedded(installed) == before


def test_rest(installed: Importer, tmp_path: pathlib.Path) -> None:
    """One process; what it takes between two rescans, and what a rescan takes."""
    folder = tmp_path / "said"
    write(folder, RESTING, seed=2)
    imported(installed, folder, RESTING)
    with installed.daemon("--source", f"auto={folder}", IMPORTER_TAIL_RESCAN_S="3600") as daemon:
        until(lambda: idle(installed))
        time.sleep(2)
        own = psutil.Process(daemon.pid)
        before, started = sum(own.cpu_times()[:2]), time.monotonic()
        time.sleep(IDLE_S)
        share = (sum(own.cpu_times()[:2]) - before) / (time.monotonic() - started)
        rss, children = own.memory_info().rss, own.children()
    with installed.daemon("--source", f"auto={folder}", IMPORTER_TAIL_RESCAN_S="1") as daemon:
        until(lambda: idle(installed))
        own = psutil.Process(daemon.pid)
        before = sum(own.cpu_times()[:2])
        time.sleep(20)
        rescan_s = (sum(own.cpu_times()[:2]) - before) / 20 - share
    print(f"\n{RESTING} known files, {IDLE_S:.0f} s of rest: {rss / MB:.1f} MB, {share:.3%} of a core")
    print(f"a rescan takes {rescan_s:.3f} s of processor: {rescan_s / 30:.3%} of a core at one in 30 s")
    assert not children
    assert rss < 45 * MB


def test_a_burst_while_stopped(installed: Importer, tmp_path: pathlib.Path) -> None:
    """More files than events can be kept for, while the daemon is stopped by SIGSTOP: two rescans find them all."""
    folder = tmp_path / "said"
    write(folder, 3, seed=3)
    with installed.daemon("--source", f"auto={folder}", IMPORTER_TAIL_RESCAN_S="30") as daemon:
        until(lambda: (asked(installed, "status") or {}).get("points") == 3)
        daemon.send_signal(signal.SIGSTOP)
        write(folder, BURST, seed=4)
        daemon.send_signal(signal.SIGCONT)
        started = time.monotonic()
        until(lambda: asked(installed, "status")["points"] == BURST + 3, seconds=600, every_s=0.5)
        print(f"\n{BURST} files written while it was stopped: imported {time.monotonic() - started:.1f} s later")
    assert embedded(installed) == BURST + 3
