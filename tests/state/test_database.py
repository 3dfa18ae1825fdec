"""Database: all or nothing, and SQLite's errors in words that say whether waiting helps."""

from __future__ import annotations

import contextlib
import os
import resource
import sqlite3

import pytest

from importer.errors import STATE, TRY_AGAIN, StateCorrupt, StateError, StateUnwritable
from importer.state import open_database
from importer.state.database import Database, suspect_mark, translating


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "checkpoints.sqlite3")


@pytest.fixture
def database(path):
    opened = open_database.open_for_writing(path)
    yield opened
    opened.close()


def note(database, name, size=1, durable=True):
    with database.transaction(durable=durable) as connection:
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, "x" * size))


def names(database):
    return [name for (name,) in database.rows("SELECT name FROM meta ORDER BY name")]


def test_an_error_inside_takes_everything_back(database):
    """Also what was written before it; the next transaction works."""
    with pytest.raises(KeyError), database.transaction() as connection:
        connection.execute("INSERT INTO meta VALUES ('a', 'x')")
        raise KeyError("mistake")
    note(database, "b")
    assert names(database) == ["b"]


@pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 1)])
def test_only_durable_transactions_wait_for_the_disk(database, durable, level):
    """FULL for what a receipt pays for, NORMAL for what a power cut may take; each is set for its own transaction."""
    for first in (True, False):
        note(database, "a", durable=first)
        note(database, "b", durable=durable)
        assert database.rows("PRAGMA synchronous") == [(level,)]


def test_a_locked_database_can_be_waited_for(database, path):
    """Another process writes for longer than we wait: retryable, and fine afterwards."""
    database.connection.execute("PRAGMA busy_timeout = 0")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateUnwritable, match="locked") as raised:
            note(database, "a")
        other.execute("ROLLBACK")
    note(database, "a")
    assert (raised.value.retryable, raised.value.exit_code, names(database)) == (True, STATE, ["a"])


def test_a_disk_without_room_can_be_waited_for(database):
    """A real refusal by the system (a limit on the file's size): nothing is written, and it goes on afterwards."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StateUnwritable):
            note(database, "a", size=100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert names(database) == []
    note(database, "b", size=100_000)
    assert names(database) == ["b"]


def test_a_mistake_in_sql_is_not_waited_for(database):
    """It would be waited for in vain."""
    with pytest.raises(StateError) as raised, database.transaction() as connection:
        connection.execute("INSERT INTO no_such_table VALUES (1)")
    assert not raised.value.retryable


def test_damage_leaves_a_mark_for_the_next_start(database, path):
    """A reader's damage does not: it may have looked at the wrong moment."""
    with pytest.raises(StateCorrupt), Database(path, database.connection, reader=True).translating(writing=False):
        raise StateCorrupt("damaged")
    assert not os.path.exists(suspect_mark(path))
    with pytest.raises(StateCorrupt) as raised, database.translating(writing=False):
        raise StateCorrupt("damaged")
    assert os.path.exists(suspect_mark(path))
    assert (raised.value.exit_code, raised.value.retryable) == (TRY_AGAIN, True)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PermissionError(13, "Permission denied"), StateError),
        (OSError(5, "Input/output error"), StateError),
        (OSError(28, "No space left on device"), StateUnwritable),
        (OSError(122, "Disk quota exceeded"), StateUnwritable),
        (OSError(30, "Read-only file system"), StateUnwritable),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), StateCorrupt),
    ],
)
def test_every_foreign_error_becomes_one_of_ours(error, kind):
    """With the path, the reason and a hint."""
    with pytest.raises(StateError, match="/state/db") as raised, translating("/state/db", writing=True):
        raise error
    assert type(raised.value) is kind
    assert raised.value.hint
