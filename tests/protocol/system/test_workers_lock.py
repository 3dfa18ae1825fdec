"""The lock that a process's workers hold together: the next process's workers wait for the last of them."""

from __future__ import annotations

import asyncio
import pathlib
import subprocess
import sys

import pytest

from importer.errors import StoreUnreachable
from importer.protocol.system.workers_lock import WorkersLock


def lock(folder: pathlib.Path, wait_s: float = 60.0) -> WorkersLock:
    """Return the lock of one process; two of them are as strange to each other as those of two processes."""
    return WorkersLock(str(folder), wait_s=wait_s)


def sleeper(keeps: tuple[int, ...]) -> subprocess.Popen[bytes]:
    """Start a process that outlives its owner's lock."""
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=keeps)


def test_workers_of_one_process_share_it(tmp_path: pathlib.Path) -> None:
    """The next process has it only when all of them have left."""

    async def run() -> None:
        ours, theirs = lock(tmp_path), lock(tmp_path)
        assert await ours.enter() == await ours.enter() != ()
        coming = asyncio.ensure_future(theirs.enter())
        ours.leave()
        await asyncio.sleep(0.1)
        assert not coming.done()
        ours.leave()
        assert len(await coming) == 1
        theirs.leave()

    asyncio.run(run())


def test_a_worker_whose_owner_has_gone_holds_it(tmp_path: pathlib.Path) -> None:
    """Its owner's end frees nothing; its own does."""

    async def run() -> None:
        owner, theirs = lock(tmp_path), lock(tmp_path)
        with sleeper(await owner.enter()) as worker:
            owner.leave()
            coming = asyncio.ensure_future(theirs.enter())
            await asyncio.sleep(0.1)
            assert not coming.done()
            worker.kill()
            await coming
        theirs.leave()

    asyncio.run(run())


def test_it_is_not_waited_for_without_end(tmp_path: pathlib.Path) -> None:
    """A worker that does not end is told, as what is worth another try; afterwards the lock is to be had."""

    async def run() -> None:
        owner, theirs = lock(tmp_path), lock(tmp_path, wait_s=0.05)
        with sleeper(await owner.enter()) as worker:
            owner.leave()
            with pytest.raises(StoreUnreachable, match="worker of another importer"):
                await theirs.enter()
            worker.kill()
        assert len(await theirs.enter()) == 1
        theirs.leave()

    asyncio.run(run())


def test_without_a_folder_nothing_is_locked(tmp_path: pathlib.Path) -> None:
    """A worker that needs no state of ours starts at once, and makes none."""

    async def run() -> None:
        none = lock(tmp_path / "none")
        assert await none.enter() == ()
        none.leave()

    asyncio.run(run())
    assert not (tmp_path / "none").exists()
