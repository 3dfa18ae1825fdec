"""A short retry in place: a blip must not cost the vectors just computed. Longer outages are the daemon's business.

Meanwhile the storing thread is held up, and with it, once its queue is full, the embedding.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from importer.errors import StoreUnreachable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long; `sleep` and `jitter` (a number in 0 … 1) are seams."""

    tries: int = 4  # the first one included
    first_s: float = 0.25  # then twice as long each time
    longest_s: float = 5.0  # a server that asks for more is left to the daemon, which lets the worker go meanwhile
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def wait_s(self, failed: int, asked_s: float) -> float:
        """Seconds after the `failed`-th failure: what the server asked for, else doubling with up to half off."""
        return asked_s or min(self.longest_s, self.first_s * 2 ** (failed - 1)) * (1 - self.jitter() / 2)


def patiently(call: Callable[[], T], patience: Patience) -> T:
    """What `call` returns. Raises StoreUnreachable after the last try, or at once when asked to wait for longer."""
    # The last try stands behind the loop: its error goes to the caller as it is.
    for failed in range(1, patience.tries):
        try:
            return call()
        except StoreUnreachable as error:
            if error.retry_after_s > patience.longest_s:
                raise
            patience.sleep(patience.wait_s(failed, error.retry_after_s))
    return call()
