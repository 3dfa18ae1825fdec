"""Events of the watch: their values, their timing, and the wait for them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Changed:
    """Paths at which something happened: files, or new folders whose files are to be looked for."""

    paths: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Rescan:
    """Order to look at everything below these roots (none named: all roots) again."""

    reason: str
    roots: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Mode:
    """Way in which changes are noticed from now on: by `events`, or by `polling` and why. Sent first, and on change."""

    name: str
    reason: str = ""


WatchEvent = Changed | Rescan | Mode


STEP_MS = 100


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of the watch.

    `step_ms` is both the tick of the watcher's thread and the silence that ends a group of events: an append wakes
    after one to two steps. Idle, that costs 0.08 % of a core at 50 ms and 0.05 % at 100 ms (measured).
    """

    rescan_s: float
    poll_s: float  # roots without events
    check_s: float = 5.0  # roots that are not there, or have become another folder; each look wakes an idle process
    poll_share: float = 0.04  # but polling takes no more of the time than this
    late_s: float = 5.0  # a timer this late tells that the process was stopped
    retry_s: float = 0.5  # after a failure of the watcher, doubled with each in a row; also between two renewals
    retry_most_s: float = 60.0  # and a watcher that has lived this long is healthy
    limit_s: float = 600.0  # after inotify's limit was hit
    renew_s: float = 600.0  # watch anew without a cause: inodes are reused, and a dead watch looks like a quiet one
    step_ms: int = STEP_MS
    debounce_ms: int = 200


async def wait_for_event(event: asyncio.Event, timeout_s: float) -> None:
    """Wait until the event is set, at most `timeout_s`."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, timeout_s)):
            await event.wait()
