"""Open another program's SQLite database and leave no trace of it: no byte, no stamp, no file beside it.

Which way is clean depends on what lies beside the database (tried with SQLite 3.40):

    no log with content         `immutable`: takes no lock; what was read counts if nothing has changed since
    a log                       a copy of both, of which only the log is copied again until the database changes
    a log of a large one        read-only, and so the log's index (-shm): rows of the log are seen, no writer waits
    a journal with content      a transaction is under way: wait; if it was left so, a copy, where it is undone

A plain read-only open is not clean: it makes an index beside a log, marks itself in one that is there, and leaves both;
and a program that ends while it is read leaves its log behind.
"""

from __future__ import annotations

import errno
import glob
import os
import shutil
import sqlite3
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import quote

from importer.protocol.system.plain import plain

MAGIC = b"SQLite format 3\0"
ENDINGS = (b".db", b".sqlite", b".sqlite3", b".vscdb")
BESIDE = (b"-wal", b"-journal", b"-shm")
SMALL_BYTES = 64 * 1024 * 1024  # copied in some 50 ms
COPIES = "borrowed-"  # what the folders of copies are called
COPY_BYTES = 2 * 1024**3  # of a database that must be copied to be read
LEFT_S = 60.0  # a journal that was not touched for so long is a crashed program's
BUSY_S = 0.25  # the longest wait for a lock, for which the loop stands still
TICK_NS = 20_000_000  # file times move in steps of a kernel tick; doubled

ABSENT = (0, 0, 0, 0)
Print = tuple[tuple[int, int, int, int], ...]
"""Device, inode, size and time of a database, of its log and of its journal: a change of any of them is a change."""


class Busy(OSError):
    """The database cannot be read now: its owner writes, or it changed meanwhile. Trying again later helps."""

    def __init__(self, reason: str) -> None:
        super().__init__(11, reason)


def is_called_database(path: bytes) -> bool:
    """Return True if a file is called like a database."""
    return path.lower().endswith(ENDINGS)


def is_database(path: bytes) -> bool:
    """Return True if a file is called like a database and begins like one. Raises OSError."""
    if not is_called_database(path):
        return False
    with open(path, "rb", opener=plain) as file:
        return file.read(len(MAGIC)) == MAGIC


def main_file(path: bytes) -> bytes:
    """Return the database whose log, index or journal this is; any other path as it is."""
    for ending in BESIDE:
        if path.endswith(ending) and is_called_database(path[: -len(ending)]):
            return path[: -len(ending)]
    return path


def fingerprint(path: bytes) -> Print:
    """Return what changes with every commit. Raises OSError if the database is gone, or is a pipe or a device."""
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no file", path)
    return (_stamps(found), *(_beside(path + ending) for ending in BESIDE[:2]))


