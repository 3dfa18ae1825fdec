"""Checkpoints: how far every file is imported, written in one transaction when a batch is stored.

This is where "commit after store" is kept: `commit` is called with what a receipt has paid for, and with nothing else.
A checkpoint that is lost here is read again from its file, which costs time and stores nothing twice.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from importer.protocol import failpoints
from importer.protocol.records import Checkpoint, Commit, ConversationFacts, Reject, Tally
from importer.state import checkpoint_rows, conversations, ledger, open_database, quarantine, spoken
from importer.state.checkpoint_rows import READ, UINT64, signed, split
from importer.state.database import Database
from importer.state.folders import FolderProjects
from importer.state.history import History
from importer.state.ledger import Ledger
from importer.state.quarantine import Quarantine
from importer.state.spoken import SpokenTable

# ctime_ns 0: not read to its end, or too soon to be sure; folder NULL: another file has the path now
_SUMMARY = """
SELECT count(*),
  coalesce(sum(fate = 'empty' OR (fate = '' AND size = 0 AND ctime_ns != 0)), 0),
  coalesce(sum(fate = 'unrecognised'), 0), coalesce(sum(fate = 'refused'), 0),
  coalesce(sum(fate = '' AND ctime_ns = 0), 0),
  coalesce(sum(CASE WHEN fate = '' AND ctime_ns = 0 THEN max(size - offset, 0) END), 0),
  coalesce(min(CASE WHEN fate = '' AND ctime_ns = 0 THEN committed_at END), 0.0)
