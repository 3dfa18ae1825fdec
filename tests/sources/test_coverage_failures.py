"""coverage when events fail: watchers that end, limits, file systems without events."""

from __future__ import annotations

import asyncio
import os

import pytest
from scripted_watcher import NOTHING, Watched

from importer.sources.coverage import STUBBORN_FAILURES
from importer.sources.events import Mode

LIMIT = OSError("OS file watch limit reached")


@pytest.fixture
def top(tmp_path):
    os.mkdir(tmp_path / "root")
    return os.fsencode(tmp_path / "root")


# ------------------------------------------------------------------------------------------------ failures


def test_a_watcher_that_ends_is_begun_again_and_both_are_a_rescan(top):
    """What happened between its end and the next one's beginning is unknown."""

    async def scenario():
        async with Watched(top) as watched:
            await watched.step()
            watched.watcher.last.fail(RuntimeError("bad"))
            assert (await watched.step(5)).rescan == "watcher ended: RuntimeError: bad"
            assert watched.coverage.next_at == 6
            assert (await watched.step(1)).rescan == "watching again"
            assert len(watched.watcher.lives) == 2
            assert await watched.step(1) == NOTHING

    asyncio.run(scenario())


def test_failures_in_a_row_are_tried_ever_more_seldom_and_polled_meanwhile(top):
    """1, 2, 4 … 60 s; after three the roots are polled until a watcher has lived for a minute."""

    async def scenario():
        async with Watched(top) as watched:
            await watched.step()
            watched.watcher.refusals = [RuntimeError("bad")] * 8
            watched.watcher.last.fail(RuntimeError("bad"))
            tries, modes = [], []
            for _ in range(200):
                await watched.step(1)
                tries.append(len(watched.watcher.lives))
                modes.append(watched.coverage.mode.name)
            at = [1 + tries.index(number) for number in range(2, 10)]
            assert [later - earlier for earlier, later in zip([1, *at], at, strict=False)] == [
                1,
                2,
                4,
                8,
                16,
                32,
                60,
                60,
            ]
            assert modes.index("polling") == at[STUBBORN_FAILURES - 2] - 1
            assert watched.coverage.polled == {top}
            await watched.step(60)
            await watched.step(61)
            assert (watched.coverage.mode, watched.coverage.polled) == (Mode("events"), frozenset())

    asyncio.run(scenario())


def test_a_failed_renewal_leaves_the_former_watcher(top):
    """Better a part of the folders than none."""

    async def scenario():
        async with Watched(top) as watched:
            await watched.step()
            first = watched.watcher.last
            os.mkdir(top + b"/a")
            watched.watcher.refusals = [FileNotFoundError("gone")]
            first.say(top + b"/a")
            assert (await watched.step(1)).rescan == "watcher ended: FileNotFoundError: gone"
            first.say(top + b"/f")
            assert (await watched.step(0.5)).changed == {top + b"/f"}
            assert (await watched.step(0.5)).rescan == "watching again"
            assert watched.watcher.last.folders == {top, top + b"/a"}

    asyncio.run(scenario())


def test_the_limit_of_inotify_means_polling_and_is_tried_again_much_later(top):
    """The limit may have been raised meanwhile."""

    async def scenario():
        async with Watched(top) as watched:
            watched.watcher.refusals = [LIMIT]
            found = await watched.step()
            reason = "no inotify watch is left: raise fs.inotify.max_user_watches"
            assert found.rescan == f"watcher ended: {reason}"
            assert watched.coverage.mode == Mode("polling", reason)
            assert watched.coverage.polled == {top}
            await watched.step(599)
            assert len(watched.watcher.lives) == 1
            await watched.step(1)
            assert len(watched.watcher.alive) == 1

    asyncio.run(scenario())


def test_after_a_name_that_is_not_text_its_folder_is_left_to_the_rescan(top):
    """All others are watched on."""

    async def scenario():
        os.makedirs(top + b"/odd/\xff")
        os.mkdir(top + b"/even")
        async with Watched(top) as watched:
            await watched.step()
            assert watched.watcher.last.folders == {top, top + b"/odd", top + b"/even"}
            watched.watcher.last.fail(RuntimeError('Unable to decode path "x" to string'))
            await watched.step(1)
            await watched.step(1)
            assert watched.watcher.last.folders == {top, top + b"/even"}
            assert watched.coverage.mode == Mode("events")
            await watched.step(1000)
            assert top + b"/odd" in watched.watcher.last.folders

    asyncio.run(scenario())


# ------------------------------------------------------------------------------------------------ polling


def test_a_root_on_a_network_is_polled_and_the_others_are_watched(top):
    """It is said which, and on what."""

    async def scenario():
        for name in (b"near", b"far"):
            os.mkdir(top + b"/" + name)
        near, far = top + b"/near", top + b"/far"
        mounts = f"1 1 0:1 / / rw - ext4 x rw\n2 1 0:2 / {os.fsdecode(os.path.realpath(far))} rw - nfs4 y rw\n"
        async with Watched(near, far, mounts=mounts) as watched:
            await watched.step()
            assert watched.watcher.last.folders == {near}
            assert watched.coverage.polled == {far}
            assert watched.coverage.mode == Mode("polling", f"{os.fsdecode(far)} is on nfs4")

    asyncio.run(scenario())


def test_polling_as_configured_watches_nothing(top):
    """Roots that are not there are not polled either."""

    async def scenario():
        async with Watched(top, top + b"/none", polling=True) as watched:
            await watched.step()
            assert watched.watcher.lives == []
            assert watched.coverage.polled == {top}
            assert watched.coverage.mode == Mode("polling", "as configured")
            os.mkdir(top + b"/a")
            assert (await watched.step(31)).changed == {top + b"/a"}

    asyncio.run(scenario())
