"""Copy the tables of a database that has no index of its conversations, and give the copy one.

Without it each conversation costs a look at every row there is, so that 2,000 of them in 300 MB take 26 minutes; with
it 5 seconds. A few conversations are read without: after a change mostly one is. From then on the copy is read, which
stands for the database until that changes again. Tables that the format does not need are not copied.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from urllib.parse import quote

from importer.sources.databases.borrowed import COPIES, COPY_BYTES, Lender, Print, fingerprint

FEW = 3  # conversations of a database as it stands that are read without an index
_INDEXED = """
SELECT m.name, x.name FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_info(i.name) x
WHERE m.type = 'table' AND x.seqno = 0 AND NOT i.partial
UNION SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE c.pk = 1 AND m.type = 'table'
"""


def lacks_index(connection: sqlite3.Connection, wanted: Collection[str]) -> bool:
    """Return True if a database has not all of these indexes, each `table (column)`; of expressions none counts."""
    there = {f"{table} ({column})" for table, column in connection.execute(_INDEXED)} if wanted else set()
    return not there.issuperset(wanted)


class IndexedCopies:
    """Keeps the copy of the one database that is read now, and counts how often it was read as it stands.

    `few` is how often that is done without a copy.
    """

    def __init__(self, lender: Lender, few: int = FEW) -> None:
        self._lender, self._few = lender, few
        self._of: tuple[bytes, Print] | None = None
        self._reads = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @contextmanager
    def open(self, path: bytes, tables: Collection[str], wanted: Collection[str]) -> Iterator[sqlite3.Connection]:
        """Open a database for reading, or a copy of its tables with the indexes that it lacks, if any are `wanted`.

        Raises OSError, Busy if waiting helps.
        """
        if not wanted or self._lender.uncopied(path):
            with self._lender.open(path) as connection:
                yield connection
            return
        found = fingerprint(path)
        if self._of != (path, found):
            self.release()
            self._of = (path, found)
        self._reads += 1
        if self._folder is None and self._reads > self._few and found[0][2] + found[1][2] <= COPY_BYTES:
            self._copy(path, tables, wanted)
        with self._lender.open(self._place if self._folder else path) as connection:
            yield connection

    def release(self) -> None:
        """Delete the copy."""
        if self._folder is not None:
            self._folder.cleanup()
        self._of, self._reads, self._folder = None, 0, None

    @property
    def _place(self) -> bytes:
        """Where the copy is."""
        return os.path.join(os.fsencode(self._folder.name), b"x.db") if self._folder else b""

    def _copy(self, path: bytes, tables: Collection[str], wanted: Collection[str]) -> None:
        """Copy the tables, rows in their order, and index the copies; the names are a format's. Raises OSError."""
        self._folder = tempfile.TemporaryDirectory(prefix=COPIES, dir=self._lender.folder or None)
        try:
            with self._lender.open(path) as connection:  # of its own file it is a reader still
                connection.execute("PRAGMA query_only = 0")
                connection.execute("ATTACH ? AS copy", (f"file:{quote(self._place)}?mode=rwc",))
                for pragma in ("journal_mode = OFF", "synchronous = OFF"):
                    connection.execute(f"PRAGMA copy.{pragma}")
                connection.execute("BEGIN")
                for table in tables:
                    connection.execute(f"CREATE TABLE copy.{table} AS SELECT * FROM main.{table}")  # noqa: S608
                for number, one in enumerate(wanted):
                    connection.execute(f"CREATE INDEX copy.conversations_{number} ON {one}")
                connection.execute("COMMIT")
        except OSError:
            self.release()
            raise
