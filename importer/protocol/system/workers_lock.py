"""Lock that the workers of one process hold together: those of the next process wait until the last of them has ended.

    answerer ─ killed ─► its worker goes on for a moment, and the lock with it ─► the import's worker starts

A worker inherits the descriptor, so the kernel keeps the lock for as long as one of them lives, however its owner
ended, and lets go of it after it has taken back the memory: two models are never in memory for one state.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Callable

from importer.errors import StoreUnreachable
from importer.protocol.system.plain import plain

NAME = "workers.lock"
WAIT_S = 15.0  # for the end of another process's workers; one that lost its owner takes two seconds
LOOK_S = 0.01


class WorkersLock:
    """The lock of one state directory, for all workers of this process. `clock` is monotonic seconds.

    Where the directory is not there or takes no lock, nothing is locked.
    """

    def __init__(self, state_dir: str, *, wait_s: float = WAIT_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._wait_s, self._clock = os.path.join(state_dir, NAME), wait_s, clock
        self._descriptor = -1
        self._workers = 0
        self._entering = asyncio.Lock()

    async def enter(self) -> tuple[int, ...]:
        """Count one worker more; return the descriptor that it inherits, none where nothing can be locked.

        Raises StoreUnreachable when workers of another process have not ended in time.
        """
        async with self._entering:
            if self._descriptor < 0:
                self._descriptor = await self._locked()
            self._workers += 1
            return (self._descriptor,) if self._descriptor >= 0 else ()

    def leave(self) -> None:
        """Count one worker less; the lock is let go of with the last one."""
        self._workers -= 1
        if not self._workers:
            self._close()

    async def _locked(self) -> int:
        """Return a locked descriptor, -1 where there can be none."""
        try:
            descriptor = plain(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError:
            return -1
        end_s = self._clock() + self._wait_s
        try:
            while not _try(descriptor):
                if self._clock() >= end_s:
                    hint = "`kill` what is left of it, or wait until it has ended"
                    raise StoreUnreachable("a worker of another importer still runs on this state", hint=hint)
                await asyncio.sleep(LOOK_S)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self._close()


def _try(descriptor: int) -> bool:
    """Lock, and return whether that was done; True where the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
