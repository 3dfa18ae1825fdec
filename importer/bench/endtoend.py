"""Run the importer as a user would: `importer backlog` with a daemon, a worker and a store of its own."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from importer.bench.watching import JsonEvent, ProcessSample, Watched, watch
from importer.delivery import environment
from importer.errors import WorkerError

DAEMON, WORKER, HEIR = "daemon", "worker", "heir"
_NAMES = {"worker.preparing": HEIR, "worker.started": WORKER}


@dataclass(frozen=True, slots=True)
class MeasuredImport:
    """One import: its own summary at the end, what was measured from outside, and its log events."""

    summary: Mapping[str, Any]
    watched: Watched

    def logged(self, name: str) -> list[JsonEvent]:
        """Return the log events of that name."""
        return [event for event in self.watched.events if event.facts.get("event") == name]

    def along(self, name: str, *, anon: bool = False) -> list[tuple[float, float]]:
        """Return `(files imported by then, bytes)` of a process at every sample, from the first receipt on.

        Bytes are resident ones, or with `anon` anonymous memory and swap.
        """
        samples = self.watched.of(name)
        if anon:
            samples = [sample._replace(rss_bytes=sample.anon_bytes) for sample in samples]
        return along(samples, [(e.at_s, int(e.facts["files"])) for e in self.logged("batch.stored")])

    @property
    def together_anon_bytes(self) -> int:
        """Anonymous memory and swap of daemon and worker together, at most at one time."""
        sums: dict[float, int] = {}
        for sample in self.watched.samples:
            sums[sample.at_s] = sums.get(sample.at_s, 0) + sample.anon_bytes
        return max(sums.values(), default=0)

    @property
    def steady_tokens_per_s(self) -> float:
        """Tokens per second between the first receipt and the last: what a long import comes to, starts apart."""
        stored = self.logged("batch.stored")
        if len(stored) < 2:
            return 0.0
        seconds = stored[-1].at_s - stored[0].at_s
        return sum(event.facts["tokens"] for event in stored[1:]) / seconds if seconds > 0 else 0.0

    def recycling(self) -> dict[str, float]:
        """Return what a fresh worker costs: seconds until it is ready, and its first batch compared with the others."""
        started, stored = self.logged("worker.started"), self.logged("batch.stored")
        firsts = [next((s for s in stored if s.at_s >= start.at_s), None) for start in started]
        first_s = [found.facts["embed_s"] / max(1, found.facts["tokens"]) for found in firsts if found is not None]
        all_s = [event.facts["embed_s"] / max(1, event.facts["tokens"]) for event in stored]
        return {
            "ready_s": round(median([event.facts["seconds"] for event in started] or [0.0]), 3),
            "first_batch_ratio": round(median(first_s) / median(all_s), 3) if first_s and median(all_s) else 0.0,
            "workers": len(started),
        }


def run(folder: str, state_dir: str, flags: Sequence[str], environ: Mapping[str, str]) -> MeasuredImport:
    """Import the folder into that state. Raises WorkerError when the importer fails."""
    arguments = [sys.executable, "-P", "-m", "importer", *flags, "--state-dir", state_dir, "--store", "edge"]
    # One JSON line a receipt, which is what is measured by.
    arguments += ["--log-level", "info", "--log-format", "json", "backlog", folder, "--json"]
    at_home = {**environ, "PYTHONPATH": environment.path_of(environ)}
    watched = watch(arguments, name=DAEMON, environ=at_home, events_on_err=True, heard=_hear)
    if watched.code != 0:
        raise WorkerError(
            f"`importer backlog` ended with {watched.code}: {watched.err.decode(errors='replace')[-500:]}"
        )
    return MeasuredImport(json.loads(watched.out), watched)


def _hear(watched: Watched, event: JsonEvent) -> None:
    """Add a worker to the watched processes at its start, and remove it at its end: its pid may be used again."""
    name = _NAMES.get(str(event.facts.get("event")))
    if name:
        watched.names[int(event.facts["pid"])] = name
    elif event.facts.get("event") in {"worker.recycled", "worker.died"}:
        watched.names.pop(int(event.facts["pid"]), None)


def along(samples: Sequence[ProcessSample], stored: Sequence[tuple[float, int]]) -> list[tuple[float, float]]:
    """Return samples as `(files, resident bytes)`: `stored` gives times and files imported, linear in between."""
    points: list[tuple[float, float]] = []
    totals = zip((at_s for at_s, _ in stored), itertools.accumulate(count for _, count in stored), strict=True)
    # Looks before the first receipt have no number of files to stand at.
    for (from_s, before), (to_s, after) in itertools.pairwise(totals):
        share = (after - before) / (to_s - from_s) if to_s > from_s else 0.0
        points += [
            (before + share * (sample.at_s - from_s), float(sample.rss_bytes))
            for sample in samples
            if from_s <= sample.at_s < to_s
        ]
    return points
