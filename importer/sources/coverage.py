"""Folders of the roots under watch: keep the watch up with new folders, absent roots, failures and limits.

A `FolderWatcher` watches a list of folders. When the list changes, a new watcher is started before the old one is
stopped, so that nothing falls between them; new folders are reported once more when their watch stands.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from importer.protocol.backoff import backoff_s
from importer.sources.events import Mode, Timing
from importer.sources.folder_tree import FolderTree
from importer.sources.mounts import remote
from importer.sources.scan import Root
from importer.sources.watcher import FolderWatcher, PathEvents, WatchFailure, WatchFunction

TOLD_FOLDERS = 1000  # more new folders than these, and looking at everything is simpler
STUBBORN_FAILURES = 3  # after so many in a row the roots are polled as well, until a watcher has proven itself
NEVER = float("-inf")  # in place of a time at which something is due: at once


@dataclass(frozen=True, slots=True)
class StepResult:
    """Result of one step: paths to look at, and why everything must be looked at ("": it need not)."""

    changed: frozenset[bytes]
    rescan: str


class Coverage:
    """Watch over all folders of the roots, one step at a time.

    `now` is monotonic seconds. `wakeup` is set when a step is due before `next_at`. Nothing here raises for what a file
    system or a watcher does: it becomes a `rescan`, a `mode`, or a later try.
    """

    def __init__(
        self,
        roots: Sequence[Root],
        timing: Timing,
        watcher: WatchFunction,
        mounts: Callable[[], str],
        *,
        polling: bool = False,
    ) -> None:
        self.wakeup = asyncio.Event()
        self._tree = FolderTree(roots)
        self._timing = timing
        self._watcher = watcher
        self._mounts = mounts
        self._forced = "as configured" if polling else ""
        self._remote: dict[bytes, str] = {}  # root -> type of its file system
        self._watchers: list[FolderWatcher] = []  # the last one counts; those before it are about to be let go
        self._stopped: list[FolderWatcher] = []  # their threads end within a step
        self._changed: set[bytes] = set()
        self._unwatched: set[bytes] = set()  # new folders, to be looked at when their watch stands
        self._rescan = ""
        self._stale = False  # the watcher does not watch what it should
        self._broken = False  # the last attempt failed
        self._failures = 0  # in a row, before the watch was healthy again
        self._failure: WatchFailure | None = None
        self._check_at = self._refresh_at = self._renew_at = self._watch_at = NEVER
        self._retire_at = self._failed_at = NEVER

    @property
    def next_at(self) -> float:
        """Time at which the next step is due unless `wakeup` is set."""
        return min(self._check_at, self._watch_at) if self._stale else self._check_at

    @property
    def polled(self) -> frozenset[bytes]:
        """The roots whose changes events do not tell, or not reliably."""
        return self._tree.roots if self._why_polled() else self._tree.roots & frozenset(self._remote)

    @property
    def mode(self) -> Mode:
        """Way in which changes are noticed now."""
        remotes = ", ".join(f"{os.fsdecode(root)} is on {kind}" for root, kind in sorted(self._remote.items()))
        reason = self._why_polled() or remotes
        return Mode("polling", reason) if reason else Mode("events")

    async def step(self, now: float) -> StepResult:
        """Take in what was seen, look at what is due, renew the watch where it no longer fits."""
        self.wakeup.clear()
        self._collect(now)
        if now >= self._check_at:
            self._check(now)
        if self._stale and now >= self._watch_at:
            await self._renew(now)
        found = StepResult(frozenset(self._changed), self._rescan)
        self._changed.clear()
        self._rescan = ""
        return found

    async def close(self) -> None:
        """End every watcher and its thread."""
        self._retire(keep=0)
        await asyncio.gather(*(watcher.close() for watcher in self._stopped))

    def _why_polled(self) -> str:
        """Return why the roots are polled too, "" if events suffice."""
        failure = self._failure
        if failure and (failure.limited or self._failures >= STUBBORN_FAILURES):
            return failure.reason
        return self._forced

    def _collect(self, now: float) -> None:
        """Take what the watchers have seen, and note whether the newest one has failed."""
        for watcher in self._watchers:
            self._take(watcher.take())
        if self._watchers and (failure := self._watchers[-1].failure):
            self._watchers.pop()
            self._failed(failure, now)
        # it lived longer than the longest wait between two tries, so the next failure counts as the first
        elif not self._stale and now - self._failed_at > self._timing.retry_most_s:
            self._failures, self._failure = 0, None

    def _take(self, seen: PathEvents) -> None:
        """Sort the events of a watcher: roots that went, paths below roots, new folders, an overflow."""
        for path in seen.deleted:
            if self._tree.remove(path):
                self._check_at = NEVER  # a root; it may stand there again by now
        self._changed.update(path for path in seen.changed if self._tree.concerns(path))
        self._add_unwatched(self._tree.add_folders(seen.changed))
        if seen.overflown:
            self._rescan = "more changes than can be named"
            self._check_at = self._refresh_at = NEVER

    def _add_unwatched(self, fresh: frozenset[bytes]) -> None:
        """Note new folders that no watcher watches yet."""
        self._unwatched |= fresh
        self._stale = self._stale or bool(fresh)

    def _check(self, now: float) -> None:
        """Look for the roots; now and then at every folder's time; and rarely, list all anew."""
        self._check_at = now + self._timing.check_s
        if now >= self._retire_at:
            self._retire(keep=1)
        appeared = self._tree.check_roots()
        if appeared:
            self._rescan = f"root appeared: {', '.join(sorted(map(os.fsdecode, appeared)))}"
            self._remote = self._remotes()
        if now >= self._renew_at:
            self._renew_at, self._refresh_at = now + self._timing.renew_s, now + self._timing.rescan_s
            self._add_unwatched(self._tree.relist())
            self._tree.skip_undecodable = False
            self._stale = True
        elif appeared or now >= self._refresh_at:
            self._refresh_at = now + self._timing.rescan_s
            self._add_unwatched(self._tree.refresh())

    def _remotes(self) -> dict[bytes, str]:
        """Return the roots on file systems whose changes by others give no event, with the file system's type."""
        mounts = self._mounts()
        kinds = {root: remote(os.path.realpath(root), mounts) for root in self._tree.roots}
        return {root: kind for root, kind in kinds.items() if kind}

    async def _renew(self, now: float) -> None:
        """Watch the folders there are now; the former watcher is stopped at the next renewal or check."""
        self._stale = False
        self._watch_at = now + self._timing.retry_s
        folders = [] if self._forced else self._tree.watchable(without=self._remote)
        watcher = await self._established(folders)
        if watcher and watcher.failure:
            self._failed(watcher.failure, now)  # a former watcher goes on
        elif watcher:
            if self._broken:
                self._rescan = self._rescan or "watching again"
            self._broken = False
            self._watchers.append(watcher)
            self._retire(keep=2)
            self._retire_at = now + self._timing.retry_s
        self._tell()

    def _tell(self) -> None:
        """Report new folders, and list them once more: files may have come before their watch stood."""
        told, self._unwatched = frozenset(self._unwatched), set()
        if len(told) > TOLD_FOLDERS:
            self._rescan = self._rescan or f"{len(told)} new folders"
        if not self._rescan:
            self._changed |= told
        self._add_unwatched(self._tree.refresh(told))

    def _retire(self, keep: int) -> None:
        """Stop all watchers but the last `keep`. Their threads end within a step and are not waited for."""
        kept = self._watchers[len(self._watchers) - keep :] if keep < len(self._watchers) else self._watchers
        for watcher in self._watchers[: len(self._watchers) - len(kept)]:
            watcher.stop()
            self._stopped.append(watcher)
        self._watchers = kept
        self._stopped = [watcher for watcher in self._stopped if not watcher.done]

    async def _established(self, folders: Sequence[bytes]) -> FolderWatcher | None:
        """Return a watcher that stands or has failed (see its `failure`); None when there is nothing to watch."""
        if not folders:
            return None
        timing = self._timing
        watcher = FolderWatcher(folders, self.wakeup, self._watcher, step=timing.step_ms, debounce=timing.debounce_ms)
        await watcher.established()
        return watcher

    def _failed(self, failure: WatchFailure, now: float) -> None:
        """Plan a new watcher after a wait that doubles with every failure in a row, and a rescan."""
        self._failures += 1
        self._failure, self._failed_at = failure, now
        self._stale = self._broken = True
        timing = self._timing
        again_s = backoff_s(self._failures, first_s=timing.retry_s, most_s=timing.retry_most_s)
        self._watch_at = now + (timing.limit_s if failure.limited else again_s)
        self._rescan = f"watcher ended: {failure.reason}"
        self._tree.skip_undecodable = self._tree.skip_undecodable or failure.undecodable
        self._tree.relist()
