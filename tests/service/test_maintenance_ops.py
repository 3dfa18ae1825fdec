"""A daemon rests for a command, and no longer than somebody needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from importer.errors import TryAgainLater, WorkerDied
from importer.service.maintenance_ops import TRIES, Upkeep


class Quiet(list[Callable[[], None]]):
    """The engine's list of what is done when nothing is in flight: at once."""

    def append(self, action: Callable[[], None]) -> None:
        action()


class Fake:
    """A daemon that is paused or not, with a worker that answers after `deaths`."""

    def __init__(self, deaths: int = 0, paused: bool = False, rest_s: float = 60.0) -> None:
        self.paused, self.deaths, self.asked = paused, deaths, 0
        supervisor = SimpleNamespace(ask=self.ask)
        run = SimpleNamespace(holding="")
        self.engine: Any = SimpleNamespace(
            when_quiet=Quiet(), wake=asyncio.Event(), run=run, delivery=SimpleNamespace(supervisor=supervisor)
        )
        self.answers = Upkeep(self.engine, self.pause, self.resume, lambda: self.paused, rest_s=rest_s).answers()

    async def pause(self, reason: str) -> None:
        self.paused = True

    async def resume(self) -> None:
        self.paused = False

    async def ask(self, op: str, **args: Any) -> Any:
        self.asked += 1
        if self.asked <= self.deaths:
            raise WorkerDied("recycled")
        return [op, args]


def test_rests_and_goes_on() -> None:
    """Paused while it rests; a second command is sent away; afterwards the import goes on."""

    async def scene() -> None:
        fake = Fake()
        await fake.answers["rest"](reason="verify")
        assert fake.paused
        with pytest.raises(TryAgainLater):
            await fake.answers["rest"](reason="migrate")
        await fake.answers["unrest"]()
        assert not fake.paused

    asyncio.run(scene())


def test_a_pause_of_somebody_else_stays() -> None:
    """Who had paused the import finds it paused afterwards."""

    async def scene() -> None:
        fake = Fake(paused=True)
        await fake.answers["rest"]()
        await fake.answers["unrest"]()
        assert fake.paused

    asyncio.run(scene())


def test_rest_ends_by_itself() -> None:
    """A command that was killed does not stop the import for good."""

    async def scene() -> None:
        fake = Fake(rest_s=0.0)
        await fake.answers["rest"]()
        while fake.paused:
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(scene(), 10))


def test_questions_survive_a_recycled_worker() -> None:
    """A question is put to a fresh worker; one that ends every worker is not asked for ever."""

    async def scene() -> None:
        assert await Fake(deaths=TRIES - 1).answers["prints"](after=None) == ["prints", {"after": None}]
        with pytest.raises(WorkerDied):
            await Fake(deaths=TRIES).answers["prints"]()

    asyncio.run(scene())
