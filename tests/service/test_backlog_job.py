"""`backlog PATH` while a daemon runs: the daemon imports the files, and the command reports the result."""

from __future__ import annotations

import asyncio
import os
import pathlib
import signal
import time
from typing import Any

import oracle
import pytest
import store_diff
from in_process_importer import LIMITS, InProcessImporter
from processes import Importer, idle, until

from importer.bench.corpus import corpus
from importer.service.backlog_job import BacklogJobs


@pytest.fixture
def watched(tmp_path: pathlib.Path) -> str:
    """Make the daemon's own folder."""
    folder = str(tmp_path / "watched")
    corpus.write(folder, files=4, seed=1)
    return folder


@pytest.fixture
def elsewhere(tmp_path: pathlib.Path) -> str:
    """Make a folder that the daemon does not know."""
    folder = str(tmp_path / "elsewhere")
    corpus.write(folder, files=6, seed=2)
    return folder


def test_its_numbers_are_true(tmp_path: pathlib.Path, watched: str, elsewhere: str) -> None:
    """They count the given files, and nothing else that the daemon imports meanwhile."""
    installed = Importer(tmp_path)
    expected = oracle.expect(elsewhere)
    with installed.daemon("--source", f"auto={watched}") as daemon:
        until(lambda: idle(installed))
        done = installed.run("backlog", elsewhere, "--json")
        again = installed.run("backlog", elsewhere, "--json")
        shown = installed.run("backlog", elsewhere)
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(20) == 0
    told, tally = done.json, expected.tally
    assert (done.code, again.code, shown.code) == (0, 0, 0), done.err
    assert (told["files"], told["lines"], told["messages"]) == (6, tally.lines_read, tally.messages)
    assert (told["stored"], told["skipped"], told["quarantined"]) == (tally.lines_stored, tally.lines_skipped, 0)
    assert told["embedded"] + told["known"] == told["chunks"] == len(expected.chunks)
    assert told["tokens"] > 0 < told["worker"]["peak_rss_bytes"]
    assert (again.json["files"], again.json["chunks"], again.json["points"]) == (0, 0, told["points"])
    assert "nothing new" in shown.out
    assert f"pid {daemon.pid}" in shown.err
    with oracle.opened(installed.state) as store:
        expected.chunks.update(oracle.expect(watched).chunks)
        assert not store_diff.compare(expected, store).wrong


def test_bad_input_beside_good(tmp_path: pathlib.Path, watched: str, elsewhere: str) -> None:
    """The exit code and the output are those of an import without a daemon."""
    installed = Importer(tmp_path, bound=True)
    lone = next(path for path in oracle.files_below(elsewhere))
    os.chmod(lone, 0)
    with installed.daemon("--source", f"auto={watched}"):
        done = installed.run("backlog", elsewhere)
        assert (done.code, "imported 5 files" in done.out) == (1, True), done.err
        assert f"not read: {lone}" in done.err
        assert installed.run("backlog", elsewhere + "/none").code == 2


def test_more_files_than_wait_at_once(tmp_path: pathlib.Path, watched: str, elsewhere: str) -> None:
    """Files that do not fit into the daemon's queue are found by a later look; other files are not counted."""
    stage = InProcessImporter(watched, tmp_path)
    engine = stage.engine
    engine._queue.most = 4

    async def act() -> dict[str, Any]:
        jobs = BacklogJobs(engine, asyncio.Lock(), lambda: "", lambda: None)
        number = (await jobs.start([{"path": elsewhere, "format": "auto"}]))["number"]
        for _ in range(2000):
            await (engine.step() if engine.has_work() else asyncio.sleep(0.01))
            if (told := await jobs.progress(number))["done"]:
                return told
        raise AssertionError(told)

    stage.look()
    told = asyncio.run(act())
    stage.close()
    summary, lines = told["summary"], oracle.expect(elsewhere).tally.lines_read
    assert (told["left"], summary["files"], summary["lines"]) == (0, 6, lines)
    assert engine.run.files > summary["files"]


def test_what_a_person_names_goes_ahead(tmp_path: pathlib.Path, watched: str, elsewhere: str) -> None:
    """The given files are done while the daemon's own backlog, which was there first, still waits."""
    corpus.write(watched, files=40, seed=3)
    for path in oracle.files_below(elsewhere):
        os.utime(path, (1, 1))  # older than the backlog, of which the newest go first
    stage = InProcessImporter(watched, tmp_path)
    engine = stage.engine

    async def act() -> int:
        jobs = BacklogJobs(engine, asyncio.Lock(), lambda: "", lambda: None)
        number = (await jobs.start([{"path": elsewhere, "format": "auto"}]))["number"]
        for _ in range(2000):
            await (engine.step() if engine.has_work() else asyncio.sleep(0.01))
            told = await jobs.progress(number)
            if told["summary"]["files"] == 6 and not told["left"]:
                return engine.pending_files
        raise AssertionError("the given files are not imported")

    stage.look()
    before = engine.pending_files
    left = asyncio.run(act())
    stage.close()
    assert before >= 40
    assert left >= before - 2 * LIMITS.spans, "only what was read ahead"


def test_a_command_that_does_not_wait_leaves_the_daemon_at_it(
    tmp_path: pathlib.Path, watched: str, elsewhere: str
) -> None:
    """Ctrl-C ends the command with the numbers so far; a killed daemon ends it with 75."""
    installed = Importer(tmp_path)
    with installed.daemon("--source", f"auto={watched}", IMPORTER_FAILPOINTS="embed=sleep:1") as daemon:
        left = installed.start("backlog", elsewhere)
        assert left.stderr is not None
        assert "handed to the daemon" in left.stderr.readline()
        time.sleep(0.3)  # until it listens to signals, which is right behind the line
        left.send_signal(signal.SIGINT)
        out, err = left.communicate(timeout=20)
        assert (left.returncode, "stopped early" in err) == (75, True), out + err
        waiting = installed.start("backlog", elsewhere)
        assert waiting.stderr is not None
        assert "handed to the daemon" in waiting.stderr.readline()
        daemon.kill()
        _, err = waiting.communicate(timeout=20)
        assert (waiting.returncode, "goes on where it was" in err) == (75, True), err


def test_a_holder_that_is_no_daemon(tmp_path: pathlib.Path, elsewhere: str) -> None:
    """Another backlog takes no files over; the message names it."""
    installed = Importer(tmp_path)
    first = installed.start("backlog", elsewhere, IMPORTER_FAILPOINTS="embed=sleep:2")
    until(lambda: installed.worker_pids())
    refused = installed.run("backlog", elsewhere)
    first.kill()
    first.communicate()
    assert (refused.code, str(first.pid) in refused.err) == (3, True), refused.err
