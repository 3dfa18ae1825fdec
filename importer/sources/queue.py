"""Queue of files to read: live files first, then those that a person named, then backlog newest first, in slices.

A file that has had a slice goes behind all that had fewer, so that one huge file cannot starve the rest. The queue need
not be kept: a file that is lost in a crash or for lack of room is found again by the next look.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field

LIVE = -1  # in place of a number of slices: it goes before every file of the backlog
NAMED = -(1 << 40)  # where the slices of a file begin that a person has named: it never gets to those of the others
MOST_PENDING = 20_000  # some 5 MB; any other pending file is found again by the next look


@dataclass(frozen=True, slots=True)
class Pending:
    """File with something to read. `format` is that of its root, `auto` to find out."""

    path: bytes
    root: bytes
    format: str
    size: int = 0
    mtime_ns: int = 0


@dataclass(slots=True)
class FileQueue:
    """Priority queue in which each path stands once.

    `overflowed` says that a look at all files is due when the queue runs empty.

    `_waiting` is the truth. The heap may hold entries of files that go ahead meanwhile; `take` passes over
    them, which is cheaper than searching the heap.
    """

    most: int = MOST_PENDING
    overflowed: bool = False
    _live: deque[bytes] = field(default_factory=deque)
    _backlog: list[tuple[int, int, bytes]] = field(default_factory=list)  # heap of (slices had, -mtime_ns, path)
    _waiting: dict[bytes, tuple[Pending, int]] = field(default_factory=dict)  # with the slices had, -1 for a live one

    def __len__(self) -> int:
        return len(self._waiting)

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def waiting(self) -> list[Pending]:
        """Return all files in the queue, in no particular order."""
        return [pending for pending, _ in self._waiting.values()]

    @property
    def has_live(self) -> bool:
        """True while a live file waits."""
        return bool(self._live)

    def live(self, pending: Pending) -> None:
        """Add a file that has just changed; it goes first even if it waited as backlog."""
        known = self._waiting.get(pending.path)
        if known is None and len(self._live) >= self.most:
            self.overflowed = True
            return
        if known is None or known[1] != LIVE:
            self._live.append(pending.path)
        self._waiting[pending.path] = (pending, LIVE)

    def backlog(self, pending: Pending, slices: int = 0) -> None:
        """Add a file that is behind; `slices` is how many it had already, which puts it behind the others.

        One that waits already goes ahead where its `slices` begin at NAMED. For such files there is as much room again.
        """
        known, named = self._waiting.get(pending.path), slices < LIVE
        if known is not None and (known[1] <= LIVE or not named):
            return
        if known is None and len(self._waiting) >= self.most * (1 + named):
            self.overflowed = True
            return
        heapq.heappush(self._backlog, (slices, -pending.mtime_ns, pending.path))
        self._waiting[pending.path] = (pending, slices)

    def take(self, *, live_only: bool = False) -> tuple[Pending, int] | None:
        """Remove and return the next file and the slices it had (LIVE for a live one), or None."""
        if self._live:
            return self._waiting.pop(self._live.popleft())
        while self._backlog and not live_only:
            slices, _, path = heapq.heappop(self._backlog)
            if self._waiting.get(path, (None, LIVE))[1] == slices:  # else it goes ahead meanwhile
                return self._waiting.pop(path)
        return None
