"""A daemon that is killed again and again while its files change, and what must be stored in the end.

with storm_of(tmp_path, seed) as storm:
    storm.rage(kills=1000)
    storm.settle()
assert not storm.verdict()
"""

from __future__ import annotations

import os
import pathlib
import random
import subprocess
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import oracle
import psutil
import store_diff
from changing_files import World
from processes import Importer, alone, idle, kill, until, workers_of

SEAMS = (
    *("read", "send", "received", "commit", "committed"),
    *("embed", "upsert.before", "upsert.after", "receipt", "reply"),
)
SEAMS_OF_SEVERAL = ("embedded", "vectors")  # passed only where several workers embed
STILL_S = 300  # without any progress


@dataclass
class Storm:
    """A daemon that is killed again and again while its files change."""

    world: World
    importer: Importer
    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    process: subprocess.Popen[str] | None = None
    torn: list[str] = field(default_factory=list)
    longest_s: float = 2.5
    workers: int = 1

    def __post_init__(self) -> None:
        self.rng = random.Random(f"storm {self.seed}")
        self.wanted = ""
        self.importer.environ.update(MEMORY_BATCH_SIZE="16", IMPORTER_TAIL_RESCAN_S="0.5", IMPORTER_LOG_LEVEL="error")
        if self.workers > 1:  # small batches, so that there is one for each of them
            self.importer.environ.update(IMPORTER_WORKER_COUNT=str(self.workers), MEMORY_BATCH_SIZE="2")

    def __enter__(self) -> Storm:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def rage(self, kills: int) -> None:
        """Kill the daemon or its worker this often, at seams and at random moments, while files change."""
        while self.kills.total() < kills:
            process = self._living()
            end = time.monotonic() + self.rng.uniform(0.05, self.longest_s)
            while time.monotonic() < end and process.poll() is None:
                self.world.act()
                time.sleep(0.02 if self.workers == 1 else 0.2)  # a kind that is wanted is waited for
            self._strike(process)

    def settle(self) -> None:
        """End all faults: complete the half lines and wait until the daemon has caught up by itself."""
        self.world.finish_lines()
        if self.process is not None:
            kill(self.process)
            self._buried(self.process)
        self.process = self._start(orders="")
        self._catch_up()
        self.process.terminate()
        _, err = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, err[-3000:]
        self.process = None

    def verdict(self) -> dict[str, Any]:
        """Return what breaks I1 to I3 and I6; empty when all is well."""
        expected = oracle.expect(self.world.folder)
        with oracle.opened(self.importer.state) as store:
            look = store_diff.compare(expected, store, explained=self.world.explained, changing=True)
        wrong: dict[str, Any] = dict(look.wrong)
        wrong["torn"] = self.torn + oracle.torn_offsets(self.importer.state)
        if self.world.growing and (totals := oracle.totals_of(self.importer.state)) != expected.tally:
            wrong["I6"] = (totals, expected.tally)
        wrong["quarantined chunks"] = oracle.rejected_in(self.importer.state)
        print(
            f"seed {self.seed}: {dict(self.kills)} kills, {self.world.lines} lines written, {look.points} points, "
            f"{len(expected.chunks)} of them in the files; {dict(self.world.acts)}"
        )
        return {name: found for name, found in wrong.items() if found}

    def _living(self) -> subprocess.Popen[str]:
        """Return the living daemon; after its death check what it left and start another."""
        if self.process is None or self.process.poll() is not None:
            if self.process is not None:
                self._buried(self.process)
            self.process = self._start(self._orders())
        return self.process

    def _start(self, orders: str) -> subprocess.Popen[str]:
        return self.importer.start("run", "--source", f"auto={self.world.folder}", IMPORTER_FAILPOINTS=orders)

    def _orders(self) -> str:
        """Return failpoints: in half of the lives one seam kills once, in half of them the model is slow."""
        once, slow = f"{self.importer.base}/once-{self.kills.total()}", self.rng.choice(("", "embed=sleep:0.03;"))
        seams = SEAMS + (SEAMS_OF_SEVERAL if self.workers > 1 else ())
        seam = f"{self.rng.choice(seams)}=kill@{self.rng.randint(1, 6)}%{once}"
        return slow + (seam if self.rng.random() < 0.5 else "")

    def _strike(self, process: subprocess.Popen[str]) -> None:
        """Kill the worker or the daemon, unless a seam was faster."""
        if process.poll() is not None:
            self.kills["daemon at a seam"] += 1
        elif self.workers > 1:
            self._strike_wanted(process)
        elif (workers := workers_of(process)) and self.rng.random() < 0.5:
            self.kills["worker"] += kill(workers[0])
        else:
            self.kills["daemon"] += kill(process)

    def _strike_wanted(self, process: subprocess.Popen[str]) -> None:
        """Kill a process of the kind that is wanted next, as soon as there is one: of several, each kind as often."""
        self.wanted = self.wanted or self.rng.choice(("daemon", "worker", "worker that embeds"))
        there = [process] if self.wanted == "daemon" else workers_of(process)
        fitting = [one for one in there if one is process or kind_of(one) == self.wanted]
        if fitting and kill(self.rng.choice(fitting)):
            self.kills[self.wanted] += 1
            self.wanted = ""

    def _buried(self, process: subprocess.Popen[str]) -> None:
        """Check what a dead daemon left: its worker soon ends, too, and all offsets lie after newlines."""
        workers = [pid for pid in self.importer.worker_pids() if not alone(pid)]
        _, err = process.communicate()
        assert process.returncode == -9, f"the daemon ended by itself, with {process.returncode}: {err[-3000:]}"
        until(lambda: all(alone(pid) for pid in workers), seconds=30)  # they are nice, and others may want the cores
        if os.path.exists(f"{self.importer.state}/checkpoints.sqlite3"):
            rows = [row for row in oracle.rows_of(self.importer.state) if row["inode"] not in self.world.unsteady]
            self.torn += oracle.torn(rows)

    def _catch_up(self) -> None:
        """Wait as long as it takes while something gets done: on a busy machine lives are too short to get far."""
        done: Any = None
        end = time.monotonic() + STILL_S
        while not self._caught_up():
            now = oracle.totals_of(self.importer.state) if oracle.has_begun(self.importer.state) else None
            if now != done:
                done, end = now, time.monotonic() + STILL_S
            assert time.monotonic() < end, f"nothing was done for {STILL_S} s"
            time.sleep(0.2)

    def _caught_up(self) -> bool:
        assert self.process is not None and self.process.poll() is None, "the daemon ended"
        return idle(self.importer)


def kind_of(worker: Any) -> str:
    """Return what a worker does: it embeds for another one, or owns the store."""
    with suppress(psutil.Error):  # it ended meanwhile
        return "worker that embeds" if "embeds" in worker.cmdline() else "worker"
    return "worker that is gone"


def storm_of(base: pathlib.Path, seed: int, *, growing: bool = False, workers: int = 1) -> Storm:
    """Return a storm over a folder of files of its own for each seed."""
    folder = base / "said"
    folder.mkdir()
    return Storm(World(str(folder), seed, growing=growing), Importer(base), seed, workers=workers)
