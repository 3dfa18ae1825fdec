"""Shares of line types and sizes in real Claude Code transcripts, as measured on public ones.

Four teams' transcripts gave the figures (99,500, 17,022, 12,755 and 13,528 distinct lines). They are orders of
magnitude, not constants: one capture tool, a few projects.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """Lengths in characters by their quantiles; log-linear in between, as log-normal sizes nearly are."""

    shares: tuple[float, ...]
    chars: tuple[int, ...]

    def at(self, share: float) -> int:
        """Return the length below which `share` (0 to 1) of all lie."""
        i = min(max(bisect_right(self.shares, share) - 1, 0), len(self.shares) - 2)
        low, high = math.log(self.chars[i]), math.log(self.chars[i + 1])
        part = (share - self.shares[i]) / (self.shares[i + 1] - self.shares[i])
        return round(math.exp(low + part * (high - low)))


def _deciles(p10: int, p50: int, p90: int, p99: int, most: int) -> Sizes:
    """Return sizes by the five quantiles that were measured; a quarter of the tenth stands for the least."""
    return Sizes((0.0, 0.1, 0.5, 0.9, 0.99, 1.0), (max(1, p10 // 4), p10, p50, p90, p99, most))


def _middle(p50: int, p90: int, most: int) -> Sizes:
    """Return sizes by median, p90 and the greatest; a twentieth of the median stands for the least."""
    return Sizes((0.0, 0.5, 0.9, 1.0), (max(1, p50 // 20), p50, p90, most))


@dataclass(frozen=True, slots=True)
class Mix:
    """One team's transcripts. Lines by type are per 1,000 chain lines; `extra` are the metadata lines on top of them.

    `blocks` are the shares of replies written as 1, 2, 3, 4 or 5 lines, `backwards` that of lines older than the one
    before.
    """

    name: str
    version: str
    progress: int
    assistant: int
    user: int
    attachment: int
    system: int
    extra: Mapping[str, int]
    blocks: tuple[float, ...]
    backwards: float
    prompts: Sizes
    texts: Sizes
    thinking: Sizes
    calls: Sizes
    per_session: Sizes
    fences: float


RESULTS = Sizes((0.0, 0.5, 0.9, 0.99, 1.0), (12, 300, 5_000, 30_000, 120_000))  # tool results, all teams together
HUGE_RESULTS = (0.0002, 1_000_000, 2_000_000)  # share of results, least and most characters
SPLIT_REPLIES = 0.06  # replies with another line between their own

MIXES: Mapping[str, Mix] = {
    mix.name: mix
    for mix in (
        Mix(
            name="ent", version="2.1.39", progress=314, assistant=430, user=228, attachment=0, system=27,
            extra={"file-history-snapshot": 32, "queue-operation": 3, "summary": 2},
            blocks=(0.15, 0.57, 0.23, 0.04, 0.01), backwards=0.029,
            prompts=_deciles(15, 82, 438, 6130, 59_580), texts=_deciles(46, 105, 869, 2564, 9901),
            thinking=_middle(147, 1085, 21_450), calls=_middle(133, 1221, 39_874), per_session=_middle(4, 17, 71),
            fences=0.071,
        ),
        Mix(
            name="fsm", version="2.1.45", progress=564, assistant=249, user=171, attachment=0, system=17,
            extra={"queue-operation": 30, "file-history-snapshot": 24},
            blocks=(0.40, 0.42, 0.11, 0.05, 0.02), backwards=0.077,
            prompts=_deciles(21, 76, 265, 4627, 8178), texts=_deciles(45, 98, 495, 1866, 4046),
            thinking=_middle(444, 2090, 20_919), calls=_middle(137, 1002, 26_962), per_session=_middle(3, 10, 24),
            fences=0.016,
        ),
        Mix(
            name="pck", version="2.1.50", progress=299, assistant=408, user=274, attachment=0, system=19,
            extra={"file-history-snapshot": 44, "queue-operation": 9},
            blocks=(0.42, 0.45, 0.08, 0.03, 0.02), backwards=0.13,
            prompts=_deciles(6, 101, 4818, 9252, 87_194), texts=_deciles(34, 78, 283, 1511, 2593),
            thinking=_middle(172, 1097, 9074), calls=_middle(127, 1216, 32_006), per_session=_middle(2, 3, 6),
            fences=0.005,
        ),
        Mix(
            name="omp", version="2.1.217", progress=0, assistant=559, user=326, attachment=98, system=16,
            extra={"last-prompt": 53, "custom-title": 40, "queue-operation": 34, "mode": 26},
            blocks=(0.33, 0.45, 0.18, 0.03, 0.01), backwards=0.011,
            prompts=_deciles(16, 101, 543, 3817, 32_302), texts=_deciles(44, 115, 1580, 4207, 6925),
            thinking=_middle(243, 1289, 11_447), calls=_middle(194, 1302, 65_003), per_session=_middle(3, 9, 20),
            fences=0.027,
        ),
    )
}  # fmt: skip
