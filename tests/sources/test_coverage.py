"""Coverage: every folder is watched, and a possible loss of events is reported."""

from __future__ import annotations

import asyncio
import os
import shutil

import pytest
from scripted_watcher import NOTHING, Watched, settle
from watchfiles import Change

from importer.sources.coverage import TOLD_FOLDERS, StepResult
from importer.sources.events import Mode
from importer.sources.watcher import PENDING_PATHS


@pytest.fixture
def top(tmp_path):
    os.mkdir(tmp_path / "root")
    return os.fsencode(tmp_path / "root")


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
            assert watched.coverage.wakeup.is_set()
            assert await watched.step() == StepResult(frozenset([top + b"/f"]), "")

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
            assert found == StepResult(frozenset(), f"{TOLD_FOLDERS + 1} new folders")

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
