"""Pure rules on token counts and vectors: where to cut, what to run together, what may be stored.

Every count here includes what the model adds (such as [CLS] and [SEP]) unless it says "own tokens".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from importer.errors import EmbedError

# What a run over T = n * L padded tokens costs, in units of one token's share of the matrix products:
#     RUN_TOKENS + T * (1 + L / ATTENTION_TOKENS + T / CACHE_TOKENS)
# The first is what a run of any size costs, the second is attention, the third that larger runs leave the cores'
# caches. Least squares over the CPU time of 44 shapes (L 8 to 256, T <= 2,048) of all-MiniLM-L6-v2, ONNX Runtime 1.31,
# one thread: 21, 864 and 9,259, mean error 3 %. With two threads a run costs about twice as many tokens' share.
RUN_TOKENS = 40.0
ATTENTION_TOKENS = 900.0
CACHE_TOKENS = 9000.0
NORM_TOLERANCE = 1e-3  # float32 sums over some thousand dimensions stay far below this

Vectors = NDArray[np.float32]


class VectorsRefused(EmbedError):
    """The model returned vectors that must not be stored; `rows` are the positions of the bad ones, () for all."""

    def __init__(self, message: str, *, rows: tuple[int, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.rows = rows


def group(lengths: Sequence[int], budget_tokens: int) -> list[list[int]]:
    """Return positions of windows to run together: longest x count <= budget in each group, at the least cost of all.

    A window longer than the budget runs alone. Windows are sorted by length; among all ways of cutting the sorted row
    into groups, dynamic programming finds the one whose summed cost (see RUN_TOKENS) is smallest. Longest group first,
    so that memory peaks early. Time O(n x windows per group), about 10 microseconds a window.
    """
    if not lengths:
        return []
    order = np.argsort(np.asarray(lengths), kind="stable")
    starts = _cheapest_starts(np.asarray(lengths, dtype=np.float64)[order], budget_tokens)
    groups: list[list[int]] = []
    end = len(order)
    while end:
        groups.append(order[starts[end] : end].tolist())
        end = starts[end]
    return groups


def _cheapest_starts(row: NDArray[np.float64], budget_tokens: int) -> list[int]:
    """Return, for each prefix of the ascending `row`, where its last group begins in the cheapest partition.

    `row` has shape (n,), the result n + 1 entries. `best[i]` is the least cost of the first i windows: Bellman's
    recursion over where the last group begins.
    """
    best = np.zeros(len(row) + 1)
    starts = [0] * (len(row) + 1)
    counts = np.arange(len(row) + 1, dtype=np.float64)
    for end in range(1, len(row) + 1):
        longest = row[end - 1]
        first = max(0, end - max(1, int(budget_tokens // max(longest, 1))))
        run = (end - counts[first:end]) * longest
        costs = best[first:end] + run * (1 + longest / ATTENTION_TOKENS + run / CACHE_TOKENS)
        at = int(costs.argmin())
        starts[end] = first + at
        best[end] = costs[at] + RUN_TOKENS  # the same for every candidate, so it decides nothing
    return starts


def pack(lengths: Sequence[int], most_tokens: int, most_windows: int) -> list[list[int]]:
    """Return positions in order, as many to a group as fit both bounds: for a service that pads nothing."""
    groups: list[list[int]] = []
    used = most_tokens  # as if full: the first window opens a group
    for i, length in enumerate(lengths):
        if not groups or used + length > most_tokens or len(groups[-1]) == most_windows:
            groups.append([])
            used = 0
        groups[-1].append(i)
        used += length
    return groups


def cut(count: int, room: int, breaks: Sequence[bool]) -> list[tuple[int, int]]:
    """Consecutive `(start, end)` over `count` own tokens, none longer than `room`, together exactly all of them.

    `breaks[i]` says that a word begins at token i. Windows are made equally long rather than full (a short last window
    says little and long ones cost more a token) and end at the break nearest to that, or inside a word without one.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    while count - start > room:
        # Windows still needed, rounded up. A break right behind a full window counts, hence room + 1 places.
        wanted = -(-(count - start) // room)
        ideal, near = (count - start) // wanted, breaks[start : start + room + 1]
        found = [i for i in range(max(1, ideal // 2), len(near)) if near[i]]  # in the outer half, not at the start
        end = start + min(found, key=lambda i: (abs(i - ideal), -i), default=ideal)
        spans.append((start, end))
        start = end
    return [*spans, (start, count)]


def average(vectors: Vectors, weights: Sequence[int]) -> Vectors:
    """Return one vector (d,) for a chunk: its windows' vectors (n, d) averaged by their lengths, at unit length."""
    mean: NDArray[np.float64] = np.average(vectors.astype(np.float64), axis=0, weights=np.asarray(weights, float))
    row: Vectors = normalised(mean[np.newaxis, :])[0]
    return row


def normalised(vectors: NDArray[Any]) -> Vectors:
    """Return rows (n, d) at unit length as float32; a zero or infinite row becomes one that `check` refuses."""
    wide: NDArray[np.float64] = vectors.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        unit: NDArray[np.float64] = np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths != 0)
    return unit.astype(np.float32)


def check(vectors: Vectors, dimension: int, count: int) -> Vectors:
    """Return `count` finite rows of `dimension` at unit length, as float32. Raises VectorsRefused naming others."""
    if vectors.shape != (count, dimension):
        raise VectorsRefused(f"the model returned vectors of shape {vectors.shape}, expected {(count, dimension)}")
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
        bad = np.flatnonzero(~(np.abs(lengths - 1.0) <= NORM_TOLERANCE))  # also true for NaN
    if bad.size:
        rows = tuple(int(row) for row in bad)
        raise VectorsRefused(f"{len(rows)} of {count} vectors are not finite or not of unit length", rows=rows)
    return vectors.astype(np.float32, copy=False)
