"""Schema of the checkpoint database: version n is what the first n functions make of an empty file.

    files        one row per stream: where it stands, how far it is imported, what proves it is still the same
    contexts     of each file, the JSON its parser and chunk fold resume from, compressed (apart: scans read small rows)
    open_chunks  of each file, the chunks that stand open at its end; found by chunk as well
    quarantine   lines and chunks set aside, with their state
    attempts     batches that are with the worker now, written before they are sent
    taken        files of which a batch under way lets go of what stands open in the store, written before it is sent
    suspects     chunks that were with a worker when it died, and how often
    counters     running totals by name
    tombstones   what was forgotten on purpose and must not come back
    samples      memory measured over time, fine and coarse; a bounded ring each
    recycles     the newest endings of workers, with their reasons
    again        paths of files to be read once more, until they have been
    conversations  what is known of whole conversations, such as the title given last
    folders      the project of each folder that the disk told, such as a worktree's repository
    lines        the ends of the ids of each conversation's lines, where summaries name one by a line
    prompts      when what was typed, by hashes, in formats that repeat each other's prompts
    spoken       which conversations are in which file, and how much of each
    tips         the last lines of conversations, by which summaries in other files name them
    summaries    titles by the lines that they name
    meta         single facts by name, such as the store's fingerprint

A released version never changes; a change is a new function at the end of `MIGRATIONS`. Each runs in the transaction
that also sets `user_version`, so a killed migration has not happened. The SQL stays within SQLite 3.31.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

FIRST_LINES = "first_lines"  # the fact that files may be cut by the former rule: see `consistency.leads`
APPLICATION_ID = 0x494D5031  # "IMP1": tells our file from any other SQLite database

TABLES = {"files", "contexts", "open_chunks", "quarantine", "attempts", "suspects", "counters", "tombstones"}
TABLES |= {"samples", "recycles", "meta", "again", "conversations", "folders", "spoken", "tips"}
TABLES |= {"summaries", "prompts", "lines", "taken"}
_FILES = """
CREATE TABLE files (
  id INTEGER PRIMARY KEY,
  folder BLOB, name BLOB,  -- both NULL when another file has taken the path and this one was not seen since
  device INTEGER NOT NULL, inode INTEGER NOT NULL, generation INTEGER NOT NULL,
  size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, offset INTEGER NOT NULL,
  gone_at REAL, committed_at REAL NOT NULL,
  head_length INTEGER NOT NULL, head_digest BLOB NOT NULL, tail_digest BLOB NOT NULL, format TEXT NOT NULL
);
CREATE UNIQUE INDEX files_by_path ON files (folder, name);
CREATE UNIQUE INDEX files_by_identity ON files (device, inode);
CREATE INDEX files_gone ON files (gone_at) WHERE gone_at IS NOT NULL;
CREATE TABLE contexts (
  file INTEGER PRIMARY KEY REFERENCES files (id) ON DELETE CASCADE, body BLOB NOT NULL
);
CREATE TABLE open_chunks (
  file INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE, chunk TEXT NOT NULL, place INTEGER NOT NULL,
  PRIMARY KEY (file, chunk)
) WITHOUT ROWID;
CREATE INDEX open_chunks_by_chunk ON open_chunks (chunk)
"""

_LEDGER = """
CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE,
  path BLOB NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL, stage TEXT NOT NULL, reason TEXT NOT NULL,
  sample TEXT NOT NULL, chunk TEXT NOT NULL, at REAL NOT NULL, attempts INTEGER NOT NULL, status TEXT NOT NULL
);
CREATE INDEX quarantine_by_path ON quarantine (path);
CREATE TABLE attempts (batch INTEGER PRIMARY KEY, ids TEXT NOT NULL, alone INTEGER NOT NULL, at REAL NOT NULL);
CREATE TABLE suspects (
  id TEXT PRIMARY KEY, deaths INTEGER NOT NULL, alone INTEGER NOT NULL, at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE tombstones (
  kind TEXT NOT NULL, value BLOB NOT NULL, at REAL NOT NULL, PRIMARY KEY (kind, value)
) WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID
"""

_HISTORY = """
CREATE TABLE samples (
  step_s INTEGER NOT NULL, slot INTEGER NOT NULL, at REAL NOT NULL,
  worker_anon_bytes INTEGER NOT NULL, worker_swap_bytes INTEGER NOT NULL, worker_file_bytes INTEGER NOT NULL,
  daemon_rss_bytes INTEGER NOT NULL, available_bytes INTEGER NOT NULL, cgroup_bytes INTEGER NOT NULL,
  PRIMARY KEY (step_s, slot)
) WITHOUT ROWID;
CREATE TABLE recycles (
  id INTEGER PRIMARY KEY, at REAL NOT NULL, reason TEXT NOT NULL, pid INTEGER NOT NULL, files INTEGER NOT NULL,
  anon_bytes INTEGER NOT NULL, lived_s REAL NOT NULL
)
"""


def version_1(connection: sqlite3.Connection) -> None:
    """Create the first schema."""
    for script in (_FILES, _LEDGER, _HISTORY):
        for statement in script.split(";\n"):
            connection.execute(statement)  # `executescript` would commit the transaction first


def version_2(connection: sqlite3.Connection) -> None:
    """Add files to be read once more that no root may find again, as they were named on a command line once."""
    connection.execute("CREATE TABLE again (path BLOB PRIMARY KEY) WITHOUT ROWID")


def version_3(connection: sqlite3.Connection) -> None:
    """Add the fate of each file that nothing is imported of, and have all without a format looked at again."""
    connection.execute("ALTER TABLE files ADD COLUMN fate TEXT NOT NULL DEFAULT ''")
    connection.execute("ALTER TABLE files ADD COLUMN reason TEXT NOT NULL DEFAULT ''")
    connection.execute("UPDATE files SET fate = 'unrecognised', ctime_ns = 0 WHERE format = '' AND size > 0")
    connection.execute(
        "INSERT OR IGNORE INTO again SELECT CAST(folder || name AS BLOB) FROM files"
        " WHERE fate != '' AND folder IS NOT NULL AND gone_at IS NULL"
    )


def version_4(connection: sqlite3.Connection) -> None:
    """Add what is known of whole conversations."""
    connection.execute(
        "CREATE TABLE conversations (source TEXT NOT NULL, conversation TEXT NOT NULL, title TEXT NOT NULL,"
        " project TEXT NOT NULL, cwd TEXT NOT NULL, git_branch TEXT NOT NULL, PRIMARY KEY (source, conversation))"
        " WITHOUT ROWID"
    )


def version_5(connection: sqlite3.Connection) -> None:
    """Add the projects of folders that the disk told."""
    connection.execute("CREATE TABLE folders (folder TEXT PRIMARY KEY, project TEXT NOT NULL) WITHOUT ROWID")


def version_6(connection: sqlite3.Connection) -> None:
    """Add which conversations are in which file, how much of each, and when it was said."""
    connection.execute(
        "CREATE TABLE spoken (source TEXT NOT NULL, conversation TEXT NOT NULL, path BLOB NOT NULL,"
        " generation INTEGER NOT NULL, turns INTEGER NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL,"
        " project TEXT NOT NULL, title TEXT NOT NULL, opening TEXT NOT NULL,"
        " PRIMARY KEY (conversation, source, path)) WITHOUT ROWID"
    )
    connection.execute("CREATE INDEX spoken_by_path ON spoken (path)")
    connection.execute("CREATE INDEX spoken_by_last ON spoken (last)")
    connection.execute("INSERT INTO meta SELECT 'spoken_is_partial', 'yes' WHERE EXISTS (SELECT 1 FROM files)")


def version_7(connection: sqlite3.Connection) -> None:
    """Add the last lines of conversations, and the titles that summaries elsewhere give by such a line."""
    connection.execute("CREATE TABLE tips (source TEXT NOT NULL, conversation TEXT NOT NULL, leaf TEXT NOT NULL)")
    connection.execute("CREATE INDEX tips_by_leaf ON tips (source, leaf)")
    connection.execute("CREATE INDEX tips_by_conversation ON tips (source, conversation)")
    connection.execute(
        "CREATE TABLE summaries (source TEXT NOT NULL, leaf TEXT NOT NULL, title TEXT NOT NULL,"
        " PRIMARY KEY (source, leaf)) WITHOUT ROWID"
    )


def version_8(connection: sqlite3.Connection) -> None:
    """Add the prompts by which a format's repeats of another's are known, which transcripts imported before have not.

    And which lines a conversation has, for summaries that name it by one.
    """
    connection.execute(
        "CREATE TABLE prompts (source TEXT NOT NULL, conversation TEXT NOT NULL, at_ms INTEGER NOT NULL,"
        " mark BLOB NOT NULL, PRIMARY KEY (source, conversation, at_ms, mark)) WITHOUT ROWID"
    )
    connection.execute("CREATE INDEX prompts_by_mark ON prompts (source, mark, at_ms)")
    connection.execute(
        "CREATE TABLE lines (source TEXT NOT NULL, conversation TEXT NOT NULL, ids BLOB NOT NULL,"
        " UNIQUE (source, conversation))"
    )
    connection.execute(
        "INSERT INTO meta SELECT 'prompts_since', strftime('%s', 'now') WHERE EXISTS (SELECT 1 FROM files)"
    )


def version_9(connection: sqlite3.Connection) -> None:
    """Add the files that batches take from, and note that files were cut by the former rule of first lines."""
    connection.execute(
        "CREATE TABLE taken (path BLOB PRIMARY KEY, device INTEGER NOT NULL, inode INTEGER NOT NULL,"
        " opened TEXT NOT NULL, batch INTEGER NOT NULL) WITHOUT ROWID"
    )
    connection.execute(
        "INSERT INTO meta SELECT ?, 'yes' WHERE EXISTS (SELECT 1 FROM files WHERE format != '')", (FIRST_LINES,)
    )


def version_10(connection: sqlite3.Connection) -> None:
    """Give files without a path NULL for one: version 9 wrote an empty path of them, which was told as pending."""
    connection.execute("UPDATE files SET folder = NULL, name = NULL WHERE folder = X'' AND name = X''")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    *(version_1, version_2, version_3, version_4),
    *(version_5, version_6, version_7, version_8),
    *(version_9, version_10),
)


def version(connection: sqlite3.Connection) -> int:
    """Return what `user_version` says; 0 for a database that was never migrated."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(
    connection: sqlite3.Connection, migrations: tuple[Callable[[sqlite3.Connection], None], ...] = MIGRATIONS
) -> int:
    """Migrate the schema to the newest version, in one transaction; return the version it had before.

    The connection is in autocommit mode (`isolation_level=None`). Any error leaves the database as it was.
    """
    before = version(connection)
    if before >= len(migrations):
        return before
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in migrations[before:]:
            step(connection)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return before


def whole(connection: sqlite3.Connection) -> bool:
    """Return True if the tables of this version are all there: a damaged schema page can lose some quietly."""
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return there >= TABLES
