"""Counters and peaks over all workers of one supervisor."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

MOST_ENDINGS = 100  # not yet written; bounded, because a command without a history never writes them
Ending = tuple[float, str, int, int, int, float]
"""The fields of `history.Ending`."""


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
    endings: list[Ending] = field(default_factory=list)

    def note_worker(self, rss_bytes: int, judged_bytes: int) -> None:
        """Take in a sample of the worker's memory."""
        self.rss_bytes, self.judged_bytes = rss_bytes, judged_bytes
        self.peak_rss_bytes = max(self.peak_rss_bytes, rss_bytes)
        self.peak_anon_bytes = max(self.peak_anon_bytes, judged_bytes)

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
