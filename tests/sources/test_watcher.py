"""Folder watcher: one run of watchfiles, what it saw, why it ended; its thread never outlives it."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest
from scripted_watcher import ScriptedWatcher, settle
from watchfiles import Change, awatch

from importer.sources.watcher import PENDING_PATHS, FolderWatcher, PathEvents, WatchFailure


async def started(watcher: ScriptedWatcher, *folders: bytes) -> FolderWatcher:
    folder_watcher = FolderWatcher(folders or (b"/r",), asyncio.Event(), watcher, step=50, debounce=100)
    await folder_watcher.established()
    return folder_watcher


def test_what_was_seen_is_given_once_and_wakes_the_coverage():
    """Names come as the bytes they are; deletions are told apart."""

    async def scenario():
        watcher = ScriptedWatcher()
        wakeup = asyncio.Event()
        folder_watcher = FolderWatcher([b"/r/\xc3\xa9"], wakeup, watcher)
        assert await folder_watcher.established()
        assert watcher.last.folders == {b"/r/\xc3\xa9"}
        watcher.last.say(b"/r/\xff", b"/r/a")
        watcher.last.say(b"/r/b", change=Change.deleted)
        await settle()
        assert wakeup.is_set()
        assert folder_watcher.take() == PathEvents(frozenset([b"/r/\xff", b"/r/a", b"/r/b"]), frozenset([b"/r/b"]))
        assert folder_watcher.take() == PathEvents()
        await folder_watcher.close()

    asyncio.run(scenario())


def test_more_than_can_be_named_is_said_to_be_so():
    """Memory is bounded while the events are not taken."""

    async def scenario():
        watcher = ScriptedWatcher()
        folder_watcher = await started(watcher)
        watcher.last.say(*(b"/r/%d" % number for number in range(PENDING_PATHS + 5)))
        await settle()
        seen = folder_watcher.take()
        assert (len(seen.changed), seen.overflown) == (PENDING_PATHS, True)
        await folder_watcher.close()

    asyncio.run(scenario())


WATCHES = "no inotify watch is left: raise fs.inotify.max_user_watches"
INSTANCES = "no inotify instance is left: raise fs.inotify.max_user_instances"
ENDINGS = [
    (RuntimeError("bad"), WatchFailure("RuntimeError: bad")),
    (ExceptionGroup("unhandled", [ExceptionGroup("", [OSError("x")])]), WatchFailure("OSError: x")),
    (BaseExceptionGroup("panic", [KeyboardInterrupt("p")]), WatchFailure("KeyboardInterrupt: p")),
    (OSError('OS file watch limit reached. about ["/r"]'), WatchFailure(WATCHES, limited=True)),
    (OSError("No space left on device (os error 28)"), WatchFailure(WATCHES, limited=True)),
    (RuntimeError("Error creating watcher: Too many open files (os error 24)"), WatchFailure(INSTANCES, limited=True)),
    (
        RuntimeError('Unable to decode path "/r"'),
        WatchFailure('RuntimeError: Unable to decode path "/r"', undecodable=True),
    ),
    (None, WatchFailure("it stopped by itself")),
]


@pytest.mark.parametrize(("error", "failure"), ENDINGS)
def test_an_ending_says_its_first_cause(error, failure):
    """Out of the groups that the watcher wraps it in; limits and names are told apart from the rest."""

    async def scenario():
        watcher = ScriptedWatcher()
        folder_watcher = await started(watcher)
        watcher.last.fail(error) if error else watcher.last.end()
        await settle()
        assert (folder_watcher.failure, folder_watcher.done) == (failure, True)

    asyncio.run(scenario())


def test_a_refusal_is_known_at_once():
    """The watcher sets its watches before it first waits."""

    async def scenario():
        watcher = ScriptedWatcher()
        watcher.refusals = [FileNotFoundError("/r")]
        folder_watcher = FolderWatcher([b"/r"], asyncio.Event(), watcher)
        assert not await folder_watcher.established()
        assert folder_watcher.failure == WatchFailure("FileNotFoundError: /r")

    asyncio.run(scenario())


def test_a_stopped_watcher_has_no_ending(tmp_path):
    """It was asked to stop: that is no failure."""

    async def scenario():
        folder_watcher = await started(ScriptedWatcher())
        await folder_watcher.close()
        assert folder_watcher.done
        assert folder_watcher.failure is None

    asyncio.run(scenario())


def test_real_paths_are_told_as_they_are_watched(tmp_path):
    """FSEvents names what lies behind a link by its real path; other paths stay as they are."""
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    watched, there, elsewhere = map(os.fsencode, (link, os.path.realpath(real), tmp_path / "other" / "a"))

    async def scenario():
        watcher = ScriptedWatcher()
        folder_watcher = await started(watcher, watched)
        watcher.last.say(there + b"/a.jsonl", watched + b"/b.jsonl", elsewhere)
        watcher.last.say(there, change=Change.deleted)
        await settle()
        found = folder_watcher.take()
        assert found.changed == {watched + b"/a.jsonl", watched + b"/b.jsonl", elsewhere, watched}
        assert found.deleted == {watched}
        await folder_watcher.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("cancelled", [False, True], ids=["closed", "cancelled"])
def test_the_real_watcher_leaves_no_thread(tmp_path, cancelled):
    """Neither when closed nor when its task is cancelled from outside."""

    async def scenario():
        folder_watcher = FolderWatcher([os.fsencode(tmp_path)], asyncio.Event(), awatch, step=10, debounce=20)
        assert await folder_watcher.established()
        if cancelled:
            folder_watcher._task.cancel()
        await folder_watcher.close()

    before = threading.active_count()
    asyncio.run(scenario())
    for thread in threading.enumerate()[before:]:
        thread.join(5)
    assert threading.active_count() == before
