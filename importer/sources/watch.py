"""Watch the roots: the file system's events become `WatchEvent` values; a possible loss becomes a `Rescan`.

Events are hints. They are lost without a word when a queue overflows, when a root is deleted and made again, behind
links and hard links; so a rescan follows every `rescan_s`, every failure, every long pause, and a root's appearance.

    roots ──► FolderTree ──► FolderWatcher (one run of watchfiles' awatch) ──► Changed
      │          ▲              ended: begun again, with backoff              Rescan
      │          └─ a new folder: a new watcher, then the old one stops       Mode
      └─ absent: looked for every `check_s`; without events: polled
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from watchfiles import awatch

from importer.sources.coverage import Coverage
from importer.sources.events import Changed, Mode, Rescan, Timing, WatchEvent, wait_for_event
from importer.sources.mounts import read_mounts
from importer.sources.scan import Root
from importer.sources.watcher import WatchFunction

__all__ = ["Changed", "Mode", "Rescan", "Timing", "WatchEvent", "watch_events"]


async def watch_events(
    roots: Sequence[Root],
    *,
    timing: Timing,
    polling: bool = False,
    watcher: WatchFunction = awatch,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[asyncio.Event, float], Awaitable[None]] = wait_for_event,
    mounts: Callable[[], str] = read_mounts,
) -> AsyncGenerator[WatchEvent, None]:
    """Yield what to look at, for ever: a `Mode` and a `Rescan` at once, then events as things happen.

    Close it, or cancel the task that iterates, and no thread is left. While the caller works on an event, further
    changes are gathered. `polling` forgoes events; `clock` is monotonic, in seconds.
    """
    coverage = Coverage(roots, timing, watcher, mounts, polling=polling)
    ticks = Ticks(timing, clock())
    try:
        while True:
            found = await coverage.step(clock())
            for event in ticks.due(clock(), found.changed, found.rescan, coverage.mode, coverage.polled):
                began = clock()
                yield event
                ticks.done(event, began, clock())
            # reckoned after the caller has worked on the events: by then something may be due
            planned_s = min(ticks.next_at, coverage.next_at) - clock()
            began = clock()
            await wait(coverage.wakeup, planned_s)
            ticks.waited(planned_s, clock() - began)
    finally:
        await coverage.close()


class Ticks:
    """Times at which everything is looked at again, independent of events. Times are monotonic seconds."""

    def __init__(self, timing: Timing, now: float) -> None:
        self._timing = timing
        self._rescan_at = self._poll_at = now
        self._polled: frozenset[bytes] = frozenset()
        self._mode: Mode | None = None
        self._reason = "start"

    @property
    def next_at(self) -> float:
        """Time at which the next rescan is due."""
        return min(self._rescan_at, self._poll_at) if self._polled else self._rescan_at

    def due(
        self, now: float, changed: frozenset[bytes], rescan: str, mode: Mode, polled: frozenset[bytes]
    ) -> list[WatchEvent]:
        """Return the events that are due now: named paths go before those that must be searched for."""
        events: list[WatchEvent] = [mode] if mode != self._mode else []
        self._mode, self._polled = mode, polled
        if changed:
            events.append(Changed(changed))
        reason = self._reason or rescan or ("tick" if now >= self._rescan_at else "")
        self._reason = ""
        if reason:
            events.append(Rescan(reason))
        elif polled and now >= self._poll_at:
            events.append(Rescan("polling", polled))
        return events

    def done(self, event: WatchEvent, began: float, now: float) -> None:
        """Plan the next polling after the caller's work on an event, so that polling leaves time for other things."""
        if isinstance(event, Rescan):
            timing = self._timing
            self._poll_at = now + max(timing.poll_s, (now - began) / timing.poll_share)
            if not event.roots:
                self._rescan_at = now + timing.rescan_s

    def waited(self, planned_s: float, waited_s: float) -> None:
        """Plan a rescan if a timer came far too late: the process was stopped, and events may have been lost."""
        if waited_s - max(0.0, planned_s) > self._timing.late_s:
            self._reason = f"stood still for {waited_s - planned_s:.0f} s"
