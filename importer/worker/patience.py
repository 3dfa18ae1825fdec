"""Retry in place: a short outage must not cost the vectors just computed. Longer outages are left to the daemon.

Own code in place of stamina (26.1), which was tried: it takes a server's Retry-After by its hook, but its pause has no
seam short of switching the whole library into test mode, its jitter is added and not proportional, its hooks are global
state, and with tenacity it adds 5 MB to a bare interpreter for the 20 lines below.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from importer.errors import EmbedUnreachable, StoreUnreachable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a call is tried and how long is waited; `sleep`, `jitter` (a number in 0 … 1), `clock` are seams."""

    tries: int = 4  # the first one included
    first_s: float = 0.25  # then twice as long each time
    longest_s: float = 5.0  # a longer pause is the daemon's to make: it lets the worker go meanwhile
    most_s: float = 20.0  # no try begins after that: a server that hangs costs one time-out, not one for each try
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic

    def wait_s(self, failed: int, asked_s: float) -> float:
        """Return the seconds after the `failed`-th failure: what was asked for, else doubling with up to half off."""
        return asked_s or min(self.longest_s, self.first_s * 2 ** (failed - 1)) * (1 - self.jitter() / 2)


def patiently(call: Callable[[], T], patience: Patience) -> T:
    """Return what `call` returns, trying again while its store or provider cannot be reached.

    Raises StoreUnreachable or EmbedUnreachable after the last try, or at once when asked to wait for longer.
    """
    end_s = patience.clock() + patience.most_s
    # The last try stands behind the loop: its error goes to the caller as it is.
    for failed in range(1, patience.tries):
        try:
            return call()
        except (StoreUnreachable, EmbedUnreachable) as error:
            if error.retry_after_s > patience.longest_s or patience.clock() >= end_s:
                raise
            patience.sleep(patience.wait_s(failed, error.retry_after_s))
    return call()
