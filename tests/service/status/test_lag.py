"""The amount that is behind is counted from the state, corrected by the files seen since."""

from __future__ import annotations

import os
import pathlib
from contextlib import ExitStack
from typing import Any

import pytest
from idle_engine import fly, parts
from state_values import commit

from importer.protocol.records import Tally
from importer.service.status import lag
from importer.service.status.lag import Lag, SeenFile
from importer.sources.queue import Pending
from importer.sources.scan import Root
from importer.state.checkpoints import Checkpoints

READ_IN_PART = {"offset": 10, "size": 25, "mtime_ns": 0, "ctime_ns": 0}


@pytest.fixture
def state(tmp_path: pathlib.Path):
    with Checkpoints.open(str(tmp_path / "c.sqlite3"), clock=lambda: 50.0) as found:
        found.commit([commit(b"/r/done", 1), commit(b"/r/part", 2, **READ_IN_PART)])
        yield found


@pytest.mark.parametrize(
    ("path", "seen", "expected"),
    [
        (b"/r/new", SeenFile(40, 7.0), Lag(3, 1, 2, 0, 55, 7.0)),
        (b"/r/done", SeenFile(18, 90.0), Lag(2, 0, 2, 0, 23, 50.0)),
        (b"/r/done", SeenFile(10, 90.0), Lag(2, 0, 2, 0, 15, 50.0)),
        (b"/r/done", SeenFile(4, 20.0), Lag(2, 0, 2, 0, 19, 20.0)),
        (b"/r/part", SeenFile(25, 20.0), Lag(2, 1, 1, 0, 15, 20.0)),
        (b"/r/part", SeenFile(30, 20.0), Lag(2, 1, 1, 0, 20, 20.0)),
    ],
    ids=["new", "grown", "touched", "shorter", "in part", "in part and grown"],
)
def test_what_was_seen_corrects_what_was_committed(state: Checkpoints, path: bytes, seen: Any, expected: Any) -> None:
    """Each file counts once, and so does each byte that is not imported."""
    assert lag.count(state, {path: seen}) == expected


def test_a_file_that_came_back_counts_again(state: Checkpoints) -> None:
    """A file marked as gone is not a known file until it is seen again."""
    state.mark_gone(b"/r", [b"done"])
    assert lag.count(state, {}).known == 1
    assert lag.count(state, {b"/r/done": SeenFile(10, 1.0)}) == Lag(2, 0, 2, 0, 15, 50.0)


def test_without_a_state_everything_is_behind(tmp_path: pathlib.Path) -> None:
    """The files of the roots are counted, and none is read."""
    folder = tmp_path / "-p"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(b"x" * 30)
    os.utime(folder / "a.jsonl", (100, 100))
    assert lag.of_roots([Root(os.fsencode(tmp_path), "claude-code")], None) == Lag(1, 0, 1, 0, 30, 100.0)


def test_batches_in_flight_are_behind(tmp_path: pathlib.Path) -> None:
    """A batch in the worker is not imported before its receipt."""
    with ExitStack() as stack:
        engine = parts(str(tmp_path), stack).engine
        fly(engine, Tally(lines_stored=1), path=b"/r/a", offset=30, size=30)
        engine._queue.backlog(Pending(b"/r/b", b"/r", "auto", 12, 3_000_000_000))
        assert lag.of_snapshot(engine.snapshot(), engine.checkpoints) == Lag(2, 0, 2, 0, 42, 3.0)


def test_more_than_can_be_named_is_said_to_be_more(tmp_path: pathlib.Path) -> None:
    """When the queue has overflowed, pending files and bytes are lower bounds."""
    with ExitStack() as stack:
        engine = parts(str(tmp_path), stack).engine
        engine._queue.overflowed, engine._reconcile.files = True, 90_000
        found = lag.of_snapshot(engine.snapshot(), engine.checkpoints)
        assert (found.known, found.pending, found.at_least) == (90_000, 90_000, True)
