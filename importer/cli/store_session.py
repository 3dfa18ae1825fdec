"""Exclusive access to state and store: through the daemon that holds them, whose import rests, else in this process.

The one place that chooses between the two. Only one process may write state and store.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from msgspec import to_builtins

from importer.cli import context
from importer.consistency import baseline, erase
from importer.consistency.hands import Hands, at_once
from importer.consistency.refold import Unread
from importer.delivery.supervisor import Supervisor
from importer.errors import StateError
from importer.service import assembly, client
from importer.service.identity import identity
from importer.service.launch import launch_of, own_worker, profile_of, use_model
from importer.service.operations import OPERATIONS
from importer.settings.load import Settings
from importer.state.checkpoints import Checkpoints

LOOK_S = 0.2  # between two looks at what the daemon erases
REST_S = 90.0  # for the daemon to settle what is in flight


@dataclass(slots=True)
class StoreSession:
    """The state and the store of one command. `checkpoints` are for reading; `change` writes.

    `worker` is None beside a daemon, which asks its own worker and does all the writing.
    """

    settings: Settings
    checkpoints: Checkpoints
    worker: Supervisor | None = None
    served: dict[str, str] = field(default_factory=dict)  # what a control socket of this command tells of its model

    @property
    def by_daemon(self) -> bool:
        """Whether a daemon does the work."""
        return self.worker is None

    async def ask(self, op: str, **args: Any) -> Any:
        """Return a worker's answer. Raises what the worker reports, StateError when the daemon has ended."""
        if self.worker is not None:
            return await self.worker.ask(op, **args)
        return await self._ask_daemon(op, **args)

    async def change(self, op: str, **args: Any) -> Any:
        """Do one of the `operations` on the state, return its result. Raises StateError when the daemon has ended."""
        if self.worker is not None:
            return OPERATIONS[op](self.checkpoints, **args)
        return await self._ask_daemon(op, **args)

    async def use_model(self, other: Settings) -> None:
        """Have the worker give way to one with the model of other settings, which opens the store that it made."""
        embed = launch_of(other, profile_of(other), once=True).settings.embed
        if self.worker is None:
            await self._ask_daemon("use_model", embed=embed)
            return
        await use_model([self.worker], embed)
        self.served.update(identity(other))

    async def erase(self) -> dict[str, Any]:
        """Do all that is noted as to be erased; return the points deleted, and where text may still stand.

        Raises what it fails with: it stays noted then, and the next import or daemon goes on with it.
        """
        if self.worker is not None:
            return erase.described(await erase.finish(self.hands()))
        while True:
            told: dict[str, Any] = await self._ask_daemon("erased")
            if told["done"]:
                return told
            await asyncio.sleep(LOOK_S)

    def hands(self, unread: Callable[[bytes, Unread], None] = lambda _path, _error: None) -> Hands:
        """Return what erasing and counting need."""
        reading = assembly.reading_of(self.settings, profile_of(self.settings), self.checkpoints)
        return Hands(self.checkpoints, reading, self.ask, at_once, unread)

    async def _ask_daemon(self, op: str, **args: Any) -> Any:
        """Return the daemon's answer. Raises StateError when it has ended."""
        try:
            return await asyncio.to_thread(client.ask_daemon, self.settings.state_dir, op, **to_builtins(args))
        except ConnectionError as error:
            raise StateError(f"the daemon ended meanwhile: {error}", hint="run the command again") from error


@asynccontextmanager
async def open_session(settings: Settings, reason: str, *, makes: bool = False) -> AsyncIterator[StoreSession]:
    """Open state and store with nothing in flight. Raises StateLocked while an import without a socket runs.

    A daemon's import rests meanwhile and goes on afterwards, however the block ends. Raises StateError where nothing
    was ever imported, unless the block has something to keep there (`makes`).
    """
    try:
        await asyncio.to_thread(client.ask_daemon, settings.state_dir, "rest", timeout_s=REST_S, reason=reason)
    except ConnectionError:
        if not makes:
            context.check_state(settings)
        async with _own_session(settings) as own:
            yield own
        return
    try:
        checkpoints = context.peek(settings)
        if checkpoints is None:
            raise StateError("the daemon has no state yet", hint="try again in a moment")
        with checkpoints:
            yield StoreSession(settings, checkpoints)
    finally:
        # A daemon that has ended rests for good.
        with contextlib.suppress(ConnectionError):
            await asyncio.to_thread(client.ask_daemon, settings.state_dir, "unrest")


@asynccontextmanager
async def _own_session(settings: Settings) -> AsyncIterator[StoreSession]:
    """Lock the state and give a worker of this process, refused when its store is not the one imported into."""
    with context.locked_state(settings) as checkpoints:
        async with own_worker(settings, accept=lambda ready: baseline.accept(checkpoints, ready)) as worker:
            yield StoreSession(settings, checkpoints, worker)


def change(settings: Settings, op: str, **args: Any) -> dict[str, Any]:
    """Do one operation that needs no store, without a rest. `daemon` in the result says whether a daemon did it.

    Raises StateLocked while an import without a socket has the state, StateError where nothing was ever imported.
    """
    try:
        return {**client.ask_daemon(settings.state_dir, op, **args), "daemon": True}
    except ConnectionError:
        context.check_state(settings)
        with context.locked_state(settings) as checkpoints:
            return {**OPERATIONS[op](checkpoints, **args), "daemon": False}
