"""Open SQLite databases and journals of other programs: each conversation in them is a file in its own right, of lines.

    /home/ann/.local/share/opencode/opencode.db/ses_01      a path that only this module can open

What a format tells of a conversation's rows (`formats.Tables`) is written into a file without a name, a bounded step
at a time, and read from there as any other. A line ends with a digest of all lines up to it, so that what vouches for
the end of a file vouches for all of it: where rows were added they are read on from there, and where one was changed,
or is gone, the conversation is read anew.

The size of such a file is not known before it is read; its time is that of the last change, with a digest of what the
format's query says of the conversation in place of the fractions of a millisecond.
"""

from __future__ import annotations

import os
import stat as modes
import tempfile
import time
from collections import OrderedDict
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import IO, Any

from importer import formats
from importer.protocol.records import FileStat
from importer.sources.databases import borrowed, journals
from importer.sources.databases.borrowed import Lender
from importer.sources.databases.indexed import IndexedCopies
from importer.sources.databases.queries import DatabaseListing, Member, conversations, line, units

SIZE_UNKNOWN = -1
STEP_BYTES = 4 * 1024 * 1024  # told in one call
STEP_S = 0.05
SLOW_S = 0.2  # a listing that takes longer is not made at every change,
LISTING_SHARE = 0.05  # but takes no more of the time than this
KEPT_LISTINGS = 64
HELD_MS = 90_000  # after so long without a change what is held will not be finished
MS_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class _Listed:
    """A listing, the database it was made of, and what that took."""

    found: borrowed.Print
    listing: DatabaseListing
    at_s: float
    took_s: float


@dataclass(slots=True)
class _Telling:
    """A conversation on its way into a file without a name; `lines` is None once all of it is there."""

    key: tuple[object, ...]
    lines: Generator[bytes | None] | None
    target: IO[bytes]
    held: bool = False

    def close(self) -> None:
        """Let go of the file and of the database."""
        if self.lines is not None:
            self.lines.close()
        self.target.close()


class Databases:
    """What is remembered of databases: their conversations, and the one that is being read."""

    def __init__(self) -> None:
        self.lender = Lender(uncopied=_is_uncopied)
        self._indexed = IndexedCopies(self.lender)
        self._listings: OrderedDict[bytes, _Listed] = OrderedDict()
        self._telling: _Telling | None = None

    def listing(self, path: bytes) -> DatabaseListing:
        """Return the conversations of the database at a path. Raises OSError, Busy if waiting helps.

        A large one that changes all the time is not listed at every change.
        """
        if journals.is_called_journal(path):
            return journals.listing_of(path)
        found, known = borrowed.fingerprint(path), self._listings.get(path)
        if known and (known.found == found or _is_too_soon(known, time.monotonic())):
            return known.listing
        with self.lender.open(path) as connection:
            began_s = time.monotonic()
            listing = conversations(connection)
            now_s = time.monotonic()
        self._listings[path] = _Listed(found, listing, now_s, now_s - began_s)
        self._listings.move_to_end(path)
        while len(self._listings) > KEPT_LISTINGS:
            self._listings.popitem(last=False)
        return listing

    def is_stale(self, path: bytes) -> bool:
        """Return True if a database has changed since it was listed. Never raises."""
        try:
            known = self._listings.get(path)
            return known is not None and known.found != borrowed.fingerprint(path)
        except OSError:
            return False

    def tell(self, path: bytes, name: bytes) -> tuple[int, FileStat] | str:
        """Tell one step of a conversation; return a descriptor with its stat once all is there, "" before.

        Raises OSError.
        """
        listing, found = self.listing(path), os.stat(path)
        member = listing.members.get(name)
        if member is None:
            raise FileNotFoundError(2, "no such conversation in the database")
        key = (found.st_dev, found.st_ino, name, member.version)
        if self._telling is None or self._telling.key != key:
            self.close_member()
            lines = _lines(self._indexed, path, listing, member)
            target = tempfile.TemporaryFile(dir=self.lender.folder or None)  # noqa: SIM115  # open until another is told
            self._telling = _Telling(key, lines, target)
        try:
            self._step(self._telling)
        except OSError:
            self.close_member()
            raise
        if self._telling.lines is not None:
            return ""
        stat = _stat(path, found, name, member)
        size = os.fstat(self._telling.target.fileno()).st_size
        # without a time of contents: the digests tell a change; without one at all what is held is looked at again
        stat = replace(stat, size=size, mtime_ns=0, ctime_ns=0 if self._telling.held else stat.ctime_ns)
        return os.dup(self._telling.target.fileno()), stat

    def _step(self, telling: _Telling) -> None:
        """Write lines for a bounded time. Raises OSError."""
        until_s, written = time.monotonic() + STEP_S, 0
        while telling.lines is not None and written < STEP_BYTES and time.monotonic() < until_s:
            line = next(telling.lines, b"")
            if line:
                written += telling.target.write(line)
            else:
                telling.held, telling.lines = line is None, None
        telling.target.flush()

    def close_member(self) -> None:
        """Let go of the conversation that was read last."""
        if self._telling is not None:
            self._telling.close()
        self._telling = None

    def release(self) -> None:
        """Let go of what takes room on the disk."""
        self.close_member()
        self._indexed.release()
        self.lender.release()


