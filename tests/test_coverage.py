"""coverage: what there is to watch is watched, and whatever may have been missed is said."""

from __future__ import annotations

import asyncio
import os
import shutil

import pytest
from watchfiles import Change
from watching import ScriptedWatcher, settle

from importer.coverage import STUBBORN_FAILURES, TOLD_FOLDERS, Coverage, Found
from importer.discover import Root
from importer.pump import PENDING_PATHS
from importer.wake import Mode, Timing

TIMING = Timing(check_s=2, rescan_s=30, retry_s=1, retry_most_s=60, limit_s=600, renew_s=1000)
LIMIT = OSError("OS file watch limit reached")
NOTHING = Found(frozenset(), "")


@pytest.fixture
def top(tmp_path):
    os.mkdir(tmp_path / "root")
    return os.fsencode(tmp_path / "root")


class Watched:
    """A coverage with its clock and its scripted watcher; `async with` ends it."""

    def __init__(self, *roots: bytes, mounts: str = "", polling: bool = False, timing: Timing = TIMING) -> None:
        self.watcher = ScriptedWatcher()
        self.now = 0.0
        given = [Root(root) for root in roots]
        self.coverage = Coverage(given, timing, self.watcher, lambda: mounts, polling=polling)

    async def step(self, seconds: float = 0.0) -> Found:
        self.now += seconds
        await settle()
        found = await self.coverage.step(self.now)
        await settle()
        return found

    async def __aenter__(self) -> Watched:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.coverage.close()
        assert not self.watcher.alive


def test_roots_are_watched_from_the_first_step(top):
    """One watcher for all folders."""

    async def scenario():
        os.mkdir(top + b"/a")
        async with Watched(top) as watched:
            found = await watched.step()
            assert found.rescan.startswith("root appeared")
            assert watched.watcher.last.folders == {top, top + b"/a"}
            assert await watched.step() == NOTHING
            assert (watched.coverage.mode, watched.coverage.polled) == (Mode("events"), frozenset())

    asyncio.run(scenario())


def test_a_root_that_is_not_there_yet_is_waited_for(top):
    """Nothing is watched before; then everything below it."""

    async def scenario():
        async with Watched(top + b"/late") as watched:
            assert await watched.step() == NOTHING
            os.makedirs(top + b"/late/a")
            assert await watched.step(1) == NOTHING
            assert watched.coverage.next_at == 2
            found = await watched.step(1)
            assert (found.rescan, found.changed) == (f"root appeared: {os.fsdecode(top)}/late", frozenset())
            assert watched.watcher.last.folders == {top + b"/late", top + b"/late/a"}

    asyncio.run(scenario())


def test_events_become_changes(top):
    """Those below the roots."""

    async def scenario():
        async with Watched(top) as watched:
            await watched.step()
            watched.watcher.last.say(top + b"/f", b"/elsewhere/g")
            await settle()
            assert watched.coverage.bell.is_set()
            assert await watched.step() == Found(frozenset([top + b"/f"]), "")

    asyncio.run(scenario())


def test_a_new_folder_is_watched_before_it_is_looked_into_and_the_old_watcher_goes_later(top):
    """So nothing falls between: not what was created before the watch stood, nor what the old one still had to say."""

    async def scenario():
        async with Watched(top) as watched:
            await watched.step()
            first = watched.watcher.last
            os.makedirs(top + b"/a/b")
            first.say(top + b"/a", change=Change.added)
            found = await watched.step(1)
            assert found.changed == {top + b"/a", top + b"/a/b"}
            assert watched.watcher.last.folders == {top, top + b"/a", top + b"/a/b"}
            first.say(top + b"/f")
            assert (await watched.step()).changed == {top + b"/f"}
            assert len(watched.watcher.alive) == 2
            await watched.step(2)
            assert watched.watcher.alive == [watched.watcher.last]

    asyncio.run(scenario())