def _beside(path: bytes) -> tuple[int, int, int, int]:
    """Return the stamps of a file beside a database; zeros if it is not there, or empty."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return ABSENT
    return _stamps(found) if found.st_size else (0, 0, 0, 0)


def _stamps(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@dataclass(slots=True)
class BorrowedCopy:
    """A database copied with what lies beside it, and the stamps of both as they were then."""

    folder: tempfile.TemporaryDirectory[str]
    main: tuple[int, int, int, int]
    beside: tuple[int, int, int, int] = ABSENT

    @property
    def path(self) -> bytes:
        """Where the copy is."""
        return os.path.join(os.fsencode(self.folder.name), b"x.db")


@dataclass(slots=True)
class Lender:
    """Opens databases, and keeps the last copy that had to be made. `folder` is where copies go, "" for the system's.

    Those that are `uncopied` hold secrets that no copy may hold. `now_s` is UTC seconds.
    """

    folder: str = ""
    uncopied: Callable[[bytes], bool] = lambda _: False
    now_s: Callable[[], float] = time.time
    _copy: BorrowedCopy | None = None

    @contextmanager
    def open(self, path: bytes) -> Iterator[sqlite3.Connection]:
        """Open a database for reading, for no longer than one step takes. Raises OSError, Busy if waiting helps.

        What the library says against it becomes Busy: a page that another program is about to write looks damaged.
        """
        before = fingerprint(path)
        if (
            0 <= self.now_s() * 1e9 - before[0][3] < TICK_NS
        ):  # a commit within the same tick would leave the same stamps
            time.sleep(TICK_NS / 1e9)
            before = fingerprint(path)
        uri, checked = self._way(path, before)
        try:
            connection = sqlite3.connect(uri, timeout=BUSY_S, isolation_level=None, uri=True)
        except sqlite3.Error as error:
            raise Busy(str(error)) from error
        try:
            connection.text_factory = _text
            for pragma in ("query_only = 1", "trusted_schema = 0", "mmap_size = 0", "cache_size = -2048"):
                connection.execute(f"PRAGMA {pragma}")
            yield connection
        except sqlite3.Error as error:
            raise Busy(str(error)) from error
        finally:
            connection.close()
        if checked and fingerprint(path) != before:
            raise Busy("it changed while it was read")

    def release(self) -> None:
        """Delete the copy."""
        if self._copy is not None:
            self._copy.folder.cleanup()
        self._copy = None

    def _way(self, path: bytes, found: Print) -> tuple[str, bool]:
        """Return the address to open, and whether what is read counts only if nothing has changed. Raises OSError."""
        main, log, journal = found
        if journal[2] and not _is_spent(path + b"-journal"):
            if self.now_s() - journal[3] / 1e9 < LEFT_S:
                raise Busy("its owner is writing")
            self.release()
            return _address(self._copied(path, found, b"-journal", journal), "mode=rw"), False
        if not log[2]:
            return _address(path, "mode=ro&immutable=1"), True
        shared = _address(path, "mode=ro&readonly_shm=1")
        large = main[2] > SMALL_BYTES or self.uncopied(path)
        if large and os.path.isfile(path + b"-shm") and _opens(shared):
            return shared, False
        return _address(self._copied(path, found, b"-wal", log), "mode=ro"), False

    def _copied(self, path: bytes, found: Print, ending: bytes, beside: tuple[int, int, int, int]) -> bytes:
        """Copy a database, and the log or journal that lies beside it, as far as they have changed. Raises OSError."""
        if self.uncopied(path):
            raise Busy("its owner ended without closing it, and it holds secrets, so it is not copied: start it once")
        if (size := found[0][2] + beside[2]) > COPY_BYTES:
            raise Busy(f"its owner ended without closing it, and {size} bytes are too many to copy: start it once")
        try:
            if self._copy is None or self._copy.main != found[0]:
                self.release()
                self._copy = BorrowedCopy(tempfile.TemporaryDirectory(prefix=COPIES, dir=self.folder or None), found[0])
                shutil.copyfile(path, self._copy.path)
            if self._copy.beside != beside:
                with suppress(FileNotFoundError):
                    os.unlink(self._copy.path + b"-shm")
                shutil.copyfile(path + ending, self._copy.path + ending)
                self._copy.beside = beside
            now = fingerprint(path)
            # a log may have grown: what is half there of a transaction is not seen
            if now[0] != found[0] or (ending == b"-journal" and now != found) or now[1][1] != found[1][1]:
                raise Busy("it changed while it was copied")
        except OSError:
            self.release()
            raise
        return self._copy.path


def remove_copies(folder: str) -> None:
    """Remove the copies that a killed process left in a folder; for the holder of its lock, before it makes any."""
    for left in glob.glob(os.path.join(glob.escape(folder), f"{COPIES}*")):
        shutil.rmtree(left, ignore_errors=True)


def _is_spent(journal: bytes) -> bool:
    """Return True if a journal's header is gone: `journal_mode = PERSIST` keeps the file and blanks its beginning."""
    with suppress(OSError), open(journal, "rb", opener=plain) as file:
        return not file.read(8).strip(b"\0")
    return False


def _address(path: bytes, how: str) -> str:
    """Return the URI of a database; any byte of its path is escaped."""
    return f"file:{quote(os.path.abspath(path))}?{how}"


def _opens(uri: str) -> bool:
    """Return True if a database can be read in this way: a file system may refuse it, or the index may be stale."""
    try:
        connection = sqlite3.connect(uri, timeout=BUSY_S, isolation_level=None, uri=True)
    except sqlite3.Error:
        return False
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        return "locked" in str(error) or "busy" in str(error)  # that passes
    except sqlite3.Error:
        return False
    finally:
        connection.close()
    return True


def _text(raw: bytes) -> str:
    """Return a text of a database, which need not be UTF-8."""
    return raw.decode("utf-8", "replace")