FROM files WHERE gone_at IS NULL AND folder IS NOT NULL
"""
_NOTE_UNRECOGNISED = """
INSERT OR IGNORE INTO again SELECT CAST(folder || name AS BLOB) FROM files
WHERE fate = 'unrecognised' AND folder IS NOT NULL AND gone_at IS NULL
"""
LOOKED_BY = "looked_by"  # the fact that names the version and formats by which files were recognised last

PAGE_ROWS = 500  # of a walk over all checkpoints


class KnownFile(NamedTuple):
    """Row of a file that a rescan compares with `stat`. `gone`: the last error-free scan did not see it."""

    size: int
    mtime_ns: int
    ctime_ns: int
    device: int
    inode: int
    offset: int
    gone: bool
    fate: str = ""


@dataclass(frozen=True, slots=True)
class FilesSummary:
    """Counts of the files that are there: known = complete + pending + unrecognised + refused.

    `complete` were read to their end (what is left lacks its newline), the `empty` ones among them; `pending` were not.
    `oldest_at` is the oldest last commit of the pending ones (UTC s) or 0.
    """

    known: int
    complete: int
    pending: int
    quarantined: int
    lag_bytes: int
    oldest_at: float
    empty: int = 0
    unrecognised: int = 0
    refused: int = 0


class Checkpoints(Ledger):
    """State of one importer: files and the ledger here, the rest in `quarantine`, `history` and `spoken`.

    `set_aside` names a damaged database that was moved away, "" for none; `created` says that this one began empty.
    One of these writes at a time (`open`, under the state's lock); any number may read beside it (`peek`).
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        super().__init__(database, clock)
        self.set_aside, self.created = database.set_aside, database.created
        self.quarantine = Quarantine(database)
        self.history = History(database)
        self.folder_projects = FolderProjects(database)
        self.spoken = SpokenTable(database)

    @classmethod
    def open(cls, path: str, *, clock: Callable[[], float] = time.time) -> Self:
        """Open the state for its one writer, the lock's holder. Raises StateError, StateUnwritable if waiting helps."""
        return cls(open_database.open_for_writing(path, clock=clock), clock)

    @classmethod
    def peek(cls, path: str) -> Self | None:
        """Open the state for reading beside a writer; None when nothing was ever imported. Raises StateError."""
        database = open_database.open_for_reading(path)
        return None if database is None else cls(database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.database.close()

    def commit(
        self,
        commits: Sequence[Commit],
        *,
        batch_number: int | None = None,
        counters: Mapping[str, int] | None = None,
        rejects: Sequence[Reject] = (),
    ) -> None:
        """Write all a stored batch pays for in one durable transaction: checkpoints, tallies, rejects, totals.

        `rejects` are chunks set aside. Raises StateUnwritable when nothing could be written: call it again then.
        """
        now = self._clock()
        with self.database.transaction() as connection:
            for commit in commits:
                quarantine.put(connection, commit.rejects, now)
            quarantine.put(connection, rejects, now)
            ledger.clear(connection, (r.chunk_id for commit in commits for r in commit.rejects if r.chunk_id))
            ledger.add_named(connection, (counter for commit in commits for counter in commit.counters))
            for commit in commits:
                conversations.put(connection, commit)
                former = checkpoint_rows.former_path(connection, commit.checkpoint)
                checkpoint_rows.write(connection, commit.checkpoint, now)
                if former and former != commit.checkpoint.path:
                    quarantine.move(connection, former, commit.checkpoint.path)
                    spoken.move(connection, former, commit.checkpoint.path)
                spoken.put(connection, commit)  # behind `move`, which writes over
                if commit.checkpoint.offset >= commit.checkpoint.size or commit.checkpoint.fate:
                    connection.execute("DELETE FROM again WHERE path = ?", (commit.checkpoint.path,))
                # after `put`: what has just failed again is open again, and not taken for done
                quarantine.settle(connection, commit.checkpoint)
            failpoints.hit("commit")
            ledger.add_tally(connection, sum((commit.tally for commit in commits), Tally()))
            ledger.add(connection, counters or {})
            if batch_number is not None:
                ledger.settle(connection, batch_number)
        failpoints.hit("committed")

    def conversation(self, source: str, conversation: str) -> ConversationFacts:
        """Return what is known of a whole conversation; empty facts where nothing is."""
        return conversations.read(self.database.rows(conversations.READ, (source, conversation)))

    def conversation_at(self, source: str, leaf: str) -> str:
        """Return the conversation whose last line was this one at some time, else that has such a line; "" for none."""
        at_tip = "".join(row[0] for row in self.database.rows(conversations.AT_TIP, (source, leaf)))
        return at_tip or self.spoken.with_line(source, leaf)

    def summaries(self, source: str) -> dict[str, str]:
        """Return the titles that summaries gave to the conversations of lines, by the lines' ids."""
        return dict(self.database.rows(conversations.SUMMARIES, (source,)))

    def summary_of(self, source: str, leaf: str) -> str:
        """Return the title that a summary gave to the conversation of this line; "" for none."""
        return "".join(row[0] for row in self.database.rows(conversations.SUMMARY, (source, leaf)))

    def by_path(self, path: bytes) -> Checkpoint | None:
        """Return the checkpoint of the file at `path`."""
        return self._one("folder = ? AND name = ?", *split(path))

    def by_identity(self, device: int, inode: int) -> Checkpoint | None:
        """Return the checkpoint of this very file under any path; b"" is the path when another took it."""
        return self._one("device = ? AND inode = ?", signed(device), signed(inode))

    def folder(self, folder: bytes) -> dict[bytes, KnownFile]:
        """Return the known files directly in a folder, by name: one query, small rows."""
        sql = "SELECT name, size, mtime_ns, ctime_ns, device, inode, offset, gone_at, fate"
        rows = self.database.rows(f"{sql} FROM files WHERE folder = ?", (_slashed(folder),))
        return {
            name: KnownFile(size, mtime, ctime, device & UINT64, inode & UINT64, offset, gone is not None, fate)
            for name, size, mtime, ctime, device, inode, offset, gone, fate in rows
        }

    def folders(self, below: bytes) -> list[bytes]:
        """Return every folder with known files, `below` itself included; without the final slash."""
        first = _slashed(below)
        sql = "SELECT DISTINCT folder FROM files WHERE folder >= ? AND folder < ?"
        # "0" is the byte after "/": the range holds what begins with the folder and its slash, and uses the index
        return [row[0][:-1] or b"/" for row in self.database.rows(sql, (first, first[:-1] + b"0"))]

    def mark_gone(self, folder: bytes, names: Iterable[bytes], *, gone: bool = True) -> None:
        """Mark files as gone after an error-free scan, or with `gone=False` as there again."""
        sql = "UPDATE files SET gone_at = ? WHERE folder = ? AND name = ? AND (gone_at IS NULL) = ?"
        at, place = self._clock() if gone else None, _slashed(folder)
        with self.database.transaction(durable=False) as connection:  # a mark that is lost is made by the next scan
            connection.executemany(sql, [(at, place, name, gone) for name in names])

    def forget_files(self, gone_before: float) -> int:
        """Delete the rows of files gone before that time (UTC s) and return how many; their points stay."""
        with self.database.transaction() as connection:
            return connection.execute("DELETE FROM files WHERE gone_at < ?", (gone_before,)).rowcount

    def forget_all_files(self) -> int:
        """Delete every checkpoint, so that all files are read again, and return how many there were.

        Lines and bytes count from zero again. Files that are there are noted in `again`, since no root may find them.
        """
        with self.database.transaction() as connection:
            connection.executemany("DELETE FROM counters WHERE name = ?", [(name,) for name in ledger.TALLY])
            there = connection.execute("SELECT folder, name FROM files WHERE folder IS NOT NULL AND gone_at IS NULL")
            paths = [(folder + name,) for folder, name in there]
            connection.executemany("INSERT OR IGNORE INTO again VALUES (?)", paths)
            spoken.clear(connection)
            return connection.execute("DELETE FROM files").rowcount

    def reread(self, paths: Collection[bytes]) -> None:
        """Make these files be read from their start again, as new generations. Stored chunks cost nothing.

        To be called when nothing is in flight: a commit on its way would put the checkpoint back.
        """
        with self.database.transaction() as connection:
            for path in paths:
                quarantine.reread(connection, path)

    def again(self, found: Callable[[bytes], bool]) -> list[bytes]:
        """Return the files to be read once more, but for those that are gone or `found` below the roots anyway."""
        paths = [row[0] for row in self.database.rows("SELECT path FROM again")]
        over = [(path,) for path in paths if found(path) or not _stands(path)]
        if over:
            with self.database.transaction(durable=False) as connection:
                connection.executemany("DELETE FROM again WHERE path = ?", over)
        return [path for path in paths if (path,) not in set(over)]

    def all_files(self) -> Iterator[tuple[int, Checkpoint]]:
        """Yield every checkpoint with the number of its row, a page of rows at a time; without its open chunks.

        The path is b"" of a file that lost its path to another one.
        """
        after = 0
        while rows := self.database.rows(f"{READ} id > ? ORDER BY id LIMIT {PAGE_ROWS}", (after,)):
            after = rows[-1][0]
            yield from ((row[0], checkpoint_rows.read(row, ())) for row in rows)

    def by_number(self, number: int) -> Checkpoint | None:
        """Return the checkpoint in row `number`, None without one."""
        return self._one("id = ?", number)

    def newest_commit_at(self) -> float:
        """Return when a file was committed last, in UTC seconds; 0.0 without any file."""
        return self.database.rows("SELECT max(committed_at) FROM files")[0][0] or 0.0

    def shrink(self) -> None:
        """Give free pages of the database back to the file system, a bounded number of them."""
        self.database.vacuum()

    def files_summary(self) -> FilesSummary:
        """Return what is known of all files; reads every small row once."""
        known, empty, unrecognised, refused, pending, lag, oldest = self.database.rows(_SUMMARY)[0]
        quarantined = self.database.rows("SELECT count(DISTINCT path) FROM quarantine")[0][0]
        complete = known - pending - unrecognised - refused
        return FilesSummary(known, complete, pending, quarantined, lag, oldest, empty, unrecognised, refused)

    def passed_over(self, most: int) -> list[tuple[bytes, str, str]]:
        """Return the path, fate and reason of the newest files that are unrecognised or refused."""
        sql = "SELECT folder, name, fate, reason FROM files WHERE fate IN ('unrecognised', 'refused')"
        newest = f"{sql} AND folder IS NOT NULL AND gone_at IS NULL ORDER BY mtime_ns DESC LIMIT ?"
        return [(folder + name, fate, reason) for folder, name, fate, reason in self.database.rows(newest, (most,))]

    def look_again(self, looked_by: str) -> int:
        """Have every unrecognised file looked at again, unless the same version and formats have done so.

        Returns how many there are. Those that no root finds are noted in `again`.
        """
        if self.meta(LOOKED_BY) == looked_by:
            return 0
        with self.database.transaction() as connection:
            connection.execute(_NOTE_UNRECOGNISED)
            files = connection.execute("UPDATE files SET ctime_ns = 0 WHERE fate = 'unrecognised'").rowcount
        self.remember(**{LOOKED_BY: looked_by})
        return files

    def _one(self, where: str, *parameters: object) -> Checkpoint | None:
        """Return the checkpoint of the row that fits, its open chunks in the order written; None without one."""
        found = self.database.rows(READ + where, parameters)
        if not found:
            return None
        sql = "SELECT chunk FROM open_chunks WHERE file = ? ORDER BY place"
        return checkpoint_rows.read(found[0], tuple(chunk for (chunk,) in self.database.rows(sql, (found[0][0],))))


def _stands(path: bytes) -> bool:
    """Return True if there is a file at the path, or an archive or a database that it may lead into."""
    outer = (os.path.dirname(path), path[: path.lower().rfind(b".zip/") + 4])
    return os.path.lexists(path) or any(map(os.path.isfile, outer))


def _slashed(folder: bytes) -> bytes:
    """Return a folder as the rows have it: with its slash, and b"" for a file given by its name alone."""
    return folder if not folder or folder.endswith(b"/") else folder + b"/"