def _is_uncopied(path: bytes) -> bool:
    """Return True for a database that a format says holds secrets beside conversations."""
    return os.path.basename(path) in _uncopied(formats.names())


@lru_cache(maxsize=1)
def _uncopied(names: tuple[str, ...]) -> frozenset[bytes]:
    return frozenset(one for name in names for one in getattr(formats.load(name), "UNCOPIED", ()))


KNOWN = Databases()  # one for the process: a path alone must be enough to open what it names


def _is_too_soon(known: _Listed, now_s: float) -> bool:
    """Return True if listing a database again would take too much of the time."""
    return known.took_s > SLOW_S and now_s - known.at_s < known.took_s / LISTING_SHARE


def is_called_so(path: bytes) -> bool:
    """Return True if a file is called like a database or a journal."""
    return borrowed.is_called_database(path) or journals.is_called_journal(path)


def split(path: bytes) -> tuple[bytes, bytes] | None:
    """Return the database that a path leads into, and the name within it; None for any other path."""
    folder, _, name = path.rpartition(b"/")
    if not (name and is_called_so(folder)):
        return None
    try:
        return (folder, name) if modes.S_ISREG(os.stat(folder).st_mode) else None
    except (OSError, ValueError):
        return None


def stats(path: bytes, found: os.stat_result) -> list[FileStat] | None:
    """Return the conversations of a database or a journal; None for any other file, or where no format knows it.

    Raises OSError where that cannot be told now.
    """
    if not (found.st_size and (borrowed.is_database(path) or journals.is_journal(path))):
        return None
    listing = KNOWN.listing(path)
    return [_stat(path, found, *one) for one in listing.members.items()] if listing.format else None


def member_stat(path: bytes) -> FileStat | None:
    """Return the stat of a conversation by its path, None without one. Raises OSError."""
    parts = split(path)
    member = KNOWN.listing(parts[0]).members.get(parts[1]) if parts else None
    return _stat(parts[0], os.stat(parts[0]), parts[1], member) if parts and member else None


def _stat(path: bytes, found: os.stat_result, name: bytes, member: Member) -> FileStat:
    """Return the stat of a conversation, of unknown size."""
    digest = sha256(b"%d/%s" % (found.st_ino, name)).digest()
    inode = int.from_bytes(digest[:8], "big") >> 1
    mtime_ns = member.changed_ms * MS_NS
    return FileStat(path + b"/" + name, found.st_dev, inode, SIZE_UNKNOWN, mtime_ns, mtime_ns + member.version % MS_NS)


def _lines(lender: IndexedCopies, path: bytes, listing: DatabaseListing, member: Member) -> Generator[bytes | None]:
    """Yield the lines of a conversation; None at the end if what follows is held. Raises OSError."""
    chain, held, held_until_ms = sha256(), False, member.changed_ms + HELD_MS
    yield line({"database": listing.format, "conversation": str(member.name)}, chain)
    with closing(_told(lender, path, listing, member)) as told:
        for unit in told:
            held = isinstance(unit, dict) and bool(unit.pop("held", None)) and time.time() * 1000 < held_until_ms
            if held:
                break
            if raw := line(unit, chain):
                yield raw
    if held:  # said only once the database is closed, and was the same all the while
        yield None


def _told(lender: IndexedCopies, path: bytes, listing: DatabaseListing, member: Member) -> Generator[Any]:
    """Yield what a conversation says; the database is open for as long as this goes on. Raises OSError."""
    if journals.is_called_journal(path):
        yield from journals.units_of(path)
        return
    with lender.open(path, listing.form.needs if listing.form else (), listing.indexes) as connection:
        yield from units(connection, listing, member)
