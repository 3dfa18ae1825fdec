"""Open the state's database: find or make it, check it, set a damaged one aside, refuse an untrusted one.

What opening finds, and what becomes of it:

    nothing                          a new database, made under another name and renamed into place
    zeroed, cut, malformed, empty    set aside as `….corrupt-<time>`, a new one made, `Database.set_aside` says where
    no permission, input/output      StateError: it may be whole, so it is left alone
    another program's, newer         StateError
    older                            migrated
    no room, read-only               StateUnwritable: waiting can help
"""

from __future__ import annotations

import contextlib
import glob
import os
import sqlite3
import time
from collections.abc import Callable
from urllib.parse import quote

from importer.errors import StateCorrupt, StateError
from importer.protocol.durable import sync
from importer.protocol.system.plain import plain, sure
from importer.state import schema
from importer.state.database import Database, suspect_mark, translating

FILE_NAME = "checkpoints.sqlite3"  # in the state directory
QUICK_CHECK_BYTES = 64 * 1024 * 1024  # up to here every page is checked at start (measured: 1 ms a MB); above, `files`
BESIDE = ("-wal", "-shm", "-journal")  # what SQLite keeps with a database
KEEP_ASIDE = 3  # damaged databases kept for a person to look at; a disk that damages daily must not fill up
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",  # where a disk has to be told to empty its own cache (macOS)
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # zeros over what is deleted
    "PRAGMA cache_size = -2048",  # KiB: the daemon stays small with any number of files
    "PRAGMA journal_size_limit = 4194304",
)


def open_for_writing(path: str, *, clock: Callable[[], float] = time.time) -> Database:
    """Open the database at `path` for its one writer, which holds the state's lock; errors as in the table."""
    with translating(path, writing=False):
        if not _leftovers(path):
            _create(path)
            aside = (_aside(path) or [""])[-1]  # a kill between setting aside and making anew must not hide it
            return Database(path, _connect(path), created=True, set_aside=aside)
        try:
            return Database(path, _connect(path))
        except StateCorrupt:
            aside = _put_aside(path, clock())
            _create(path)
            return Database(path, _connect(path), created=True, set_aside=aside)


def open_for_reading(path: str) -> Database | None:
    """Open it beside a writer, reading only; None when there is none. Makes, migrates and sets aside nothing."""
    with translating(path, writing=False):
        try:
            os.lstat(path)  # what keeps us from looking is an error, and not the absence of a state
        except FileNotFoundError:
            return None
        return Database(path, _connect_reading(path), reader=True)


def _leftovers(path: str) -> list[str]:
    """Return what is there of a database: a log without its file is damage too, and no first start."""
    return [name for name in (path, f"{path}-wal") if os.path.lexists(name)]


