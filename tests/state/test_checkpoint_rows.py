"""Rows: one stream, one row, however names and inodes change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from state_values import checkpoint, commit, open_elsewhere

from importer.state import checkpoint_rows, open_database
from importer.state.checkpoints import Checkpoints

A, B = b"/r/a", b"/r/b"


@pytest.fixture
def state(tmp_path):
    with Checkpoints.open(str(tmp_path / "checkpoints.sqlite3")) as opened:
        yield opened


def count(state):
    return state.database.rows("SELECT count(*) FROM files")[0][0]


def test_a_rename_moves_the_row(state):
    """The same identity under a new path: the old path knows nothing any more."""
    state.commit([commit(A, 1, open_ids=("x",))])
    state.commit([commit(B, 1, open_ids=("x",))])
    assert (state.by_path(A), state.by_path(B).inode, count(state)) == (None, 1, 1)
    assert not open_elsewhere(state, "x", B)


def test_a_new_generation_replaces_the_row(state):
    """Truncated in place: same row, next generation."""
    state.commit([commit(A, 1, offset=500)])
    state.commit([commit(A, 1, offset=20, generation=1)])
    assert (state.by_path(A).generation, state.by_path(A).offset, count(state)) == (1, 20, 1)


def test_a_file_rewritten_by_rename_keeps_its_row(state):
    """A new inode at a known path goes on with the row, so rewriting for years adds nothing."""
    for inode in range(1, 50):
        state.commit([commit(A, inode, generation=inode)])
    assert (state.by_path(A).inode, state.by_identity(1, 1), count(state)) == (49, None, 1)


def test_two_files_swap_paths_in_one_commit(state):
    """Neither uniqueness nor either offset is lost."""
    state.commit([commit(A, 1, offset=10), commit(B, 2, offset=20)])
    state.commit([commit(B, 1, offset=10), commit(A, 2, offset=20)])
    assert (state.by_path(A).inode, state.by_path(A).offset) == (2, 20)
    assert (state.by_path(B).inode, state.by_path(B).offset) == (1, 10)


def test_two_files_swap_paths_in_two_commits(state):
    """Between them the one without a path is still found by identity, with its open chunks."""
    state.commit([commit(A, 1, offset=10, open_ids=("x",)), commit(B, 2, offset=20)])
    state.commit([commit(A, 2, offset=20)])
    lost = state.by_identity(1, 1)
    assert (lost.path, lost.offset, lost.open_ids) == (b"", 10, ("x",))
    assert open_elsewhere(state, "x", A)
    state.commit([commit(B, 1, offset=10, open_ids=("x",))])
    assert (state.by_path(B).inode, count(state)) == (1, 2)


def test_rows_without_a_path_are_bounded(state):
    """Files moved over others again and again leave only the newest few hundred behind."""
    many = range(0, 2 * checkpoint_rows.PATHLESS + 100, 2)
    state.commit([c for n in many for c in (commit(A, n), commit(B, n + 1), commit(A, n + 1))])
    assert count(state) == checkpoint_rows.PATHLESS + 1
    assert state.by_identity(1, many[-1]).path == b""


def test_a_garbled_context_makes_the_file_be_read_again(state):
    """SQLite does not notice a flipped bit in a value; the checksum does, and the tail digest is dropped too."""
    state.commit([commit(A, 1, open_ids=("x",))])
    flip = "UPDATE contexts SET body = CAST(substr(body, 1, 12) || x'00' || substr(body, 14) AS BLOB)"
    state.database.connection.execute(flip)
    found = state.by_path(A)
    assert (found.context, found.tail_digest, found.open_ids) == (b"", b"", ("x",))


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    opened = open_database.open_for_writing(str(tmp_path_factory.mktemp("rows") / "checkpoints.sqlite3"))
    yield opened
    opened.close()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30))
def test_any_history_of_names_and_inodes_agrees_with_a_simple_model(database, history):
    """Identity first, then path, else a new row; no two rows share either."""
    places: dict[int, bytes] = {}
    with database.transaction(durable=False) as connection:
        connection.execute("DELETE FROM files")
        for inode, name in history:
            path = b"/r/%d" % name
            checkpoint_rows.write(connection, checkpoint(path, inode), 0.0)
            occupant = next((i for i, p in places.items() if p == path and i != inode), None)
            if occupant is not None and inode in places:
                places[occupant] = b""
            elif occupant is not None:
                del places[occupant]
            places[inode] = path
        found = connection.execute("SELECT inode, folder, name FROM files").fetchall()
    assert {inode: (folder or b"") + (name or b"") for inode, folder, name in found} == places
    assert len(found) == len(places)


@pytest.mark.parametrize("path", [b"/a/b", b"/b", b"b", b"/a/\xff/", b""])
def test_splitting_a_path_loses_nothing(path):
    """Folder and name joined are the same bytes."""
    assert b"".join(checkpoint_rows.split(path)) == path
