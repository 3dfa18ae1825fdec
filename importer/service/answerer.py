"""The answerer: a process that owns a worker and the control socket while neither daemon nor import runs.

    client ─ "search" ─► control.sock ─► answerer ─► worker: model and store, once for all clients

`python -P -m importer.service.answerer` reads its settings as JSON from standard input and prints one JSON object when
it can be asked: `{}`, or why it cannot. It holds the lock of the state, so there is one. It ends when no client
has asked for a while, and at once when a daemon, an import or a command that changes the store wants the state.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from importer import log
from importer.delivery.policy import Recycle
from importer.delivery.supervisor import Supervisor
from importer.errors import ImporterError, StateLocked, StoreUnreachable
from importer.protocol.system import core_dumps
from importer.protocol.system.plain import plain
from importer.service import questions
from importer.service.client import YIELD
from importer.service.control import Answer, Control
from importer.service.identity import identity
from importer.service.launch import launch_of, profile_of
from importer.service.status import store_location
from importer.settings.schema import Settings
from importer.state.lock import ANSWERER, Lock, is_wanted

TICK_S = 0.5  # between two looks whether it is time to end
FINISH_S = 5.0  # for questions under way when the state is wanted; those that take longer are asked again elsewhere
OPEN_TRIES, OPEN_WAIT_S = 10, 0.1
LOG_NAME = "answerer.log"


class Answerer:
    """One answerer. `held()` says whether the state is still its own; `clock` is monotonic seconds.

    `open_tries`: how often an embedded store is tried that another process has open.
    """

    def __init__(
        self,
        state_dir: str,
        worker: Supervisor,
        *,
        idle_s: float,
        serves: Mapping[str, str],
        open_tries: int = 1,
        held: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._worker, self._idle_s, self._held, self._clock = worker, idle_s, held, clock
        self._control = Control(state_dir, self._answers(), daemon=False, serves=serves)
        self._open_tries = open_tries
        self._asking = 0  # questions under way
        self._asked_s = clock()
        self._ending, self._quiet = asyncio.Event(), asyncio.Event()
        self._quiet.set()

    def _answers(self) -> Mapping[str, Answer]:
        """Return the answers, each of which counts as use, and the operation that ends this."""
        told = questions.answers(self._worker.ask).items()
        return {**{op: self._counted(answer) for op, answer in told}, YIELD: self._yield}

    def _counted(self, answer: Answer) -> Answer:
        """Return the same answer, counted while it is under way."""

        async def counted(**args: Any) -> Any:
            self._asking += 1
            self._quiet.clear()
            try:
                return await self._once_open(partial(answer, **args))
            finally:
                self._asking -= 1
                self._asked_s = self._clock()
                if not self._asking:
                    self._quiet.set()

        return counted

    async def _once_open(self, answer: Callable[[], Awaitable[Any]]) -> Any:
        """Return the answer, waiting a little while the worker of a killed process still has the store open."""
        for _ in range(self._open_tries - 1):
            try:
                return await answer()
            except StoreUnreachable:
                await asyncio.sleep(OPEN_WAIT_S)
        return await answer()

    async def _yield(self) -> Mapping[str, Any]:
        """End soon: another process wants the state."""
        self._ending.set()
        return {"pid": os.getpid()}

    def stop(self) -> None:
        """End soon, as for a signal."""
        self._ending.set()

    async def run(self, ready: Callable[[], object]) -> None:
        """Answer until nothing was asked for a while or the state is wanted. Raises OSError where no socket can be."""
        await self._control.start()
        ready()
        try:
            while not (self._ending.is_set() or self._is_over()):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._ending.wait(), TICK_S)
        finally:
            await self._control.stop()
            await self._finish()
            await self._worker.recycle(Recycle.STOP)
            self._worker.kill()  # if it has not ended by itself

    def _is_over(self) -> bool:
        """Return True when nothing was asked for long enough, or the state directory has gone."""
        idle = not self._asking and self._clock() - self._asked_s >= self._idle_s
        return idle or not self._held()

    async def _finish(self) -> None:
        """Wait for the questions under way, a few seconds at most."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), FINISH_S)


def main(given: bytes, say: Callable[[Mapping[str, Any]], object]) -> int:
    """Answer for the settings in `given`; `say` tells once, the starter, that it can be asked or why it cannot."""
    core_dumps.forbid()
    settings = msgspec.json.decode(given, type=Settings)
    log.configure("warning", "json", stream=_log_file(settings.state_dir))
    lock = Lock(settings.state_dir, command=ANSWERER)
    try:
        if is_wanted(settings.state_dir):
            say({"busy": True})
            return 0
        with lock:
            asyncio.run(_serve(settings, lock, say))
    except StateLocked:
        say({"busy": True})
    except ImporterError as error:
        say({"error": error.message, "hint": error.hint, "exit_code": error.exit_code})
        return error.exit_code
    except OSError as error:
        say({"alone": str(error)})  # no socket on this file system: each command has a worker of its own
    return 0


def _log_file(state_dir: str) -> Any:
    """Open a fresh file for what this process has to tell, for its user alone; standard error where there is none."""
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        return os.fdopen(plain(os.path.join(state_dir, LOG_NAME), flags, 0o600), "w", encoding="utf-8")
    except OSError:
        return sys.stderr


async def _serve(settings: Settings, lock: Lock, say: Callable[[Mapping[str, Any]], object]) -> None:
    """Run one answerer until its end; SIGTERM and SIGINT end it."""
    launch = launch_of(settings, profile_of(settings), once=True)
    worker = Supervisor(launch, recycle_files=0, boot_s=settings.worker.boot_s)
    answerer = Answerer(
        settings.state_dir,
        worker,
        idle_s=settings.daemon.answerer_idle_s,
        serves=identity(settings),
        open_tries=1 if store_location.of_settings(settings).kind == store_location.SERVER else OPEN_TRIES,
        held=lock.held,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, answerer.stop)
    await answerer.run(lambda: say({}))


def _say(told: Mapping[str, Any]) -> None:
    """Print to the starter, which reads to the end of this stream: it is closed behind it."""
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), json.dumps(told).encode())
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main(sys.stdin.buffer.read(), _say))
