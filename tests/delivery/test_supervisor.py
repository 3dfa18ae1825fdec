"""Histories of workers: how they start, end, and what is told of it. The workers are real and follow scripts."""

from __future__ import annotations

import asyncio
import os
import pathlib
from typing import Any

import pytest
from processes import alone
from scripted_supervisor import births, played, supervisor

from importer.delivery.policy import Recycle
from importer.delivery.supervisor import Supervisor
from importer.errors import StoreRefused, StoreUnreachable, WorkerDied, WorkerError
from importer.protocol import wire
from importer.protocol.records import Chunk

pytestmark = pytest.mark.slow

BATCH = wire.Import((Chunk("a", "text", {}),))


async def stored(one: Supervisor) -> int:
    """One batch, and the number of points that its receipt counts."""
    reply = await (await one.post(one.number(), BATCH))
    assert isinstance(reply, wire.Done)
    return reply.receipt.total


def test_no_worker_is_started_before_there_is_work(tmp_path: pathlib.Path) -> None:
    """A supervisor starts its worker with the first batch, and keeps it for the next ones."""

    async def act(one: Supervisor) -> list[int]:
        assert births(tmp_path) == 0
        return [await stored(one) for _ in range(3)]

    assert played(one := supervisor(tmp_path), act) == [1, 1, 1]
    assert (births(tmp_path), one.stats.spawns) == (1, 1)


def test_several_callers_share_one_worker(tmp_path: pathlib.Path) -> None:
    """A search and a batch that come together do not start two."""

    async def act(one: Supervisor) -> Any:
        return await asyncio.gather(one.ask("ping"), stored(one), one.ask("ping"))

    assert played(supervisor(tmp_path), act) == [{"op": "ping"}, 1, {"op": "ping"}]
    assert births(tmp_path) == 1


def test_a_question_outlives_a_worker(tmp_path: pathlib.Path) -> None:
    """A question to a worker that ends is answered by the next one; one that kills workers is not asked for ever."""

    async def act(one: Supervisor) -> Any:
        answer = await one.ask("die young", limit=3)
        with pytest.raises(WorkerDied):
            await one.ask("die")
        return answer

    assert played(supervisor(tmp_path), act) == {"op": "die young", "limit": 3}
    assert births(tmp_path) == 3


@pytest.mark.parametrize("end", ["die", "vanish", "torn"])
def test_a_dead_worker_is_replaced(tmp_path: pathlib.Path, end: str) -> None:
    """Its requests fail; the next batch gets a fresh worker; one crash is counted, no planned end."""

    async def act(one: Supervisor) -> int:
        with pytest.raises(WorkerDied):
            await stored(one)
        return await stored(one)

    assert played(one := supervisor(tmp_path, ["ready", end], ["ready"]), act) == 1
    assert (one.stats.spawns, one.stats.crashes, one.stats.boot_failures) == (2, 1, 0)


@pytest.mark.parametrize(("end", "working"), [("die", ("a",)), ("vanish", ())])
def test_what_was_in_the_model_is_known(tmp_path: pathlib.Path, end: str, working: tuple[str, ...]) -> None:
    """By the time a death is told, it is known which chunks were in the model."""

    async def act(one: Supervisor) -> tuple[str, ...]:
        with pytest.raises(WorkerDied):
            await stored(one)
        return one.last_working

    assert played(supervisor(tmp_path, ["ready", end]), act) == working


@pytest.mark.parametrize(
    ("start", "kind"),
    [("die", WorkerError), ("refuse", WorkerError), ("unreachable", StoreUnreachable), ("hang", WorkerError)],
)
def test_a_worker_that_cannot_start(tmp_path: pathlib.Path, start: str, kind: type[Exception]) -> None:
    """It is told as what it is, counted as no crash, and the next try may succeed."""

    async def act(one: Supervisor) -> int:
        with pytest.raises(kind):
            await stored(one)
        assert one.worker is None
        one.boot_s = 20.0
        return await stored(one)

    boot_s = 0.7 if start == "hang" else 20.0
    assert played(one := supervisor(tmp_path, [start], ["ready"], boot_s=boot_s), act) == 1
    assert (one.stats.crashes, one.stats.boot_failures) == (0, 1)


def test_a_slow_start_gets_more_time(tmp_path: pathlib.Path) -> None:
    """Each start that gave no answer doubles the time of the next one; one that answers ends that."""

    async def act(one: Supervisor) -> None:
        for told in ("no answer in 1 s", "no answer in 2 s"):
            with pytest.raises(WorkerError, match=told):
                await one.ready()
        one.boot_s = 20.0  # the third is sound
        await one.ready()
        await one.recycle(Recycle.FILES)
        one.boot_s = 1.0
        with pytest.raises(WorkerError, match="no answer in 1 s"):
            await one.ready()

    played(
        one := supervisor(tmp_path, ["hang"], ["hang"], ["ready"], ["hang"], boot_s=1.0), act
    )  # time enough to note that it lived
    assert one.stats.boot_failures == 3


