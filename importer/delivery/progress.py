"""How far an import is and how fast it goes.

A `Run` counts what was done, of all files or of those of one request. Its totals, noted every second, become rates over
the last minute.
"""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from importer.protocol.outcome import Receipt
from importer.protocol.records import Batch, Tally

WINDOW_S = 60.0


class RunTotals(NamedTuple):
    """The totals of a run at a monotonic second. `chunks` are those embedded, not those that stood in the store."""

    at_s: float
    files: int
    lines: int
    bytes: int
    chunks: int
    tokens: int


class Rates(NamedTuple):
    """The speed per second over the last `over_s` seconds."""

    over_s: float
    files_per_s: float
    lines_per_s: float
    bytes_per_s: float
    chunks_per_s: float
    tokens_per_s: float


@dataclass(slots=True)
class RateWindow:
    """The totals of the last `window_s` seconds."""

    window_s: float = WINDOW_S
    _totals: deque[RunTotals] = field(default_factory=deque)

    def add(self, at_s: float, run: Run) -> None:
        """Note the totals of the run at that monotonic second."""
        tally = run.tally
        self._totals.append(RunTotals(at_s, run.files, tally.lines_read, tally.bytes_read, run.points, run.tokens))
        while at_s - self._totals[0].at_s > self.window_s:
            self._totals.popleft()

    def rates(self) -> Rates | None:
        """Return the speed of the last minute, None before two totals are noted."""
        if len(self._totals) < 2:
            return None
        first, last = self._totals[0], self._totals[-1]
        over_s = last.at_s - first.at_s
        if over_s <= 0:
            return None
        each = [round((after - before) / over_s, 1) for before, after in zip(first[1:], last[1:], strict=True)]
        return Rates(round(over_s, 1), *each)


@dataclass(slots=True)
class Run:
    """The counts of one run, for progress and the summary.

    Seconds are monotonic; `total` is the number of points in the store as the last receipt said, -1 for not asked yet.
    """

    files: int = 0
    chunks: int = 0
    points: int = 0
    known: int = 0
    tokens: int = 0
    total: int = -1
    embed_s: float = 0.0
    store_s: float = 0.0
    tally: Tally = field(default_factory=Tally)
    errors: dict[bytes, str] = field(default_factory=dict)
    started_s: float = field(default_factory=time.monotonic)
    started_cpu_s: float = field(default_factory=time.process_time)
    holding: str = ""  # why nothing moves just now
    _early: list[tuple[Batch, Receipt]] = field(default_factory=list)  # parts of a batch whose commits are to come

    def add(self, batch: Batch, receipt: Receipt, mine: Callable[[bytes], bool] = lambda _path: True) -> None:
        """Count what the batch brought of the files that are `mine`.

        A receipt is of a whole batch: where others share it, points and tokens are counted by share of chunks. Of a
        batch that was sent in parts, the last one alone has the commits that say which file a chunk belongs to.
        """
        if batch.chunks and not batch.commits:
            self._early.append((batch, receipt))
            return
        # an urgent batch may have gone ahead of the rest of an ordinary one; parts of one batch are alike in this
        early = [one for one in self._early if one[0].urgent == batch.urgent]
        self._early = [one for one in self._early if one[0].urgent != batch.urgent]
        taken = {at for at, commit in enumerate(batch.commits) if mine(commit.checkpoint.path)}
        for part, told in (*early, (batch, receipt)):
            self._count(part, told, taken)
        for at in taken:
            commit = batch.commits[at]
            self.tally += commit.tally
            self.files += is_complete(batch, at) and commit.tally.lines_read > 0

    def _count(self, batch: Batch, receipt: Receipt, taken: set[int]) -> None:
        """Count the chunks that belong to the commits `taken`."""
        chunks = sum(owner in taken for owner in batch.owners)
        share = chunks / len(batch.chunks) if batch.chunks else float(bool(taken))
        self.chunks += chunks
        self.points += round(receipt.points * share)
        self.known += round(receipt.known * share)
        self.tokens += round(receipt.tokens * share)
        self.embed_s += receipt.embed_s * share
        self.store_s += receipt.store_s * share
        self.total = receipt.total if receipt.total >= 0 else self.total


def is_complete(batch: Batch, at: int) -> bool:
    """Return whether commit `at` of the batch stands at the end of its file."""
    checkpoint = batch.commits[at].checkpoint
    # a ctime of 0 stands for "too soon to be sure" as well, so the offset is asked too
    return checkpoint.ctime_ns != 0 or checkpoint.offset >= checkpoint.size