def _connect(path: str) -> sqlite3.Connection:
    """Open an existing database for writing, checked and migrated. Raises StateCorrupt when it is damaged."""
    connection = _open(path, "rw")
    try:
        with translating(path, writing=False):
            known = _refuse_foreign(connection, path)
            _refuse_damaged(connection, path, known)
        with translating(path, writing=True):
            schema.migrate(connection)
            for pragma in PRAGMAS:
                connection.execute(pragma).fetchall()
        _refuse_gaps(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect_reading(path: str) -> sqlite3.Connection:
    """Open an existing database beside its writer. Raises StateError."""
    connection = _open(path, "ro")
    try:
        try:
            known = _refuse_foreign(connection, path)
        except sqlite3.OperationalError:  # the folder is read-only and no process writes: no shared memory to be had
            connection.close()
            connection = _open(path, "ro&immutable=1")
            known = _refuse_foreign(connection, path)
        return connection if known >= len(schema.MIGRATIONS) else _migrated_copy(connection)
    except BaseException:
        connection.close()
        raise


def _migrated_copy(older: sqlite3.Connection) -> sqlite3.Connection:
    """Return a copy in memory, brought up to date; the file itself is left to its writer. Closes `older`."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    older.backup(copy)
    older.close()
    copy.text_factory = _text
    schema.migrate(copy)
    return copy


def _open(path: str, mode: str) -> sqlite3.Connection:
    """Open a connection that never creates the file. Raises StateCorrupt for an empty one, OSError for no access."""
    if not os.path.lexists(path) or not _first_byte(path):
        raise StateCorrupt(f"{path} is empty", hint="it is set aside and rebuilt at the next start")
    for ending in BESIDE:
        with contextlib.suppress(FileNotFoundError):
            sure(path + ending)  # SQLite waits for a pipe, or fails at each write as on a full disk
    uri = f"file:{quote(os.fsencode(os.path.abspath(path)))}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=1.0)
    connection.text_factory = _text  # a garbled letter is for the checks to find, not to stumble over
    return connection


def _text(raw: bytes) -> str:
    """Decode SQLite's text, which a damaged page can make anything but UTF-8."""
    return raw.decode(errors="replace")


def _first_byte(path: str) -> bytes:
    """Return the first byte, b"" for an empty file. Raises OSError for a dangling link, no permission, a bad disk."""
    with open(path, "rb", opener=plain) as file:
        return file.read(1)


def _refuse_foreign(connection: sqlite3.Connection, path: str) -> int:
    """Return the schema version. Raises StateError for a foreign database, or one newer than this program."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != schema.APPLICATION_ID:
        raise StateError(f"{path} belongs to another program", hint="move it away, or choose another --state-dir")
    known, newest = schema.version(connection), len(schema.MIGRATIONS)
    if known > newest:
        raise StateError(
            f"{path} is of version {known}; this importer knows up to {newest}",
            hint="update the importer; or choose another --state-dir, where every file is read again, and what was"
            " forgotten is not known to be",
        )
    return known


def _refuse_damaged(connection: sqlite3.Connection, path: str, known: int) -> None:
    """Check every page of a small database, one table of a large one, all of a suspect.

    Raises StateCorrupt. Version 0 is a header that lost its number: ours are born with one.
    """
    mark = suspect_mark(path)
    check = "integrity_check(1)" if os.path.exists(mark) else "quick_check(1)"
    if check == "quick_check(1)" and os.path.getsize(path) > QUICK_CHECK_BYTES:
        check = "quick_check(files)"
    if known == 0 or connection.execute(f"PRAGMA {check}").fetchone()[0] != "ok":
        raise StateCorrupt(f"{path} is damaged")
    _unlink(mark)


def _refuse_gaps(connection: sqlite3.Connection, path: str) -> None:
    """Raise StateCorrupt for a sound database that lacks tables; after migrating, which makes the newest ones."""
    if not schema.whole(connection):
        raise StateCorrupt(f"{path} has lost tables")


def _create(path: str) -> None:
    """Make a new database, complete before it has its name: an empty file at `path` is damage, never a start."""
    fresh = f"{path}.new"
    for stale in glob.glob(f"{glob.escape(fresh)}*"):
        os.unlink(stale)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with (
        contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as connection,
        translating(path, writing=True),
    ):
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before the first table; later it takes a whole VACUUM
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        schema.migrate(connection)
    os.replace(fresh, path)
    # the new name must outlive a power cut: without it, the next start would find nothing and begin from nothing
    sync(os.path.dirname(os.path.abspath(path)))


def _put_aside(path: str, now: float) -> str:
    """Rename a damaged database and its log, keep the newest `KEEP_ASIDE`, and return the new name."""
    aside = f"{path}.corrupt-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}"
    while os.path.lexists(aside) or os.path.lexists(f"{aside}-wal"):
        aside += "+"
    for name in _leftovers(path):
        os.rename(name, aside + name[len(path) :])
    _unlink(f"{path}-shm", suspect_mark(path))
    for name in _aside(path)[:-KEEP_ASIDE]:
        _unlink(name, f"{name}-wal")
    return aside


def drop_aside(path: str) -> list[str]:
    """Delete the databases that were set aside; return their names. They hold what was in the state then."""
    dropped = _aside(path)
    for name in dropped:
        _unlink(name, f"{name}-wal")
    return dropped


def _aside(path: str) -> list[str]:
    """Return the databases that were set aside before, oldest first."""
    return sorted(name for name in glob.glob(f"{glob.escape(path)}.corrupt-*") if not name.endswith("-wal"))


def _unlink(*names: str) -> None:
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
