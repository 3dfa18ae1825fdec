"""What a daemon does for commands that keep state and store in order: it rests, asks its worker, changes its state.

A rest is lent for some time and renewed by every question, so that a command that was killed does not stop the import.
Changes wait until no batch is in flight (see `operations.retry_failures`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from importer.consistency import forget
from importer.delivery.engine import Engine
from importer.errors import TryAgainLater, WorkerDied
from importer.service.control import Answer
from importer.service.erasure_job import ErasureJob
from importer.service.operations import OPERATIONS, drop_failures, remember, retry_failures

REST_S = 180.0  # longer than the longest single question may take
QUIET_S = 60.0  # for the batches in flight to settle; below what a client of the control socket waits
TRIES = 3  # a worker may be recycled under a question; every question may be asked again
WORKER_QUESTIONS = (
    *("prints", "erase_ids", "mend", "thread", "tally", "erase", "facet", "count", "move_points", "documents"),
    *("migrate_open", "migrate_page", "migrate_check", "migrate_close", "migrate_alias"),
    *("generation_begin", "generation_prune", "generation_seal"),
)


class Maintenance:
    """The operations of one daemon. `pause` and `resume` are the daemon's, `paused` says whether a pause is on."""

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
        self._expiry: asyncio.TimerHandle | None = None  # of the rest that is lent
        self._expiring: asyncio.Task[Any] | None = None
        self._paused_here = False  # the pause is ours, so it ends with the rest
        self._erasure = ErasureJob(self._ask, lambda action: when_quiet(engine, action))

    def answers(self) -> Mapping[str, Answer]:
        """Return the operations for the control socket."""
        return {
            "rest": self._rest,
            "unrest": self._unrest,
            "remember": self._remember,
            "forget": self._forget,
            "redact_stored": self._redact_stored,
            "erased": self._erased,
            "unforget": self._unforget,
            "failures_retry": self._retry,
            "failures_drop": self._drop,
            **{op: self._question(op) for op in WORKER_QUESTIONS},
        }

    async def _rest(self, reason: str = "maintenance") -> Mapping[str, Any]:
        """Pause the import and return when nothing is in flight. Raises TryAgainLater when it already rests."""
        if self._expiry is not None:
            raise TryAgainLater("the import rests already, for another command", hint="wait until that is done")
        if not self._paused():  # a pause that a person asked for must outlast the rest
            await self._pause(reason)
            self._paused_here = True
        self._lend()
        try:
            await when_quiet(self._engine, lambda: None)
        except BaseException:
            await self._unrest()
            raise
        return {"pid": os.getpid()}

    async def _unrest(self) -> Mapping[str, Any]:
        """Let the import go on, unless it was paused before the rest. A second call changes nothing."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if self._paused_here:
            self._paused_here = False
            await self._resume()
        return {"pid": os.getpid()}

    def _lend(self) -> None:
        """Begin the time of the rest anew."""
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = asyncio.get_running_loop().call_later(self._rest_s, self._expire)

    def _expire(self) -> None:
        """End a rest whose command has been silent for too long: it was killed."""
        self._expiring = asyncio.ensure_future(self._unrest())

    def _question(self, op: str) -> Answer:
        """Return an operation that puts its question to the worker, and to a fresh one if that ends meanwhile."""

        async def asked(**args: Any) -> Any:
            if self._expiry is not None:
                self._lend()  # the command that asks is alive
            return await self._ask(op, **args)

        return asked

    async def _ask(self, op: str, /, **args: Any) -> Any:
        """Return the worker's answer, or that of a fresh one."""
        for attempt in range(1, TRIES + 1):
            try:
                return await self._engine.ask(op, **args)
            except WorkerDied:
                if attempt == TRIES:
                    raise
        raise AssertionError("unreachable")

    async def _remember(self, **facts: str) -> Mapping[str, Any]:
        """Write single facts into the state at once: they touch no checkpoint of a file."""
        return remember(self._engine.checkpoints, **facts)

    async def _drop(self, ids: Sequence[int] | None = None) -> Mapping[str, Any]:
        """Delete rows of the quarantine at once: no checkpoint of a file is touched."""
        return drop_failures(self._engine.checkpoints, ids)

    async def _retry(self, ids: Sequence[int] | None = None) -> Mapping[str, Any]:
        """Have the files of rows in quarantine read again, before everything else."""
        engine = self._engine
        done: Mapping[str, Any] = await when_quiet(engine, lambda: retry_failures(engine.checkpoints, ids))
        engine.hint(os.fsencode(path) for path in done["paths"])
        return done

    async def _forget(self, **rule: str) -> Mapping[str, Any]:
        """Add a rule, in force from the next batch on, and begin to erase what it means."""
        done = await self._change_rules("forget", rule)
        self.erase()
        return done

    async def _redact_stored(self) -> Mapping[str, Any]:
        """Begin to mask what is stored as today's redaction does."""
        done = OPERATIONS["redact_stored"](self._engine.checkpoints)
        self.erase()
        return done

    def erase(self) -> None:
        """Go on with what is to be erased, if there is anything; the import rests until it is done."""
        self._erasure.start(self._engine)

    @property
    def erasing(self) -> bool:
        """Whether something is being erased: no batch is to be begun meanwhile."""
        return self._erasure.busy

    async def _erased(self) -> Mapping[str, Any]:
        """Return how far the erasing is. The command that asks is alive."""
        if self._expiry is not None:
            self._lend()
        return self._erasure.told()

    async def _unforget(self, **rule: str) -> Mapping[str, Any]:
        """Take a rule back, and look for all files again."""
        done = await self._change_rules("unforget", rule)
        await self._engine.reconcile()
        return done

    async def _change_rules(self, op: str, rule: Mapping[str, str]) -> Mapping[str, Any]:
        """Change the rules of what is forgotten, and read by them from the next batch on."""
        engine = self._engine

        def act() -> Mapping[str, Any]:
            done = OPERATIONS[op](engine.checkpoints, **rule)
            engine.reconfigure(reading=forget.with_rules(engine.reading, engine.checkpoints))
            return done

        done: Mapping[str, Any] = await when_quiet(engine, act)
        return done


async def when_quiet(engine: Engine, action: Callable[[], Any], *, timeout_s: float = QUIET_S) -> Any:
    """Have the engine call `action` between two batches; return or raise what it does.

    Raises TryAgainLater when the batches in flight do not settle in time; `action` is then not called any more.
    """
    done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def act() -> None:
        if done.done():  # the client was told that nothing was changed, so nothing is
            return
        try:
            done.set_result(action())
        except Exception as error:  # it is the client's to hear: the engine, which calls this, would end of it
            done.set_exception(error)

    engine.run_when_idle(act)
    try:
        return await asyncio.wait_for(done, timeout_s)
    except TimeoutError:
        held = engine.snapshot().run.holding or "the batches in flight take long"
        raise TryAgainLater(f"nothing was changed: {held}", hint="try again in a minute") from None