def complete_files(batch: Batch) -> int:
    """Return how many files the batch imports to their ends."""
    return sum(is_complete(batch, at) for at in range(len(batch.commits)))


def summary(run: Run, stats: WorkerStats, seconds: float, *, stopped: bool) -> dict[str, Any]:
    """Return the JSON of `backlog`: what this run read and stored, and what the store counts now."""
    return {
        "files": run.files,
        "lines": run.tally.lines_read,
        "messages": run.tally.messages,
        "chunks": run.chunks,
        "points": max(run.total, 0),
        "embedded": run.points,
        "known": run.known,
        "stored": run.tally.lines_stored,
        "skipped": run.tally.lines_skipped,
        "quarantined": run.tally.lines_quarantined,
        "bytes": run.tally.bytes_read,
        "tokens": run.tokens,
        "seconds": round(seconds, 3),
        "chunks_per_s": round(run.points / seconds, 1) if seconds else 0.0,
        "tokens_per_s": round(run.tokens / seconds, 1) if seconds else 0.0,
        "stopped": stopped,
        "worker": {
            "spawns": stats.spawns,
            "recycles": dict(stats.recycles),
            "crashes": stats.crashes,
            "peak_rss_bytes": stats.peak_rss_bytes,
            "peak_anon_bytes": stats.peak_anon_bytes,
            "forecast": stats.forecast.figures(),
        },
        "daemon": {
            "peak_rss_bytes": stats.daemon_peak_rss_bytes,
            "cpu_s": round(time.process_time() - run.started_cpu_s, 3),
        },
    }


MOST_PERCENT = 200  # errors of a forecast above this count as this
MOST_ENDINGS = 100  # not yet written; bounded, because a command without a history never writes them
Ending = tuple[float, str, int, int, int, float]
"""The fields of `history.Ending`."""


@dataclass(slots=True)
class ForecastErrors:
    """How far forecasts of the worker's memory were off, counted by whole percent of what was measured."""

    by_percent: Counter[int] = field(default_factory=Counter)

    def note(self, forecast_bytes: int, measured_bytes: int) -> None:
        """Take in what was forecast for a batch and what it took; 0 for either says that it is not known."""
        if forecast_bytes and measured_bytes:
            self.by_percent[min(MOST_PERCENT, math.ceil(abs(forecast_bytes / measured_bytes - 1) * 100))] += 1

    def quantile(self, share: float) -> float:
        """Return the error that this share of the forecasts did not exceed, as a fraction; 0.0 without any."""
        left = share * self.by_percent.total()
        for percent in sorted(self.by_percent):
            left -= self.by_percent[percent]
            if left <= 0:
                return percent / 100
        return 0.0

    def figures(self) -> dict[str, float]:
        """Return the JSON of it."""
        return {"batches": self.by_percent.total(), "p50": self.quantile(0.5), "p95": self.quantile(0.95)}


@dataclass(slots=True)
class WorkerStats:
    """What became of the workers so far.

    `rss_bytes` and `judged_bytes` (anonymous memory and swap) are those of the last sample. `endings` are the ends that
    are not yet written to the history.
    """

    spawns: int = 0
    crashes: int = 0
    boot_failures: int = 0
    recycles: Counter[str] = field(default_factory=Counter)
    rss_bytes: int = 0
    judged_bytes: int = 0
    peak_rss_bytes: int = 0
    peak_anon_bytes: int = 0
    daemon_peak_rss_bytes: int = 0
    forecast: ForecastErrors = field(default_factory=ForecastErrors)
    endings: list[Ending] = field(default_factory=list)

    def note_worker(self, rss_bytes: int, judged_bytes: int, beside: tuple[int, int] = (0, 0)) -> None:
        """Take in a sample of the worker's memory; the peaks are of it together with those `beside` it."""
        self.rss_bytes, self.judged_bytes = rss_bytes, judged_bytes
        self.peak_rss_bytes = max(self.peak_rss_bytes, rss_bytes + beside[0])
        self.peak_anon_bytes = max(self.peak_anon_bytes, judged_bytes + beside[1])

    def note_daemon(self, rss_bytes: int) -> None:
        """Take in a sample of this process's memory."""
        self.daemon_peak_rss_bytes = max(self.daemon_peak_rss_bytes, rss_bytes)

    def note_ending(self, ending: Ending) -> None:
        """Keep an end for the history, and drop the oldest beyond `MOST_ENDINGS`."""
        self.endings = [*self.endings[-MOST_ENDINGS:], ending]

    def take_endings(self) -> list[Ending]:
        """Return the ends that are not yet written, and forget them."""
        endings, self.endings = self.endings, []
        return endings
