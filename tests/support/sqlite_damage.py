"""Ways to damage an SQLite file at `path`, as disks, file systems and people do."""

from __future__ import annotations

import os
import sqlite3


def overwrite(path, offset, content):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(content)


def zeroed(path):
    overwrite(path, 0, bytes(os.path.getsize(path)))


def emptied(path):
    os.truncate(path, 0)


def cut_in_half(path):
    """Cut at the end of a page, so that all that is left looks well."""
    os.truncate(path, os.path.getsize(path) // 2 // 4096 * 4096)


def cut_in_a_page(path):
    os.truncate(path, os.path.getsize(path) - 1000)


def header_lost(path):
    overwrite(path, 0, os.urandom(100))


def page_garbled(path):
    """Overwrite a page in the middle: the header and the schema are fine."""
    overwrite(path, 4096 * 5, os.urandom(4096))


def not_a_database(path):
    overwrite(path, 0, b"hello, I am a text file\n" * 400)


def removed_but_for_its_log(path):
    """Leave only the log of changes, without the database they belong to."""
    os.rename(path, f"{path}-wal")


def tables_lost(path):
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE counters")
    connection.close()


def version_lost(path):
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 0")
    connection.close()


DAMAGES = [
    *(zeroed, emptied, cut_in_half, cut_in_a_page, header_lost, page_garbled, not_a_database),
    *(removed_but_for_its_log, tables_lost, version_lost),
]
