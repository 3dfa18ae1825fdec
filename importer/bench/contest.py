"""Run rivals and importer one after the other on the same corpus, the ceiling before and after.

    raw fastembed ─► ceiling ─► importer ─► once more, nothing new ─► ceiling ─► in-process importer

A shared machine changes from minute to minute, so what is compared most closely stands closest together.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

import msgspec

from importer.bench import endtoend
from importer.bench.endtoend import MeasuredImport
from importer.bench.material import Material
from importer.bench.rivals.orders import Order
from importer.bench.watching import Watched, watch
from importer.memory.probes import memory_limit_bytes
from importer.protocol.units import MB

RIVAL = "rival"  # its name among the watched processes
PATIENCE = 10  # times its seconds, for a rival that has not reported yet


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds for each rival; the importer takes what it takes."""

    ceiling_s: float = 20.0
    raw_s: float = 30.0
    inprocess_s: float = 60.0


QUICK = Times(4.0, 5.0, 10.0)  # for a first impression


@dataclass(frozen=True, slots=True)
class Rival:
    """The work of a rival in its `seconds`; `problem` says why it is not to be counted, "" for none."""

    seconds: float
    tokens: int
    chunks: int
    files: int
    watched: Watched
    problem: str = ""

    @property
    def tokens_per_s(self) -> float:
        """Real tokens, padding apart."""
        return self.tokens / self.seconds if self.seconds else 0.0


class CeilingSlice(NamedTuple):
    """Half a second of an engine's ceiling: a shape of run, its tokens per second and per second of processor time."""

    engine: str
    shape: str
    tokens_per_s: float
    tokens_per_cpu_s: float


@dataclass(slots=True)
class Results:
    """Everything that was measured. `slices` are the ceiling's, in order of time."""

    slices: list[CeilingSlice] = field(default_factory=list)
    raw: Rival | None = None
    imported: MeasuredImport | None = None
    again: MeasuredImport | None = None
    inprocess: Rival | None = None

    def shapes(self, engine: str = "onnxruntime", *, cpu: bool = False) -> dict[str, float]:
        """Return tokens/s of each shape of run, the median of its slices; with `cpu` per second of processor time."""
        rates: dict[str, list[float]] = defaultdict(list)
        for one in (one for one in self.slices if one.engine == engine):
            rates[one.shape].append(one.tokens_per_cpu_s if cpu else one.tokens_per_s)
        return {shape: median(found) for shape, found in rates.items()}


@dataclass(frozen=True, slots=True)
class Contest:
    """A benchmark to run. `environ` is the importer's environment, `said` is called with what comes next."""

    material: Material
    order: Order
    times: Times
    environ: Mapping[str, str]
    flags: tuple[str, ...] = ()
    said: Callable[[str], None] = lambda _text: None

    def run(self) -> Results:
        """Run everything. Raises WorkerError when the importer fails; a rival's failure is only reported."""
        results, state = Results(), os.path.join(self.order.folder, "state")
        self.said("raw fastembed")
        results.raw = self._rival("raw", self.times.raw_s)
        self._ceiling(results)
        self.said("the importer")
        results.imported = endtoend.run(self.material.manifest.folder, state, self.flags, self.environ)
        self.said("the importer again, with nothing new")
        results.again = endtoend.run(self.material.manifest.folder, state, self.flags, self.environ)
        self._ceiling(results)
        self.said("the in-process importer")
        results.inprocess = self._rival("inprocess", self.times.inprocess_s)
        return results

    def _ceiling(self, results: Results) -> None:
        """Measure the ceiling for half of its time, before the importer and after it, as machines change."""
        for engine in dict.fromkeys(("onnxruntime", self.order.engine)):
            self.said(f"the ceiling: {engine} alone")
            watched = self._watch("ceiling", self.times.ceiling_s / 2, lambda _watched: "", engine=engine)
            for facts in (event.facts for event in watched.events if "shape" in event.facts):
                rates = [facts["tokens"] / facts[clock] if facts[clock] else 0.0 for clock in ("seconds", "cpu_s")]
                results.slices.append(CeilingSlice(engine, facts["shape"], *rates))

    def _rival(self, name: str, seconds: float) -> Rival:
        """Run a rival and return what its last report says; a rival that was ended from outside has not failed."""
        # Half the memory, that the machine lives; a lower bound would end raw fastembed within its second batch, and
        # the first one, in which all its memory is new, is its slowest.
        most_bytes = memory_limit_bytes() // 2
        watched = self._watch(name, seconds, lambda seen: reason_to_end(seen, seconds, most_bytes))
        marks = [event.facts for event in watched.events if "tokens" in event.facts]
        # What we ended ourselves ends with a code, too.
        failed = "" if watched.ended or not watched.code else _last_line(watched.err)
        if not marks:
            return Rival(0.0, 0, 0, 0, watched, failed or watched.ended or "it has done nothing")
        last = marks[-1]
        return Rival(last["seconds"], int(last["tokens"]), int(last["chunks"]), int(last["files"]), watched, failed)

    def _watch(self, name: str, seconds: float, stop: Callable[[Watched], str], engine: str = "onnxruntime") -> Watched:
        """Run a rival in a process of its own, so that its memory begins and ends with it."""
        arguments = [sys.executable, "-P", "-m", f"importer.bench.rivals.{name}"]
        given = msgspec.json.encode(msgspec.structs.replace(self.order, seconds=seconds, engine=engine))
        return watch(arguments, name=RIVAL, given=given, environ=self.environ, stop=stop)


def reason_to_end(watched: Watched, seconds: float, most_bytes: int) -> str:
    """Return why a rival has done enough, "" while it has not; its time counts from when it was ready.

    Before its first report the limit is PATIENCE times as long: loading a model or a first batch may take longer than
    its time.
    """
    ready_s = next((event.at_s for event in watched.events if event.facts.get("ready")), None)
    if watched.last(RIVAL) > most_bytes:
        return f"more than {most_bytes // MB:,} MB"
    if ready_s is None or not watched.samples:
        return ""
    took_s = watched.samples[-1].at_s - ready_s
    begun = len(watched.events) > 1
    return "its time was over" if took_s > (seconds if begun else PATIENCE * seconds) else ""


def _last_line(text: bytes) -> str:
    """Return the last line of a traceback, which says what happened."""
    return (text.decode(errors="replace").strip().splitlines() or ["it says nothing"])[-1][:300]