def test_its_last_words_explain_a_failed_start(tmp_path: pathlib.Path) -> None:
    """What it printed stands in the error."""

    async def act(one: Supervisor) -> None:
        with pytest.raises(WorkerError, match="life 0"):
            await one.ready()

    played(supervisor(tmp_path, ["die"]), act)


def test_a_planned_end_is_no_crash(tmp_path: pathlib.Path) -> None:
    """It is counted by its reason; the next batch starts a fresh worker."""

    async def act(one: Supervisor) -> int:
        await stored(one)
        await one.recycle(Recycle.FILES)
        return await stored(one)

    assert played(one := supervisor(tmp_path), act) == 1
    assert one.stats.recycles == {"files": 1, "stop": 1}
    assert (one.stats.spawns, one.stats.crashes) == (2, 0)


@pytest.mark.parametrize("second", ["ready", "die"])
def test_a_successor_starts_at_once(tmp_path: pathlib.Path, second: str) -> None:
    """It starts while the caller goes on; where that fails, the next batch starts another."""

    async def act(one: Supervisor) -> int:
        await stored(one)
        one.started.clear()
        await one.recycle(Recycle.FILES, successor=True)
        await asyncio.sleep(0)  # what is read next gives way as well
        if second == "ready":
            await one.started.wait()
        return await stored(one)

    assert played(one := supervisor(tmp_path, ["ready"], [second], ["ready"]), act) == 1
    failures = int(second == "die")
    assert (births(tmp_path), one.stats.spawns, one.stats.boot_failures) == (2 + failures, 2 + failures, failures)


def test_ending_no_worker_is_not_counted(tmp_path: pathlib.Path) -> None:
    """To recycle, or to kill, where no worker lives does no harm and is not counted."""

    async def act(one: Supervisor) -> None:
        await one.recycle(Recycle.IDLE)
        one.kill()

    played(one := supervisor(tmp_path), act)
    assert (one.stats.recycles, births(tmp_path)) == ({}, 0)


def test_a_store_of_another_may_be_refused(tmp_path: pathlib.Path) -> None:
    """What a fresh worker says of its store is looked at before anything is sent to it; the worker is let go."""

    def refuse(ready: wire.Ready) -> None:
        raise StoreRefused(f"not {ready.fingerprint}")

    async def act(one: Supervisor) -> None:
        with pytest.raises(StoreRefused, match="not print"):
            await stored(one)
        assert one.worker is None

    played(supervisor(tmp_path, accept=refuse), act)
    assert alone(int((tmp_path / "lives").read_text()))


@pytest.mark.parametrize(("draw", "lifetime"), [(0.0, 90), (0.5, 100), (1.0, 110)])
def test_a_lifetime_is_fixed_at_birth(tmp_path: pathlib.Path, draw: float, lifetime: int) -> None:
    """The files a worker lives for differ by up to a tenth, and do not change while it lives."""

    async def act(one: Supervisor) -> list[int]:
        return [(await one.ready()).lifetime_files for _ in range(2)]

    assert played(supervisor(tmp_path, recycle_files=100, draw=lambda: draw), act) == [lifetime] * 2


def test_endings_are_remembered_but_not_without_bound(tmp_path: pathlib.Path) -> None:
    """Each end is kept with its reason, and their number is bounded where none is written to a history."""

    async def act(one: Supervisor) -> list[str]:
        for _ in range(2):
            with pytest.raises(WorkerDied):
                await stored(one)
        return [ending[1] for ending in one.stats.endings]

    one = supervisor(tmp_path, ["ready", "die"])
    one.stats.endings = [(0.0, "old", 1, 1, 1, 1.0)] * 500
    assert played(one, act)[-2:] == ["crash: signal SIGKILL"] * 2
    assert len(one.stats.endings) <= 102


@pytest.mark.slow
def test_many_lives_leave_nothing_behind(tmp_path: pathlib.Path) -> None:
    """Neither zombies nor descriptors, however workers ended."""

    async def act(one: Supervisor) -> list[int]:
        counts = []
        for _ in range(6):
            with pytest.raises(WorkerDied):
                await stored(one)
            await stored(one)
            await one.recycle(Recycle.RSS)
            counts.append(len(os.listdir("/proc/self/fd")))
        return counts

    counts = played(supervisor(tmp_path, *[["ready", "die"], ["ready"]] * 6), act)
    assert counts == [counts[0]] * 6
    pids = (tmp_path / "lives").read_text().split()
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
