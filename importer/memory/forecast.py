"""Forecast what the worker takes in its next batch, and find the token budget that fits. Pure; all sizes are bytes.

    forecast = max(held, floor + run + rest)

    floor   the model loaded and nothing run: each worker measures it; before the first one, see `model_files`
    run     of the largest runs that may be under way together: padded tokens x what the model takes for each, which
            the worker works out from the model's sizes (`worker.models.footprint` has formula and measurement)
    rest    store, texts and vectors: learned, the median of what was above floor and run in the last batches
    held    what this worker had in both of its last batches: ONNX Runtime's arena keeps its largest run, while what the
            store took to put itself in order is given back

Anonymous memory and swap, by which a worker is recycled. A batch is known by the lengths of its chunks; a token has at
least CHARS_PER_TOKEN characters on average, so windows are rather thought too long than too short.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from importer.protocol.outcome import MemoryTaken
from importer.protocol.units import MB

CHARS_PER_TOKEN = 3.0  # prose has 4 to 5, code 2.5 to 3.5 (bert-base-uncased, over the bench's conversations)
SPECIAL_TOKENS = 2  # [CLS] and [SEP]
REST_BYTES = 30 * MB  # before the first batch: the embedded store while it writes, and a batch's texts and vectors
REMEMBERED = 7  # batches whose rest is kept
STEP_TOKENS = 64  # between two budgets that are tried
UNKNOWN = MemoryTaken()


@dataclass(frozen=True, slots=True)
class Work:
    """What of a batch decides its memory: all its tokens, and those of its longest chunk, both estimated."""

    tokens: int
    longest: int


FULL = Work(1 << 30, 1 << 30)  # any batch: runs as large as the budget, windows as long as the model's


def work_of(chars: Iterable[int]) -> Work:
    """Return the work of a batch by the lengths of its chunks."""
    tokens = [int(count / CHARS_PER_TOKEN) + SPECIAL_TOKENS for count in chars]
    return Work(sum(tokens), max(tokens, default=0))


@dataclass(frozen=True, slots=True)
class MemoryModel:
    """What is known of a model's memory, `MemoryModel()` for nothing yet. `peaks` and `run_bytes` are the worker's of
    that `pid`: of its last two batches, and of its largest runs.
    """

    taken: MemoryTaken = UNKNOWN
    rests: tuple[int, ...] = ()
    pid: int = 0
    peaks: tuple[int, ...] = ()
    run_bytes: int = 0

    @property
    def known(self) -> bool:
        """Whether a worker has told what its model takes."""
        return self.taken.floor_bytes > 0

    @property
    def rest_bytes(self) -> int:
        """What store, texts and vectors take."""
        # Without the package `statistics`, which costs the daemon 0.4 MB.
        return sorted(self.rests)[len(self.rests) // 2] if self.rests else REST_BYTES


def run_bytes(taken: MemoryTaken, budget_tokens: int, work: Work = FULL) -> int:
    """Return what the largest runs take that a budget allows: of all ways to share it among windows, the dearest.

    A window longer than a lane's share of the budget runs alone, so that much is taken under any budget.
    """
    share, longest = budget_tokens // max(1, taken.lanes), min(taken.window_tokens, work.longest)
    if not longest:
        return 0
    count = max(1, share // longest)  # windows of full length, or one more of them and shorter
    shapes = [(count, longest), (count + 1, min(longest, share // (count + 1)))]
    return max(_bytes(taken, work, count, width) for count, width in shapes if width)


def _bytes(taken: MemoryTaken, work: Work, count: int, width: int) -> int:
    """Return what all lanes take with so many windows of that width each, as far as the batch has as many."""
    windows = min(max(1, taken.lanes) * count, max(1, work.tokens // width))
    return windows * width * (taken.token_bytes + width * taken.square_bytes)


def forecast_bytes(model: MemoryModel, budget_tokens: int, work: Work = FULL, *, pid: int = 0) -> int:
    """Return what a worker takes in a batch, 0 while nothing is known; `pid` 0 is a fresh one, which holds nothing."""
    if not model.known:
        return 0
    run = run_bytes(model.taken, budget_tokens, work)
    same = bool(pid) and pid == model.pid
    held = min(model.peaks, default=0) if same else 0
    return max(held, model.taken.floor_bytes + max(run, model.run_bytes if same else 0) + model.rest_bytes)


def learned(model: MemoryModel, taken: MemoryTaken, budget_tokens: int, work: Work) -> MemoryModel:
    """Return what is known after a batch that was forecast with this budget and work; nothing was embedded: the same.

    What a receipt leaves out stays as it was known.
    """
    if not taken.floor_bytes or not taken.peak_bytes:
        return model
    run, pid = run_bytes(taken, budget_tokens, work), taken.pid
    largest = max(run, model.run_bytes) if pid == model.pid else run
    peaks = (*model.peaks[-1:], taken.peak_bytes) if pid == model.pid else (taken.peak_bytes,)
    rest = max(0, taken.peak_bytes - taken.floor_bytes - largest)
    constants = replace(taken, peak_bytes=0)
    rests = (*model.rests, rest)[-REMEMBERED:]
    return MemoryModel(constants, rests, pid, peaks, largest)


def fitting_budget(model: MemoryModel, limit_bytes: int, most_tokens: int, least_tokens: int) -> int:
    """Return the largest budget, of a fresh worker, whose forecast stays below the limit; never below the least."""
    budgets = range(most_tokens, least_tokens, -STEP_TOKENS)
    return next((b for b in budgets if forecast_bytes(model, b) <= limit_bytes), least_tokens)


def refusal(model: MemoryModel, limit_bytes: int, least_tokens: int) -> str:
    """Return why even the smallest runs cannot fit below the limit, with both numbers; "" where they can."""
    if not model.known:
        return ""
    floor, run = model.taken.floor_bytes, run_bytes(model.taken, least_tokens)
    rest = min(model.rest_bytes, REST_BYTES)  # what leaks is in what was learned: a fresh worker helps against that
    if floor + run + rest <= limit_bytes:
        return ""
    return (
        f"worker.soft_limit_mb: {limit_bytes // MB} MB; with this model the worker takes"
        f" {(floor + run + rest) // MB} MB at least ({floor // MB} MB loaded, {run // MB} MB for runs of"
        f" {least_tokens} tokens, {rest // MB} MB for store and texts)"
    )
