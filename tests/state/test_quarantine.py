"""Quarantine: each bad line or chunk once, shown, retried and dropped."""

from __future__ import annotations

import pytest
from state_values import BASE, commit, reject

from importer.state.checkpoints import Checkpoints


@pytest.fixture
def state(tmp_path):
    with Checkpoints.open(str(tmp_path / "checkpoints.sqlite3"), clock=lambda: 50.0) as opened:
        yield opened


def test_a_reject_comes_back_whole(state):
    """With everything a person needs to find it: file, offset, length, stage, reason, sample."""
    state.commit([commit(rejects=(reject(30),))])
    (row,) = state.quarantine.page()
    assert row.reject == reject(30)
    assert (row.at, row.attempts, row.status) == (50.0, 1, "open")


def test_the_same_line_again_is_the_same_row(state):
    """Replaying a batch adds nothing; another offset or reason does."""
    for _ in range(3):
        state.commit([commit(rejects=(reject(30), reject(40), reject(30, reason="too long")))])
    assert [(row.reject.offset, row.attempts) for row in state.quarantine.page()] == [(30, 3), (40, 3), (30, 3)]


def test_a_chunk_is_known_by_its_id_wherever_it_stands(state):
    """The same poison in a fork of the conversation is one row."""
    state.commit([commit()], rejects=[reject(5, chunk_id="poison")])
    state.commit([commit()], rejects=[reject(9, path=b"/fork", chunk_id="poison", reason="killed 3 workers")])
    (row,) = state.quarantine.page()
    assert (row.reject.path, row.reject.reason, row.attempts) == (b"/fork", "killed 3 workers", 2)


def test_damaged_text_does_not_stop_a_commit(state):
    """Samples of broken lines hold lone surrogates and NULs."""
    broken = reject(1, reason="bad \udcff")
    state.commit([commit(rejects=(broken,))])
    assert state.quarantine.page()[0].reject.reason == "bad ?"


def test_pages_follow_each_other(state):
    """Any number of rows is read in bounded pages."""
    state.commit([commit(rejects=tuple(reject(n) for n in range(25)))])
    seen, after = [], 0
    while page := state.quarantine.page(after=after, limit=10):
        seen += [row.reject.offset for row in page]
        after = page[-1].id
    assert seen == list(range(25))
    assert state.quarantine.count() == 25


def test_retry_marks_the_files_to_be_read_again(state):
    """All rows or those named; the paths come back, each once."""
    state.commit([commit(rejects=(reject(1), reject(2)))])
    first = state.quarantine.page()[0].id
    assert state.quarantine.retry([first, 999]) == (BASE.path,)
    assert [row.status for row in state.quarantine.page()] == ["retrying", "open"]
    assert state.by_path(BASE.path).mtime_ns == 0
    assert state.quarantine.retry() == (BASE.path,)


def test_what_succeeds_when_retried_leaves_the_quarantine(state):
    """Once the file was read past it without complaint; before that it stays."""
    state.commit([commit(rejects=(reject(10),))])
    state.quarantine.retry()
    state.commit([commit(offset=15, generation=1)])
    assert state.quarantine.count() == 1
    state.commit([commit(offset=20, generation=1)])
    assert state.quarantine.count() == 0


def test_what_fails_again_is_open_again(state):
    """With one attempt more."""
    state.commit([commit(rejects=(reject(10),))])
    state.quarantine.retry()
    state.commit([commit(offset=20, generation=1, rejects=(reject(10),))])
    assert [(row.status, row.attempts) for row in state.quarantine.page()] == [("open", 2)]


def test_dropping_forgets_rows_and_says_how_many(state):
    """Those named, then all; the files are not read again."""
    state.commit([commit(rejects=tuple(reject(n) for n in range(3)))])
    first = state.quarantine.page()[0].id
    assert state.quarantine.drop([first, 999]) == 1
    assert state.quarantine.drop() == 2
    assert (state.quarantine.count(), state.by_path(BASE.path).mtime_ns) == (0, BASE.mtime_ns)
