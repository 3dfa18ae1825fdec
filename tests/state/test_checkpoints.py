"""Checkpoints: what a commit writes is what reading, rescanning and summing give back, before and after a kill."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace

import pytest
from state_values import checkpoint, commit, open_elsewhere, reject

from importer.errors import StateUnwritable
from importer.protocol.records import Commit, Tally
from importer.state.checkpoints import Checkpoints, FilesSummary, KnownFile


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "checkpoints.sqlite3")


@pytest.fixture
def state(path):
    with Checkpoints.open(path, clock=lambda: 1000.0) as opened:
        yield opened


def test_a_checkpoint_comes_back_whole(state):
    """Every column survives, by path and by identity; only the time of the commit is added."""
    wanted = checkpoint(open_ids=("b", "a"), context=b"\x00\xff", generation=3)
    state.commit([commit(open_ids=("b", "a"), context=b"\x00\xff", generation=3)])
    assert state.by_path(wanted.path) == wanted
    assert state.by_identity(1, 1) == state.by_path(wanted.path)


def test_paths_are_bytes_and_identities_use_64_bits(state):
    """A name that is not UTF-8 and an inode of a network file system beyond 2^63 are kept exactly."""
    strange = checkpoint(b"/home/\xff\xfe/\n.jsonl", inode=2**64 - 1, device=2**63, mtime_ns=-1)
    state.commit([commit(strange.path, 2**64 - 1, device=2**63, mtime_ns=-1)])
    assert state.by_identity(2**63, 2**64 - 1) == strange
    assert state.folder(b"/home/\xff\xfe") == {
        b"\n.jsonl": KnownFile(10, -1, 6_000_000_000, 2**63, 2**64 - 1, 10, False)
    }


def test_unknown_files_are_none(state):
    """Nothing is made up for a file never committed."""
    assert state.by_path(b"/no") is None
    assert state.by_identity(9, 9) is None
    assert state.folder(b"/no") == {}


def test_a_folder_gives_its_own_files_only(state):
    """Neither a deeper folder nor one whose name begins alike is mixed in; a final slash makes no difference."""
    paths = [b"/r/a/1", b"/r/a/2", b"/r/a/b/3", b"/r/ab/4"]
    state.commit([commit(path, inode) for inode, path in enumerate(paths)])
    assert set(state.folder(b"/r/a")) == set(state.folder(b"/r/a/")) == {b"1", b"2"}
    assert state.folders(b"/r/a") == [b"/r/a", b"/r/a/b"]


def test_everything_of_a_commit_is_written_together(state):
    """Checkpoints, tallies, totals, rejects and the end of the attempt are one transaction."""
    state.sending(7, ["x"])
    tally = Tally(lines_stored=2, lines_quarantined=1, bytes_stored=20, bytes_quarantined=5)
    state.commit([commit(tally=tally, rejects=(reject(),))] * 2, batch_number=7, counters={"points": 4})
    assert state.totals() == tally + tally
    assert (state.counters()["points"], state.quarantine.count(), state.leftovers()) == (4, 1, [])


def test_nothing_of_a_failed_commit_is_written(state):
    """A disk that fills in the middle leaves checkpoint, totals and attempt as they were, and says waiting helps."""
    state.commit([commit()], counters={"points": 1})
    state.sending(7, ["x"])
    pages = state.database.connection.execute("PRAGMA page_count").fetchone()[0]
    state.database.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StateUnwritable) as raised:
        state.commit([commit(offset=99, context=os.urandom(100_000))], batch_number=7, counters={"points": 1})
    assert raised.value.retryable
    assert (state.by_path(b"/home/u/a.jsonl").offset, state.counters()["points"]) == (10, 1)
    assert [attempt.batch for attempt in state.leftovers()] == [7]


def test_a_commit_goes_through_once_there_is_room_again(state):
    """The same call again after StateUnwritable is right, and counts once."""
    state.database.connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StateUnwritable):
        state.commit([commit(context=os.urandom(100_000))], counters={"points": 1})
    state.database.connection.execute("PRAGMA max_page_count = 1073741823")
    state.commit([commit(context=os.urandom(100_000))], counters={"points": 1})
    assert state.counters()["points"] == 1


def test_open_chunks_are_found_in_other_files_only(state):
    """A chunk that stands open at the end of a copy is not to be released; the file's own does not count."""
    state.commit([commit(b"/r/a", 1, open_ids=("x", "y")), commit(b"/r/b", 2, open_ids=("y",))])
    assert not open_elsewhere(state, "x", b"/r/a")
    assert open_elsewhere(state, "x", b"/r/b")
    assert open_elsewhere(state, "y", b"/r/a")
    state.commit([commit(b"/r/b", 2, open_ids=())])
    assert not open_elsewhere(state, "y", b"/r/a")


def test_a_vanished_file_ages_from_the_scan_that_missed_it_first(path):
    """Its row goes only when it has been gone for long; coming back or a new commit stops the clock."""
    now = [1000.0]
    with Checkpoints.open(path, clock=lambda: now[0]) as state:
        state.commit([commit(b"/r/a", 1), commit(b"/r/b", 2, open_ids=("x",)), commit(b"/r/c", 3)])
        state.mark_gone(b"/r", [b"a", b"b"])
        now[0] = 2000.0
        state.mark_gone(b"/r", [b"a", b"b"])
        state.mark_gone(b"/r", [b"a"], gone=False)
        assert [name for name, known in state.folder(b"/r").items() if known.gone] == [b"b"]
        assert (state.forget_files(1000.0), state.forget_files(1000.5)) == (0, 1)
        assert set(state.folder(b"/r")) == {b"a", b"c"}
        assert not open_elsewhere(state, "x", b"/r/a")


