"""watch: a mode and a rescan at once, changes as they happen, a rescan whenever something may have been missed."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from contextlib import aclosing

import pytest
from scripted_watcher import Clock, ScriptedWatcher
from watchfiles import awatch

from importer.sources.scan import Root
from importer.sources.watch import Changed, Mode, Rescan, Timing, WatchEvent, watch_events

TIMING = Timing(rescan_s=30, check_s=2, poll_s=3, poll_share=0.1, late_s=5, renew_s=1e6)


@pytest.fixture
def top(tmp_path):
    os.mkdir(tmp_path / "root")
    return os.fsencode(tmp_path / "root")


class Watched:
    """Wakes under a clock that is moved by hand."""

    def __init__(self, top: bytes, *, polling: bool = False) -> None:
        self.clock = Clock()
        self.watcher = ScriptedWatcher()
        self.stream = watch_events(
            [Root(top)],
            timing=TIMING,
            polling=polling,
            watcher=self.watcher,
            clock=self.clock,
            wait=self.clock.wait,
            mounts=str,
        )

    async def next(self) -> tuple[float, WatchEvent]:
        """The next event, and how long it took."""
        began = self.clock.now
        event = await anext(self.stream)
        return self.clock.now - began, event

    async def __aenter__(self) -> Watched:
        await self.next()
        await self.next()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stream.aclose()
        assert not self.watcher.alive


def test_the_mode_comes_first_and_a_rescan_at_once(top):
    """Before anything has happened, everything may have."""

    async def scenario():
        async with aclosing(watch_events([Root(top)], timing=TIMING, watcher=ScriptedWatcher())) as stream:
            assert [await anext(stream) for _ in range(2)] == [Mode("events"), Rescan("start")]

    asyncio.run(scenario())


def test_everything_is_looked_at_again_every_so_often(top):
    """Also when events are given."""

    async def scenario():
        async with Watched(top) as watched:
            for _ in range(3):
                assert await watched.next() == (30, Rescan("tick"))

    asyncio.run(scenario())


def test_a_change_wakes_at_once_and_delays_no_rescan(top):
    """It goes first, for it names what is new."""

    async def scenario():
        async with Watched(top) as watched:
            watched.watcher.last.say(top + b"/f")
            assert await watched.next() == (0, Changed(frozenset([top + b"/f"])))
            watched.clock.now += 29
            watched.watcher.last.say(top + b"/g")
            assert await watched.next() == (0, Changed(frozenset([top + b"/g"])))
            assert await watched.next() == (1, Rescan("tick"))

    asyncio.run(scenario())


def test_changes_during_the_work_on_a_wake_are_gathered(top):
    """One event for all of them, before the rescan that has become due."""

    async def scenario():
        async with Watched(top) as watched:
            watched.watcher.last.say(top + b"/f")
            await watched.next()
            watched.watcher.last.say(top + b"/g")
            watched.watcher.last.say(top + b"/h")
            watched.clock.now += 100
            assert (await watched.next())[1] == Changed(frozenset([top + b"/g", top + b"/h"]))
            assert await watched.next() == (0, Rescan("tick"))
            assert await watched.next() == (30, Rescan("tick"))

    asyncio.run(scenario())


def test_after_standing_still_everything_is_looked_at(top):
    """Stopped by a signal, the queue of events may have overflown without a word."""

    async def scenario():
        async with Watched(top) as watched:
            watched.clock.oversleep_s = 4
            assert await watched.next() == (30 + 4 - 4, Rescan("tick"))
            watched.clock.oversleep_s = 6
            assert await watched.next() == (2 + 6, Rescan("stood still for 6 s"))

    asyncio.run(scenario())


def test_a_failure_is_a_rescan_and_a_change_of_mode_is_said_once(top):
    """With the reason."""

    async def scenario():
        async with Watched(top) as watched:
            watched.watcher.last.fail(OSError("OS file watch limit reached"))
            reason = "no inotify watch is left: raise fs.inotify.max_user_watches"
            assert await watched.next() == (0, Mode("polling", reason))
            assert await watched.next() == (0, Rescan(f"watcher ended: {reason}"))
            assert await watched.next() == (3, Rescan("polling", frozenset([top])))
            assert await watched.next() == (3, Rescan("polling", frozenset([top])))

    asyncio.run(scenario())


def test_polling_leaves_most_of_the_time_to_others(top):
    """A look that takes 1 s is followed by 10 s of rest, here; and the full rescan by its own time."""

    async def scenario():
        async with Watched(top, polling=True) as watched:
            assert (await watched.next())[1] == Rescan("polling", frozenset([top]))
            watched.clock.now += 1
            assert (await watched.next())[0] == 10
            watched.clock.now += 0.1
            assert (await watched.next())[0] == 3
            watched.clock.now += 5
            took, event = await watched.next()
            assert (took, event) == (pytest.approx(30 - 3 - 1 - 10 - 0.1 - 3 - 5), Rescan("tick"))

    asyncio.run(scenario())


@pytest.mark.parametrize("ending", ["closed", "cancelled"])
def test_no_thread_is_left(top, ending):
    """In every way the iteration can end, and with anything under watch."""
    before = set(threading.enumerate())

    async def iterate(stream):
        async for _ in stream:
            pass

    async def scenario():
        async with aclosing(watch_events([Root(top)], timing=TIMING)) as stream:
            await anext(stream)
            os.mkdir(top + b"/new")
            if ending == "cancelled":
                task = asyncio.create_task(iterate(stream))
                await asyncio.wait([task], timeout=0.3)
                task.cancel()
                await asyncio.wait([task])

    asyncio.run(scenario())
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert set(threading.enumerate()) <= before


# ------------------------------------------------------------------------------------------------ the real watcher

QUICK = Timing(rescan_s=1e6, poll_s=3, check_s=0.02, retry_s=0.02, renew_s=1e6, step_ms=10, debounce_ms=40)


def write(path: bytes, content: bytes = b"x\n") -> None:
    with open(path, "ab") as file:
        file.write(content)


async def until(stream, *expected: bytes | str) -> list[WatchEvent]:
    """Return the events until every path was named as changed, and every reason given for a rescan."""
    missing, seen = set(expected), []
    async with asyncio.timeout(20):
        while missing:
            event = await anext(stream)
            seen.append(event)
            if isinstance(event, Changed):
                missing -= event.paths
            elif isinstance(event, Rescan):
                missing = {word for word in missing if isinstance(word, bytes) or not event.reason.startswith(word)}
    return seen


def really(scenario, top: bytes) -> None:
    async def run():
        async with aclosing(watch_events([Root(top)], timing=QUICK, watcher=awatch)) as stream:
            await until(stream, "start")
            await scenario(stream)

    asyncio.run(run())


def test_really_an_append_in_a_known_and_in_a_new_folder(top):
    """The new one is made together with others around it."""
    os.mkdir(top + b"/a")
    write(top + b"/a/f")

    async def scenario(stream):
        write(top + b"/a/f")
        await until(stream, top + b"/a/f")
        os.makedirs(top + b"/b/c/d")
        write(top + b"/b/c/d/g")
        await until(stream, top + b"/b/c/d")
        write(top + b"/b/c/d/g")
        await until(stream, top + b"/b/c/d/g")

    really(scenario, top)


def test_really_a_storm_of_new_folders(top):
    """Each is named, or everything is looked at; and from then on each is watched."""

    async def scenario(stream):
        leaves = [top + b"/%d/a/b" % number for number in range(100)]
        for leaf in leaves:
            os.makedirs(leaf)
            write(leaf + b"/f")
        await until(stream, *leaves)
        for leaf in leaves:
            write(leaf + b"/f")
        await until(stream, *(leaf + b"/f" for leaf in leaves))

    really(scenario, top)


def test_really_a_root_that_appears_and_is_made_again(top):
    """Each time it is looked at whole and watched from then on; watchfiles itself would be silent for ever."""
    os.rmdir(top)

    async def scenario(stream):
        for _ in range(5):
            os.mkdir(top)
            await until(stream, "root appeared")
            write(top + b"/f")
            await until(stream, top + b"/f")
            shutil.rmtree(top)

    really(scenario, top)


def test_really_a_name_that_is_not_text(top):
    """It ends the watch, which begins again without that folder; the others go on."""
    os.makedirs(top + b"/odd")
    os.mkdir(top + b"/even")

    async def scenario(stream):
        write(top + b"/odd/\xff")
        await until(stream, "watcher ended", "watching again")
        write(top + b"/odd/\xff")
        write(top + b"/even/f")
        seen = await until(stream, top + b"/even/f")
        assert not any(isinstance(event, Rescan) for event in seen)

    really(scenario, top)


def test_really_a_link_out_of_the_root_is_not_watched(top, tmp_path):
    """Asked to watch recursively, watchfiles would."""
    beside = os.fsencode(tmp_path / "beside")
    os.mkdir(beside)
    os.symlink(beside, top + b"/out")

    async def scenario(stream):
        write(beside + b"/f")
        write(top + b"/g")
        seen = await until(stream, top + b"/g")
        assert seen == [Changed(frozenset([top + b"/g"]))]

    really(scenario, top)
