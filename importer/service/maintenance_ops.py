"""What a daemon does for commands that keep the store in order: rests, asks its worker, changes its own state.

A rest is lent for some time and renewed by every question, so that a command that was killed does not stop the import.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from importer.consistency import forget
from importer.delivery.engine import Engine
from importer.errors import TryAgainLater, WorkerDied
from importer.service.control import Answer
from importer.service.quarantine_ops import when_quiet

REST_S = 180.0  # longer than the longest single question may take
TRIES = 3  # a worker may be recycled under a question; every question may be asked again
ASKED = (
    *("prints", "erase_ids", "mend", "thread", "tally", "erase", "facet", "count"),
    *("migrate_open", "migrate_page", "migrate_check", "migrate_close", "migrate_alias"),
)


class Upkeep:
    """The operations of one daemon. `pause` and `resume` are its own; `paused` says whether somebody else paused it."""

    def __init__(
        self,
        engine: Engine,
        pause: Callable[[str], Awaitable[Any]],
        resume: Callable[[], Awaitable[Any]],
        paused: Callable[[], bool],
        *,
        rest_s: float = REST_S,
    ) -> None:
        self._engine, self._pause, self._resume, self._paused = engine, pause, resume, paused
        self._rest_s = rest_s
        self._ends: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None
        self._ours = False  # whether it is us who paused the import

    def answers(self) -> Mapping[str, Answer]:
        """The operations for the control socket."""
        return {
            "rest": self._rest,
            "unrest": self._unrest,
            "remember": self._remember,
            "forget": self._forget,
            "unforget": self._unforget,
            **{op: self._asking(op) for op in ASKED},
        }

    async def _rest(self, reason: str = "upkeep") -> Mapping[str, Any]:
        """Nothing is in flight when this returns, and nothing begun until `unrest`. Raises TryAgainLater."""
        if self._ends is not None:
            raise TryAgainLater("the import rests already, for another command", hint="wait until that is done")
        if not self._paused():  # a pause that a person asked for must outlast the rest
            await self._pause(reason)
            self._ours = True
        self._lend()
        try:
            await when_quiet(self._engine, lambda: None)
        except BaseException:
            await self._unrest()
            raise
        return {"pid": os.getpid()}

    async def _unrest(self) -> Mapping[str, Any]:
        """The import goes on, unless somebody else had paused it before. Twice is once."""
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None
        if self._ours:
            self._ours = False
            await self._resume()
        return {"pid": os.getpid()}

    def _lend(self) -> None:
        """Begins the time of the rest anew."""
        if self._ends is not None:
            self._ends.cancel()
        self._ends = asyncio.get_running_loop().call_later(self._rest_s, self._expire)

    def _expire(self) -> None:
        """Whoever wanted the rest has been silent for too long: it was killed."""

        async def end() -> None:
            await self._unrest()

        self._ending = asyncio.get_running_loop().create_task(end())

    def _asking(self, op: str) -> Answer:
        """An operation that hands its question on to the worker, and to a fresh one if that ends meanwhile."""

        async def asked(**args: Any) -> Any:
            if self._ends is not None:
                self._lend()  # whoever asks is alive
            for attempt in range(1, TRIES + 1):
                self._engine.idle_since_s = time.monotonic()
                try:
                    return await self._engine.delivery.supervisor.ask(op, **args)
                except WorkerDied:
                    if attempt == TRIES:
                        raise
            raise AssertionError("unreachable")

        return asked

    async def _remember(self, **facts: str) -> Mapping[str, Any]:
        """Single facts for the state, which only the daemon may write."""
        self._engine.checkpoints.remember(**facts)
        return {}

    async def _forget(self, **wish: str) -> Mapping[str, Any]:
        """From now on nothing of that is imported; what is stored is deleted by `erase` afterwards."""
        await self._change(lambda: forget.bury(self._engine.checkpoints, forget.Wish(**wish)))
        return {}

    async def _unforget(self, **wish: str) -> Mapping[str, Any]:
        """Everything is read again, so that what may come back does."""

        def act() -> int:
            forget.unbury(self._engine.checkpoints, forget.Wish(**wish))
            return self._engine.checkpoints.forget_all_files()

        files = await self._change(act)
        await self._engine.reconcile()
        return {"files": files}

    async def _change(self, action: Callable[[], Any]) -> Any:
        """Done between two batches, and in force for the next one."""
        engine = self._engine

        def act() -> Any:
            done = action()
            engine.pipeline.reading = forget.applied(engine.pipeline.reading, engine.checkpoints)
            return done

        return await when_quiet(engine, act)