def test_the_summary_counts_what_is_there(state):
    """Complete (a last line without its newline waits), pending, quarantined, the lag; gone files count no more."""
    state.commit([commit(b"/r/a", 1), commit(b"/r/b", 2, size=25, ctime_ns=0, rejects=(reject(path=b"/r/b"),))])
    state.commit([commit(b"/r/c", 3, size=50), commit(b"/r/gone", 4, size=999, ctime_ns=0)])
    state.mark_gone(b"/r", [b"gone"])
    assert state.files_summary() == FilesSummary(3, 2, 1, 1, 15, 1000.0)


def test_a_file_that_lost_its_path_is_written_without_one(state):
    """What goes on from its checkpoint, with nothing known of where it is, leaves it uncounted until it is seen."""
    state.commit([commit(b"/d/a", 1), commit(b"/d/new", 2)])
    state.commit([commit(b"/d/a", 2)])
    lost = state.by_identity(1, 1)
    state.commit([Commit(replace(lost, ctime_ns=0), Tally())])
    assert state.by_identity(1, 1).path == b""
    assert (state.files_summary().known, state.files_summary().pending) == (1, 0)
    state.commit([commit(b"/d/b", 1)])
    assert state.by_path(b"/d/b").inode == 1


def test_an_empty_state_sums_to_nothing(state):
    """No row, no error."""
    assert state.files_summary() == FilesSummary(0, 0, 0, 0, 0, 0.0)
    assert state.totals() == Tally()


def test_reread_makes_the_proof_fail_and_keeps_the_context(state):
    """The file is taken for changed and for replaced, but its open chunks and context are remembered."""
    state.commit([commit(open_ids=("x",))])
    state.reread([b"/home/u/a.jsonl"])
    found = state.by_path(b"/home/u/a.jsonl")
    assert (found.mtime_ns, found.ctime_ns) == (0, 0)
    assert found.tail_digest != b"tail"
    assert (found.context, found.open_ids, found.generation) == (checkpoint().context, ("x",), 0)


def test_the_state_does_not_grow_with_batches(state, path):
    """Three hundred batches over the same ten files end in the space of the first hundred."""
    sizes = []
    for number in range(300):
        state.sending(number, [f"chunk-{number}-{n}" for n in range(50)])
        file = number % 10
        state.commit([commit(b"/r/%d" % file, file, offset=number)], batch_number=number, counters={"points": 1})
        if number in (100, 299):
            sizes.append(state.database.connection.execute("PRAGMA page_count").fetchone()[0])
    assert sizes[1] <= sizes[0]
    assert os.path.getsize(f"{path}-wal") < 8 * 1024 * 1024


def test_a_reader_sees_commits_of_a_running_writer(state, path):
    """`status` beside a daemon: it reads what is committed, and cannot write."""
    state.commit([commit()])
    with Checkpoints.peek(path) as reader:
        state.commit([commit(offset=20, size=20)])
        assert reader.by_path(b"/home/u/a.jsonl").offset == 20
        with pytest.raises(StateUnwritable):
            reader.commit([commit()])


def test_vacuum_gives_space_back(state):
    """After many files were forgotten the database shrinks, a bounded number of pages at a time."""
    state.commit([commit(b"/r/%d" % n, n, context=os.urandom(5000)) for n in range(200)])
    state.mark_gone(b"/r", [b"%d" % n for n in range(200)])
    state.forget_files(2000.0)
    before = state.database.connection.execute("PRAGMA page_count").fetchone()[0]
    state.database.vacuum(pages=50)
    after = state.database.connection.execute("PRAGMA page_count").fetchone()[0]
    assert before - 60 <= after <= before - 50


COMMITTER = """
import sys
from state_values import commit
from importer.state.checkpoints import Checkpoints
with Checkpoints.open(sys.argv[1]) as state:
    start = state.counters().get("points", 0)
    for n in range(start + 1, start + 100_000):
        state.sending(n, ["x"])
        state.commit([commit(offset=n), commit(b"/r/b", 2, offset=n)], batch_number=n, counters={"points": 1})
        print(n, flush=True)
"""


@pytest.mark.parametrize("lines", [1, 7, 40])
def test_a_killed_writer_leaves_whole_commits(path, lines):
    """SIGKILL in the middle of committing: both files and the total agree, and nothing acknowledged is missing."""
    here = os.path.join(os.path.dirname(__file__), "../support")
    command = [sys.executable, "-c", COMMITTER, path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": here}) as child:
        acknowledged = [int(child.stdout.readline()) for _ in range(lines)]
        child.send_signal(signal.SIGKILL)
    with Checkpoints.open(path) as state:
        offset = state.by_path(b"/home/u/a.jsonl").offset
        assert state.by_path(b"/r/b").offset == offset == state.counters()["points"] >= acknowledged[-1]
        assert not state.set_aside


def test_mistakes_of_ours_are_not_called_the_disks(state):
    """A broken constraint is a bug and surfaces as one."""
    with pytest.raises(sqlite3.IntegrityError), state.database.transaction() as connection:
        connection.execute("INSERT INTO contexts VALUES (99, x'')")
