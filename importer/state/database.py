"""One open SQLite database: its transactions, its queries, and SQLite's errors translated into ours.

The kind of an error decides what becomes of the state: damage is set aside at the next start, what waiting can help is
waited for, and everything else leaves the file alone. So only what is surely damage counts as such.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from typing import Any

from importer.errors import StateCorrupt, StateError, StateUnwritable
from importer.protocol.system.plain import plain

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_WAITABLE = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
)
EMPTY_TRIES = 5  # each waits a second for readers, as the connection is told to
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class Database:
    """Open connection in autocommit mode, with its transactions and the translation of its errors.

    `set_aside` is the name a damaged predecessor was given ("" for none), `created` whether this one began empty.
    A `reader` leaves no mark.
    """

    def __init__(
        self,
        path: str,
        connection: sqlite3.Connection,
        *,
        created: bool = False,
        set_aside: str = "",
        reader: bool = False,
    ) -> None:
        self.path, self.connection, self.created, self.set_aside = path, connection, created, set_aside
        self.is_reader, self._identity = reader, _identity(path)
        self._durable = True

    @contextlib.contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Run a transaction. `durable=False` survives a kill but perhaps no power cut, and syncs no disk.

        Raises StateUnwritable when nothing could be written, StateError when the file was removed or replaced.
        """
        # SQLite would go on writing to a file that has no name any more, and all of it would be lost
        if _identity(self.path) != self._identity:
            raise StateError(
                f"{self.path} was removed or replaced while in use", hint="start again: it is re-read or rebuilt"
            )
        with self.translating(writing=True):
            self._synchronise(durable)  # SQLite refuses to change it inside a transaction
            self.connection.execute("BEGIN IMMEDIATE")  # takes the lock now, and not in the middle of the work
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def rows(self, sql: str, parameters: tuple[Any, ...] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of one query."""
        with self.translating(writing=False):
            return self.connection.execute(sql, parameters).fetchall()

    def vacuum(self, pages: int = 1000) -> None:
        """Give up to `pages` free pages (of 4 KiB) back to the file system."""
        with self.translating(writing=True):
            self.connection.executescript(f"PRAGMA incremental_vacuum({pages:d})")  # `execute` stops after one page

    def rewrite(self) -> None:
        """Write the file anew without its free pages, and empty its log: what was deleted stands in neither then.

        Raises StateUnwritable while a reader keeps the log from being emptied: the same call again is right.
        """
        with self.translating(writing=True):
            self.connection.execute("VACUUM")
            for _ in range(EMPTY_TRIES):
                busy, *_ = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if not busy:
                    return
        raise StateUnwritable(f"the log of {self.path} is being read", hint="try again in a moment")

    def close(self) -> None:
        """Close the connection; the write-ahead log is folded in and removed."""
        with contextlib.suppress(sqlite3.Error):
            self.connection.close()

    @contextlib.contextmanager
    def translating(self, *, writing: bool) -> Iterator[None]:
        """Translate SQLite's errors into ours. Damage found here leaves a mark: the next start looks closely."""
        try:
            with translating(self.path, writing=writing):
                yield
        except StateCorrupt:
            if not self.is_reader:
                with contextlib.suppress(OSError):
                    os.close(plain(suspect_mark(self.path), os.O_CREAT | os.O_WRONLY, 0o600))
            raise

    def _synchronise(self, durable: bool) -> None:
        """Set how a commit is synced: FULL syncs the log with every one, NORMAL now and then.

        With NORMAL a power cut may undo the last commits, but never tears the file
        (https://sqlite.org/pragma.html#pragma_synchronous).
        """
        if durable != self._durable:
            self.connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable

    def _roll_back(self) -> None:
        """Roll back unless SQLite has done so by itself, as after a full disk; doing it again would be an error."""
        with contextlib.suppress(sqlite3.Error):
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")


def _identity(path: str) -> tuple[int, int]:
    """Return device and inode of the file that has this name now; (0, 0) for none."""
    try:
        stat = os.stat(path)
    except OSError:
        return (0, 0)
    return (stat.st_dev, stat.st_ino)


def suspect_mark(path: str) -> str:
    """Return the name of the file whose presence makes the next start check every page."""
    return f"{path}-suspect"


@contextlib.contextmanager
def translating(path: str, *, writing: bool) -> Iterator[None]:
    """Raise StateCorrupt, StateUnwritable or StateError for what SQLite and the system say of `path`."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise  # ours, not the disk's
    except sqlite3.DatabaseError as error:
        raise _translated(error, path, writing) from error
    except UnicodeDecodeError as error:  # sqlite3 stumbles over its own message when a garbled name stands in it
        raise _damaged(path, "its schema is garbled") from error
    except OSError as error:
        room = error.errno in _NO_ROOM
        kind = StateUnwritable if room else StateError
        raise kind(f"{path}: {error.strerror or error}", hint=_hint(room)) from error


def _translated(error: sqlite3.DatabaseError, path: str, writing: bool) -> StateError:
    """Return our error for one of SQLite's, by the last byte of its code (https://sqlite.org/rescode.html)."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF in _DAMAGED:
        return _damaged(path, str(error))
    if writing and code & 0xFF in _WAITABLE:
        return StateUnwritable(f"{path} cannot be written: {error}", hint=_hint(True))
    return StateError(f"{path} cannot be used: {error}", hint=_hint(False))


def _damaged(path: str, reason: str) -> StateCorrupt:
    """Return the error for damage that is found in use; the next start acts on it."""
    return StateCorrupt(f"{path} is damaged: {reason}", hint="it is set aside and rebuilt at the next start")


def _hint(room: bool) -> str:
    """Return what to do; `room` where the importer goes on by itself once there is room again."""
    if room:
        return "make room or make it writable; the import goes on by itself and nothing is lost"
    return "check its permissions and the disk; it is left as it is"
