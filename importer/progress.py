"""How far an import is: what it has done so far, of all files or of those that somebody asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from importer.outcome import Receipt
from importer.records import Batch, Tally
from importer.supervisor import Record


@dataclass(slots=True)
class Run:
    """What a run has done so far, and what it knows to be left; for progress and the summary.

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
    holding: str = ""  # why nothing moves just now
    _early: list[tuple[Batch, Receipt]] = field(default_factory=list)  # parts of a batch whose commits are to come

    def add(self, batch: Batch, receipt: Receipt, mine: Callable[[bytes], bool] = lambda _path: True) -> None:
        """Counts what the batch brought of the files that are `mine`.

        A receipt speaks of a whole batch: of one that others share, points and tokens are counted by share of chunks.
        Of a batch that was sent in parts the last one alone has the commits that say whose its chunks are.
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
            self.files += complete(batch, at) and commit.tally.lines_read > 0

    def _count(self, batch: Batch, receipt: Receipt, taken: set[int]) -> None:
        """Counts the chunks whose owners are `taken`."""
        chunks = sum(owner in taken for owner in batch.owners)
        share = chunks / len(batch.chunks) if batch.chunks else float(bool(taken))
        self.chunks += chunks
        self.points += round(receipt.points * share)
        self.known += round(receipt.known * share)
        self.tokens += round(receipt.tokens * share)
        self.embed_s += receipt.embed_s * share
        self.store_s += receipt.store_s * share
        self.total = receipt.total if receipt.total >= 0 else self.total


def complete(batch: Batch, at: int) -> bool:
    """Whether commit `at` of the batch stands at the end of its file."""
    checkpoint = batch.commits[at].checkpoint
    # a ctime of 0 stands for "too soon to be sure" as well, so the offset is asked too
    return checkpoint.ctime_ns != 0 or checkpoint.offset >= checkpoint.size


def summary(run: Run, record: Record, seconds: float, *, stopped: bool) -> dict[str, Any]:
    """The JSON of `backlog`: what this run read and stored, and what the store counts now."""
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
            "spawns": record.spawns,
            "recycles": dict(record.recycles),
            "crashes": record.crashes,
            "peak_rss_bytes": record.peak_rss_bytes,
            "peak_anon_bytes": record.peak_anon_bytes,
        },
        "daemon": {"peak_rss_bytes": record.daemon_peak_rss_bytes},
    }
