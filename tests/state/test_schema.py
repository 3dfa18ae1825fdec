"""Migrations: every version becomes the newest one, at once or not at all."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from importer.state import schema as migrations


@pytest.fixture
def connection():
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        yield opened


def add_colour(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE files ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue'")


def fail(connection: sqlite3.Connection) -> None:
    connection.execute("DROP TABLE files")
    raise OSError("killed here")


def schema(connection):
    return connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()


def test_an_empty_file_becomes_the_newest_version(connection):
    """All tables are there and the version says so."""
    assert migrations.migrate(connection) == 0
    assert migrations.version(connection) == len(migrations.MIGRATIONS)
    assert migrations.whole(connection)


def test_migrating_again_changes_nothing(connection):
    """The newest version is left alone."""
    migrations.migrate(connection)
    before = schema(connection)
    assert migrations.migrate(connection) == len(migrations.MIGRATIONS)
    assert schema(connection) == before


def test_only_missing_steps_run_and_rows_are_kept(connection):
    """From version 1 to 2: what was written under 1 is there, with the new column."""
    migrations.migrate(connection, (migrations.version_1,))
    connection.execute("INSERT INTO files VALUES (1, x'2f', x'61', 1, 1, 0, 9, 0, 0, 9, NULL, 0, 0, x'', x'', 'f')")
    migrations.migrate(connection, (migrations.version_1, add_colour))
    assert connection.execute("SELECT offset, colour FROM files").fetchall() == [(9, "blue")]
    assert migrations.version(connection) == 2


def test_a_failed_migration_has_not_happened(connection):
    """An error in a later step takes the earlier steps back with it."""
    migrations.migrate(connection, (migrations.version_1,))
    before = schema(connection)
    with pytest.raises(OSError, match="killed here"):
        migrations.migrate(connection, (migrations.version_1, add_colour, fail))
    assert (schema(connection), migrations.version(connection)) == (before, 1)


def test_a_lost_table_is_noticed(connection):
    """`whole` tells a complete schema from one with a hole."""
    migrations.migrate(connection)
    connection.execute("DROP TABLE meta")
    assert not migrations.whole(connection)


def test_the_first_version_never_changes(connection):
    """A released schema is a contract: these are its columns."""
    migrations.version_1(connection)
    columns = {
        table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        for table in ("files", "attempts", "counters", "tombstones", "meta")
    }
    assert columns == {
        "files": [
            *("id", "folder", "name", "device", "inode", "generation", "size", "mtime_ns", "ctime_ns", "offset"),
            *("gone_at", "committed_at", "head_length", "head_digest", "tail_digest", "format"),
        ],
        "attempts": ["batch", "ids", "alone", "at"],
        "counters": ["name", "value"],
        "tombstones": ["kind", "value", "at"],
        "meta": ["name", "value"],
    }


def test_files_without_a_format_are_looked_at_again(connection):
    """From version 2 on: what no format knew is unrecognised, due again, and noted by its path; the rest stays."""
    migrations.migrate(connection, (migrations.version_1, migrations.version_2))
    row = "INSERT INTO files VALUES (?, x'2f', ?, 1, ?, 0, 9, 0, 77, 0, NULL, 0, 0, x'', x'', ?)"
    connection.executemany(row, [(1, b"strange\xff", 1, ""), (2, b"known", 2, "codex")])
    migrations.migrate(connection)
    told = connection.execute("SELECT name, fate, ctime_ns FROM files ORDER BY id").fetchall()
    assert told == [(b"strange\xff", "unrecognised", 0), (b"known", "", 77)]
    assert connection.execute("SELECT path FROM again").fetchall() == [(b"/strange\xff",)]


def test_an_empty_path_is_none(connection):
    """From version 9 on: a file that another one took the path from has none; files by their name alone keep it."""
    migrations.migrate(connection, migrations.MIGRATIONS[:9])
    row = "INSERT INTO files VALUES (?, ?, ?, 1, ?, 0, 9, 0, 0, 9, NULL, 0, 0, x'', x'', 'jan', '', '')"
    connection.executemany(row, [(1, b"", b"", 1), (2, b"", b"named", 2)])
    migrations.migrate(connection)
    paths = connection.execute("SELECT folder, name FROM files ORDER BY id").fetchall()
    assert paths == [(None, None), (b"", b"named")]
