"""What the worker says became of a batch: stored, with a receipt, or failed, with a reason that `policy` judges."""

from __future__ import annotations

from dataclasses import dataclass


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
