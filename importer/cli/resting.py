"""A store at rest to work on: through the daemon that holds it, whose import pauses meanwhile, else on our own."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import click

from importer.cli import context
from importer.consistency import baseline, forget
from importer.delivery.supervisor import Supervisor
from importer.errors import StateError
from importer.service import assembly, client
from importer.settings.load import Settings
from importer.state.checkpoints import Checkpoints

LINE_S = 10.0  # between two lines of progress in a pipe
REST_S = 90.0  # for the daemon to settle what is in flight


@dataclass(slots=True)
class Hands:
    """What a command works with. `checkpoints` are for reading; changes go through the methods.

    `supervisor` is None beside a daemon, which does all the writing.
    """

    settings: Settings
    checkpoints: Checkpoints
    supervisor: Supervisor | None = None

    async def ask(self, op: str, **args: Any) -> Any:
        """An answer from the worker. Raises what it reports, ConnectionError when the daemon has ended."""
        if self.supervisor is not None:
            return await self.supervisor.ask(op, **args)
        return await self._control(op, **args)

    async def remember(self, **facts: str) -> None:
        """Writes single facts into the state."""
        if self.supervisor is not None:
            self.checkpoints.remember(**facts)
        else:
            await self._control("remember", **facts)

    async def bury(self, wish: forget.Wish) -> None:
        """From now on nothing of that is imported."""
        if self.supervisor is not None:
            forget.bury(self.checkpoints, wish)
        else:
            await self._control("forget", **wish.named)

    async def unbury(self, wish: forget.Wish) -> int:
        """Everything is read again by the next import; how many files that are."""
        if self.supervisor is None:
            return int((await self._control("unforget", **wish.named))["files"])
        forget.unbury(self.checkpoints, wish)
        return self.checkpoints.forget_all_files()

    async def _control(self, op: str, **args: Any) -> Any:
        """The daemon's answer. Raises StateError when there is no daemon any more."""
        try:
            return await asyncio.to_thread(client.ask_daemon, self.settings.state_dir, op, **args)
        except ConnectionError as error:
            raise StateError(f"the daemon ended meanwhile: {error}", hint="run the command again") from error


@asynccontextmanager
async def hands(settings: Settings, reason: str) -> AsyncIterator[Hands]:
    """The state and its store, with nothing in flight. Raises StateLocked while an import without a socket runs.

    Beside a daemon everything that changes goes through its socket, for it alone may write state and store. It goes on
    afterwards, whatever came of it.
    """
    try:
        await asyncio.to_thread(client.ask_daemon, settings.state_dir, "rest", timeout_s=REST_S, reason=reason)
    except ConnectionError:
        async with _own(settings) as own:
            yield own
        return
    try:
        found = context.peek(settings)
        if found is None:
            raise StateError("the daemon has no state yet", hint="try again in a moment")
        with found:
            yield Hands(settings, found)
    finally:
        # A daemon that has ended rests for good.
        with contextlib.suppress(ConnectionError):
            await asyncio.to_thread(client.ask_daemon, settings.state_dir, "unrest")


@asynccontextmanager
async def _own(settings: Settings) -> AsyncIterator[Hands]:
    """The state locked and a worker of our own, refused when its store is not the one imported into."""
    with context.locked_state(settings) as checkpoints:
        async with assembly.own_worker(settings, accept=lambda ready: baseline.accept(checkpoints, ready)) as worker:
            yield Hands(settings, checkpoints, worker)


class Counting:
    """A count that grows: a bar on a terminal, a line now and then in a pipe, nothing when `quiet`."""

    def __init__(self, label: str, total: int | None, bar: Any, quiet: bool) -> None:
        self.count = 0
        self._label, self._total, self._bar, self._quiet = label, total, bar, quiet
        self._task = bar.add_task(label, total=total) if bar else None
        self._next_s = time.monotonic() + LINE_S

    def add(self, more: int) -> None:
        """That many more are done."""
        self.count += more
        if self._bar is not None:
            self._bar.advance(self._task, more)
        elif not self._quiet and time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + LINE_S
            of = f" of {self._total:,}" if self._total else ""
            click.echo(f"{self._label}: {self.count:,}{of}", err=True)


@contextmanager
def counting(label: str, total: int | None = None, *, quiet: bool = False) -> Iterator[Counting]:
    """Shows a count on standard error while the block runs."""
    if quiet or not sys.stderr.isatty():
        yield Counting(label, total, None, quiet)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Counting(label, total, bar, quiet)
