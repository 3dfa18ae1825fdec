"""A database without an index of its conversations is read as one with it: the same lines, in linear time, no trace."""

from __future__ import annotations

import pathlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from document_folder import CORPUS
from foreign_database import SCRIPT, build, everything_in

from importer import formats
from importer.sources.databases import queries
from importer.sources.databases.borrowed import COPIES, Lender
from importer.sources.databases.indexed import FEW, IndexedCopies

SAMPLES = [
    pytest.param(path, id=path.name.removesuffix(SCRIPT))
    for path in sorted(CORPUS.rglob(f"*{SCRIPT}"))
    if any(form.looked_up for form in getattr(formats.load(path.relative_to(CORPUS).parts[0]), "TABLES", ()))
]
SCHEMA = """
CREATE TABLE session(id TEXT, directory TEXT, title TEXT, time_updated INTEGER);
CREATE TABLE message(id TEXT, session_id TEXT, time_created INTEGER, time_updated INTEGER, data TEXT);
CREATE TABLE part(id TEXT, message_id TEXT, session_id TEXT, time_created INTEGER, time_updated INTEGER, data TEXT);
CREATE TABLE account(token TEXT);
INSERT INTO account VALUES ('a secret');
"""


class CountingLender(Lender):
    """A lender that counts the steps of the library's machine, in thousands, and the connections."""

    steps = opened = 0

    @contextmanager
    def open(self, path: bytes) -> Iterator[sqlite3.Connection]:
        with super().open(path) as connection:
            self.opened += 1
            connection.set_progress_handler(self._count, 1000)
            yield connection

    def _count(self) -> int:
        self.steps += 1
        return 0


def without_indexes(path: pathlib.Path) -> pathlib.Path:
    """Drop all indexes that can be dropped."""
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
    for (name,) in names:
        connection.execute(f'DROP INDEX "{name}"')
    connection.commit()
    connection.close()
    return path


def opencode(folder: pathlib.Path, sessions: int) -> pathlib.Path:
    """Make a database of so many sessions, each of four messages, without any index."""
    path = folder / "opencode.db"
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA)
    for session in range(sessions):
        connection.execute("INSERT INTO session VALUES (?, '/home/ann', 't', 1)", (f"s{session}",))
        for number in range(4):
            role, name = "assistant" if number % 2 else "user", f"m{session}-{number}"
            head = f'{{"role": "{role}", "time": {{"completed": 1}}}}'
            part = f'{{"type": "text", "text": "said {name}"}}'
            connection.execute("INSERT INTO message VALUES (?, ?, ?, 1, ?)", (name, f"s{session}", number, head))
            connection.execute("INSERT INTO part VALUES (?, ?, ?, 1, 1, ?)", (f"p{name}", name, f"s{session}", part))
    connection.commit()
    connection.close()
    return path


def told(copies: IndexedCopies, lender: Lender, path: pathlib.Path) -> list[list[object]]:
    """Return what is told of each conversation."""
    with lender.open(bytes(path)) as connection:
        listing = queries.conversations(connection)
    found, needs = [], listing.form.needs if listing.form else ()
    for member in listing.members.values():
        with copies.open(bytes(path), needs, listing.indexes) as connection:
            found.append(list(queries.units(connection, listing, member)))
    return found


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_copy_tells_the_same(sample: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Of every format whose rows are found by an index."""
    path = without_indexes(build(sample, tmp_path))
    lender = Lender(str(tmp_path))
    copies = IndexedCopies(lender, few=0)
    plain = told(IndexedCopies(lender, few=10**6), lender, path)
    assert told(copies, lender, path) == plain
    assert list(tmp_path.glob(f"{COPIES}*"))
    copies.release()
    assert sum(len(units) for units in plain) > 1 and not list(tmp_path.glob(f"{COPIES}*"))


def test_work_grows_with_the_sessions(tmp_path: pathlib.Path) -> None:
    """Four times the sessions take some four times the steps; each with a look at all rows would take sixteen times."""
    steps = []
    for sessions in (100, 400):
        (folder := tmp_path / str(sessions)).mkdir()
        lender = CountingLender(str(folder))
        copies = IndexedCopies(lender)
        found = told(copies, lender, opencode(folder, sessions))
        assert [len(units) for units in found] == [5] * sessions
        copies.release()
        steps.append(lender.steps)
    assert steps[1] < 7 * steps[0], steps


def test_only_what_is_needed_is_copied(tmp_path: pathlib.Path) -> None:
    """Other tables may hold secrets; the database itself, and what lies beside it, stays as it is."""
    (home := tmp_path / "home").mkdir()
    path = opencode(home, FEW + 2)
    before = everything_in(home)
    lender = Lender(str(tmp_path))
    copies = IndexedCopies(lender)
    told(copies, lender, path)
    (copy,) = tmp_path.glob(f"{COPIES}*/*")
    assert b"a secret" in path.read_bytes() and b"a secret" not in copy.read_bytes()
    assert everything_in(home) == before
    copies.release()


def test_few_conversations_and_databases_with_indexes_need_no_copy(tmp_path: pathlib.Path) -> None:
    """Nor is one made that would hold secrets."""
    lender = Lender(str(tmp_path))
    copies = IndexedCopies(lender)
    path = opencode(tmp_path, FEW)
    told(copies, lender, path)
    assert not list(tmp_path.glob(f"{COPIES}*"))
    path.unlink()
    path = opencode(tmp_path, 3 * FEW)
    told(IndexedCopies(guarded := Lender(str(tmp_path), uncopied=lambda _: True)), guarded, path)
    assert not list(tmp_path.glob(f"{COPIES}*"))
    connection = sqlite3.connect(path)
    for column in ("session (id)", "message (session_id)", "part (message_id)"):
        connection.execute(f"CREATE INDEX {column.partition(' ')[0]}_by ON {column}")
    connection.close()
    told(copies, lender, path)
    assert not list(tmp_path.glob(f"{COPIES}*"))


def test_what_is_written_later_is_seen(tmp_path: pathlib.Path) -> None:
    """A copy stands for the database as it was; after a change another one is made."""
    lender = Lender(str(tmp_path))
    copies = IndexedCopies(lender, few=0)
    path = opencode(tmp_path, 3)
    told(copies, lender, path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE part SET data = replace(data, 'said', 'wrote')")
    connection.commit()
    connection.close()
    texts = [str(unit) for units in told(copies, lender, path) for unit in units]
    assert sum("wrote" in text for text in texts) == 12 and not any("said" in text for text in texts)
    copies.release()
