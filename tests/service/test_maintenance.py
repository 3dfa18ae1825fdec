"""A daemon rests for a command, and no longer than the command lives."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from importer.errors import TryAgainLater, WorkerDied
from importer.service.maintenance import TRIES, Maintenance


class Fake:
    """A daemon that is paused or not, with a worker that answers after it died `deaths` times."""

    def __init__(self, deaths: int = 0, paused: bool = False, rest_s: float = 60.0) -> None:
        self.paused, self.deaths, self.asked = paused, deaths, 0
        self.engine: Any = SimpleNamespace(run_when_idle=lambda action: action(), ask=self.ask)
        self.answers = Maintenance(self.engine, self.pause, self.resume, lambda: self.paused, rest_s=rest_s).answers()

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
    """The import is paused during the rest and goes on afterwards; a second command is refused."""

    async def scene() -> None:
        fake = Fake()
        await fake.answers["rest"](reason="verify")
        assert fake.paused
        with pytest.raises(TryAgainLater):
            await fake.answers["rest"](reason="migrate")
        await fake.answers["unrest"]()
        assert not fake.paused

    asyncio.run(scene())


def test_a_pause_from_before_the_rest_stays() -> None:
    """An import that the user paused is still paused after a rest."""

    async def scene() -> None:
        fake = Fake(paused=True)
        await fake.answers["rest"]()
        await fake.answers["unrest"]()
        assert fake.paused

    asyncio.run(scene())


def test_a_rest_ends_by_itself() -> None:
    """After a command was killed, the import goes on."""

    async def scene() -> None:
        fake = Fake(rest_s=0.0)
        await fake.answers["rest"]()
        while fake.paused:
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(scene(), 10))


def test_questions_survive_a_recycled_worker() -> None:
    """A question goes to a fresh worker when one dies, but to three workers at most."""

    async def scene() -> None:
        assert await Fake(deaths=TRIES - 1).answers["prints"](after=None) == ["prints", {"after": None}]
        with pytest.raises(WorkerDied):
            await Fake(deaths=TRIES).answers["prints"]()

    asyncio.run(scene())
