"""Run watchfiles' watcher once over a fixed list of folders, and keep what it saw and how it ended."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from watchfiles import Change

WatchFunction = Callable[..., AsyncGenerator[set[tuple[Change, str]], None]]
"""`watchfiles.awatch`, or a scripted one with the same arguments."""

PENDING_PATHS = 10_000  # more than these unread, and looking at everything is cheaper
IDLE_MS = 60_000  # how long the watcher's thread sleeps at a stretch; it looks at the stop event every step
LIMITS = {  # what the system says (ENOSPC, EMFILE), in lower case, and what is to be done about it
    "watch limit": "no inotify watch is left: raise fs.inotify.max_user_watches",
    "os error 28": "no inotify watch is left: raise fs.inotify.max_user_watches",
    "os error 24": "no inotify instance is left: raise fs.inotify.max_user_instances",
}


@dataclass(frozen=True, slots=True)
class WatchFailure:
    """Reason why a watcher ended by itself.

    `limited`: the watches inotify gives are used up, which does not pass soon. `undecodable`: a name is not UTF-8.
    """

    reason: str
    limited: bool = False
    undecodable: bool = False


@dataclass(frozen=True, slots=True)
class PathEvents:
    """Paths with events since the last look; `deleted` are among `changed`. `overflown`: there were more."""

    changed: frozenset[bytes] = frozenset()
    deleted: frozenset[bytes] = frozenset()
    overflown: bool = False


class FolderWatcher:
    """Task that runs the watcher, gathers its events and sets `wakeup`.

    `failure` is None while it runs. The watcher keeps one thread, which ends within a step of `stop`.
    """

    def __init__(self, folders: Sequence[bytes], wakeup: asyncio.Event, watcher: WatchFunction, **options: Any) -> None:
        self.failure: WatchFailure | None = None
        self._wakeup = wakeup
        self._stop = asyncio.Event()
        self._changed: set[bytes] = set()
        self._deleted: set[bytes] = set()
        self._folders = frozenset(folders)
        self._real: dict[bytes, bytes] | None = None
        self._task = asyncio.create_task(self._run(watcher, [os.fsdecode(path) for path in folders], options))

    @property
    def done(self) -> bool:
        """True once its thread is gone."""
        return self._task.done()

    async def established(self) -> bool:
        """Return True if the watch stands (else `failure` says why not).

        The watcher sets its watches before it first waits, so one turn of the loop brings it there.
        """
        await asyncio.sleep(0)
        return self.failure is None

    def take(self) -> PathEvents:
        """Return the events since the last call."""
        seen = PathEvents(frozenset(self._changed), frozenset(self._deleted), len(self._changed) >= PENDING_PATHS)
        self._changed.clear()
        self._deleted.clear()
        return seen

    def stop(self) -> None:
        """Ask the watcher's thread to end."""
        self._stop.set()

    async def close(self) -> None:
        """Stop, and wait until the thread is gone."""
        self.stop()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, watcher: WatchFunction, folders: Sequence[str], options: dict[str, Any]) -> None:
        """Watch until stopped or failed, then set `wakeup`, so that `failure` is looked at."""
        try:
            changes = watcher(
                *folders,
                watch_filter=None,
                stop_event=self._stop,
                rust_timeout=IDLE_MS,
                recursive=False,
                force_polling=False,
                ignore_permission_denied=False,  # with True the limit of inotify is passed over, too
                **options,
            )
            async for group in changes:
                self._gather(group)
            if not self._stop.is_set():
                self.failure = WatchFailure("it stopped by itself")
        except (Exception, BaseExceptionGroup) as error:  # a foreign library may raise anything from its thread
            self.failure = _failure_of(error)
        finally:
            self._stop.set()
            self._wakeup.set()

    def _gather(self, group: set[tuple[Change, str]]) -> None:
        """Note each path. Beyond the bound changed ones are dropped, deleted ones are kept."""
        for change, path in group:
            known = self._as_watched(os.fsencode(path))
            if len(self._changed) < PENDING_PATHS:
                self._changed.add(known)
            if change == Change.deleted:
                self._deleted.add(known)
        self._wakeup.set()

    def _as_watched(self, path: bytes) -> bytes:
        """Return a path as it begins in the folders: FSEvents tells real paths, also of folders behind links."""
        parent, name = os.path.split(path)
        if parent in self._folders or path in self._folders:
            return path
        if self._real is None:
            self._real = {os.path.realpath(folder): folder for folder in self._folders}
        return self._real.get(path) or os.path.join(self._real.get(parent, parent), name)


def _failure_of(error: BaseException) -> WatchFailure:
    """Return the failure of the first cause, out of the groups that anyio wraps it in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    words = str(error).lower()
    for limit, reason in LIMITS.items():
        if limit in words:
            return WatchFailure(reason, limited=True)
    return WatchFailure(f"{type(error).__name__}: {error}"[:300], undecodable="unable to decode" in words)
