"""What the worker says became of a batch: stored, with a receipt, or failed, with a reason that `policy` judges."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MemoryTaken:
    """What a worker took of anonymous memory and swap; 0 for what is not known.

    `floor_bytes` with the model loaded and nothing run, `peak_bytes` at most in this batch. A run takes `token_bytes`
    for each padded token, and `square_bytes` for each padded token and token of its longest window, of at most
    `window_tokens`. `lanes` runs may be under way at once.
    """

    floor_bytes: int = 0
    peak_bytes: int = 0
    token_bytes: int = 0
    square_bytes: int = 0
    window_tokens: int = 0
    lanes: int = 1
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the worker did with a batch, sent after the durable write.

    `points` were embedded and written, `known` stood in the store already, `total` is the store's count, -1 where it
    was not asked (there was nothing to store). `tokens` are those embedded, padding apart. The seconds are wall time
    and may overlap: one batch is stored while the next is embedded.
    """

    batch: int
    points: int
    known: int
    tokens: int
    total: int
    rss_bytes: int
    embed_s: float
    store_s: float
    memory: MemoryTaken = MemoryTaken()


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with a batch: `ids` are the chunks to blame, () for all of them.

    `stage` is what was under way (boot, embed, store, ask) and `kind` the class of the exception. To tell whose fault
    it is, look at `kind`: while a batch is embedded the store is asked, too.
    """

    batch: int
    stage: str
    kind: str
    message: str
    retryable: bool
    ids: tuple[str, ...] = ()
    retry_after_s: float = 0.0