def test_a_folder_made_while_the_watches_are_set_is_watched_next(top):
    """Its parent was listed before, and has a watch only now."""

    async def scenario():
        async with Watched(top) as watched:
            await watched.step()
            os.mkdir(top + b"/a")
            watched.watcher.last.say(top + b"/a")
            watched.watcher.meanwhile = lambda: os.makedirs(top + b"/a/late", exist_ok=True)
            assert (await watched.step(1)).changed == {top + b"/a"}
            assert (await watched.step(1)).changed == {top + b"/a/late"}
            assert top + b"/a/late" in watched.watcher.last.folders

    asyncio.run(scenario())


def test_the_former_watcher_is_given_the_time_to_say_what_it_saw(top):
    """Also when the next check comes at once."""

    async def scenario():
        async with Watched(top) as watched:
            await watched.step()
            os.mkdir(top + b"/a")
            watched.watcher.last.say(top + b"/a")
            await watched.step(1.9)
            await watched.step(0.1)
            assert len(watched.watcher.alive) == 2
            await watched.step(2)
            assert len(watched.watcher.alive) == 1

    asyncio.run(scenario())


def test_renewals_are_not_made_faster_than_they_are_worth(top):
    """A storm of new folders: told together, once their watch stands."""

    async def scenario():
        async with Watched(top) as watched:
            await watched.step()
            for name in (b"a", b"b", b"c"):
                os.mkdir(top + b"/" + name)
                watched.watcher.last.say(top + b"/" + name)
                assert len(watched.watcher.lives) == 1
                await watched.step(0.1)
            assert watched.coverage.next_at == 1
            assert (await watched.step(0.7)).changed == {top + b"/" + name for name in (b"a", b"b", b"c")}
            assert len(watched.watcher.lives) == 2

    asyncio.run(scenario())


def test_many_new_folders_are_a_rescan(top):
    """More than are worth naming."""

    async def scenario():
        async with Watched(top) as watched:
            await watched.step()
            for number in range(TOLD_FOLDERS + 1):
                os.mkdir(top + b"/%d" % number)
            found = await watched.step(30)
            assert found == Found(frozenset(), f"{TOLD_FOLDERS + 1} new folders")

    asyncio.run(scenario())


def test_folders_without_an_event_are_found_with_the_rescan(top):
    """Events are hints."""

    async def scenario():
        async with Watched(top) as watched:
            await watched.step()
            os.mkdir(top + b"/a")
            assert await watched.step(29) == NOTHING
            assert (await watched.step(2)).changed == {top + b"/a"}
            assert top + b"/a" in watched.watcher.last.folders

    asyncio.run(scenario())


def test_a_root_made_again_at_once_is_noticed_by_its_deletion(top):
    """Even where it bears its old inode; without the event the check would find nothing new."""

    async def scenario():
        async with Watched(top) as watched:
            await watched.step()
            shutil.rmtree(top)
            os.mkdir(top)
            watched.watcher.last.say(top, change=Change.deleted)
            found = await watched.step(1)
            assert found.rescan.startswith("root appeared")
            assert len(watched.watcher.lives) == 2

    asyncio.run(scenario())


def test_a_watch_is_renewed_now_and_then_without_a_cause(top):
    """A dead watch looks like a quiet one."""

    async def scenario():
        async with Watched(top) as watched:
            await watched.step()
            await watched.step(999)
            assert len(watched.watcher.lives) == 1
            assert await watched.step(2) == NOTHING
            assert len(watched.watcher.lives) == 2

    asyncio.run(scenario())


def test_too_many_changes_are_a_rescan(top):
    """And a look at all folders."""

    async def scenario():
        async with Watched(top) as watched:
            await watched.step()
            os.mkdir(top + b"/new")
            watched.watcher.last.say(*(top + b"/%d" % number for number in range(PENDING_PATHS)))
            assert (await watched.step(1)).rescan == "more changes than can be named"
            assert top + b"/new" in watched.watcher.last.folders

    asyncio.run(scenario())


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
    """Somebody may have raised it."""

    async def scenario():
        async with Watched(top) as watched:
            watched.watcher.refusals = [LIMIT]
            found = await watched.step()
            assert found.rescan == "watcher ended: OSError: OS file watch limit reached"
            assert watched.coverage.mode == Mode("polling", "OSError: OS file watch limit reached")
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
