"""Erase in the background of a daemon, so that neither the end of the command nor a store that is away stops it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from importer.consistency import erase
from importer.consistency.hands import Ask, Erased, Hands, Settle
from importer.delivery.engine import Engine
from importer.errors import ImporterError
from importer.log import logger
from importer.protocol.backoff import backoff_s
from importer.state import erasure

log = logger()
FIRST_S, MOST_S = 5.0, 300.0  # between two tries


class ErasureJob:
    """The one job of a daemon. `ask` puts a question to the worker, `settle` acts when nothing is in flight."""

    def __init__(self, ask: Ask, settle: Settle) -> None:
        self._ask, self._settle = ask, settle
        self._task: asyncio.Task[None] | None = None
        self._again = asyncio.Event()  # set to end the wait between two tries
        self._done = Erased()
        self._failed: ImporterError | None = None

    def start(self, engine: Engine) -> None:
        """Go on with what is noted in the state; a job under way takes it along."""
        if not erasure.tasks(engine.checkpoints):
            return
        self._failed = None
        self._again.set()
        if not self.busy:
            self._done = Erased()
            self._task = asyncio.ensure_future(self._run(engine))

    @property
    def busy(self) -> bool:
        """Whether a try is under way or waits for the next one."""
        return self._task is not None and not self._task.done()

    def told(self) -> Mapping[str, Any]:
        """Return what was done so far, and whether that is all. Raises what the last try failed with, once."""
        if self._failed is not None:
            failed, self._failed = self._failed, None
            raise failed
        return {**erase.described(self._done), "done": not self.busy}

    async def _run(self, engine: Engine) -> None:
        """Try until it is done, with longer and longer waits."""
        failures = 0
        while erasure.tasks(engine.checkpoints):
            self._again.clear()
            try:
                done = await erase.finish(Hands(engine.checkpoints, engine.reading, self._ask, self._settle))
                self._done.add(done)
            except ImporterError as error:
                failures += 1
                await self._wait(error, backoff_s(failures, first_s=FIRST_S, most_s=MOST_S))
            except Exception as error:  # a bug of ours: the command that waits must not be told that all is done
                log.exception("erasure.failed")
                failures += 1
                told = ImporterError(f"the daemon failed: {type(error).__name__}: {error}", hint="see its log")
                await self._wait(told, MOST_S)
        log.info("erasure.done", points=self._done.deleted)

    async def _wait(self, error: ImporterError, wait_s: float) -> None:
        """Note why a try failed, and wait for the next one, or for a command that asks for it."""
        self._failed = error
        log.warning("erasure.waits", reason=error.message, wait_s=wait_s, then="it is tried again")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._again.wait(), wait_s)
