"""Doubles for what watches folders: a scripted watcher, a clock that is moved by hand, another user."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from watchfiles import Change

from importer.sources.coverage import Coverage, StepResult
from importer.sources.events import Timing
from importer.sources.scan import Root

NOTHING = StepResult(frozenset(), "")


class WatcherCall:
    """One call of the watcher: what it was asked to watch, and what it shall report."""

    def __init__(self, folders: tuple[str, ...], stop: asyncio.Event) -> None:
        self.folders = {os.fsencode(folder) for folder in folders}
        self.stop = stop
        self.says: asyncio.Queue[set[tuple[Change, str]] | BaseException | None] = asyncio.Queue()

    def say(self, *paths: bytes, change: Change = Change.modified) -> None:
        self.says.put_nowait({(change, os.fsdecode(path)) for path in paths})

    def fail(self, error: BaseException) -> None:
        self.says.put_nowait(error)

    def end(self) -> None:
        self.says.put_nowait(None)


class ScriptedWatcher:
    """Stands in for `watchfiles.awatch`. `refusals` are raised by the next calls, before they watch anything."""

    def __init__(self) -> None:
        self.lives: list[WatcherCall] = []
        self.refusals: list[BaseException] = []
        self.meanwhile: Callable[[], None] = lambda: None  # happens while the watches are being set

    async def __call__(
        self, *folders: str, stop_event: asyncio.Event, **options: Any
    ) -> AsyncGenerator[set[tuple[Change, str]], None]:
        assert options["recursive"] is False and options["ignore_permission_denied"] is False
        life = WatcherCall(folders, stop_event)
        self.lives.append(life)
        self.meanwhile()
        if self.refusals:
            raise self.refusals.pop(0)
        while True:
            said = asyncio.ensure_future(life.says.get())
            stopped = asyncio.ensure_future(stop_event.wait())
            await asyncio.wait([said, stopped], return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if not said.done():
                said.cancel()
                return
            word = said.result()
            if word is None:
                return
            if isinstance(word, BaseException):
                raise word
            yield word

    @property
    def alive(self) -> list[WatcherCall]:
        """The calls that were not told to end."""
        return [life for life in self.lives if not life.stop.is_set()]

    @property
    def last(self) -> WatcherCall:
        return self.lives[-1]


class Clock:
    """Monotonic seconds; waiting for an event that is not set moves it on."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.oversleep_s = 0.0

    def __call__(self) -> float:
        return self.now

    async def wait(self, wakeup: asyncio.Event, timeout_s: float) -> None:
        """Move the clock on if the event is not set."""
        await settle()
        if not wakeup.is_set():
            self.now += max(0.0, timeout_s) + self.oversleep_s
            self.oversleep_s = 0.0


async def settle() -> None:
    """Let every task do what it can do now."""
    for _ in range(20):
        await asyncio.sleep(0)


@contextmanager
def as_unprivileged_user() -> Iterator[None]:
    """Act as a user whom permissions bind, if the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


TIMING = Timing(check_s=2, rescan_s=30, poll_s=3, retry_s=1, retry_most_s=60, limit_s=600, renew_s=1000)


class Watched:
    """A coverage with its clock and its scripted watcher; `async with` ends it."""

    def __init__(self, *roots: bytes, mounts: str = "", polling: bool = False, timing: Timing = TIMING) -> None:
        self.watcher = ScriptedWatcher()
        self.now = 0.0
        given = [Root(root) for root in roots]
        self.coverage = Coverage(given, timing, self.watcher, lambda: mounts, polling=polling)

    async def step(self, seconds: float = 0.0) -> StepResult:
        """Move the clock on, let the tasks run, take a step, and let them run again."""
        self.now += seconds
        await settle()
        found = await self.coverage.step(self.now)
        await settle()
        return found

    async def __aenter__(self) -> Watched:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.coverage.close()
        assert not self.watcher.alive
