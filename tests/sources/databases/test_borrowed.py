"""A database of another program is read without a trace, in any state that its owner has left it in."""

from __future__ import annotations

import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator

import pytest
from foreign_database import Owner, everything_in

from importer.sources.databases import borrowed
from importer.sources.databases.borrowed import Busy, Lender

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder / "talk's #1?.db"


@pytest.fixture
def lender(tmp_path: pathlib.Path) -> Lender:
    (tmp_path / "state").mkdir()
    return Lender(str(tmp_path / "state"))


def owner_of(path: pathlib.Path, journal: str = "wal") -> Owner:
    """Return an owner that has written two rows."""
    owner = Owner(path)
    owner.run(f"PRAGMA journal_mode = {journal}", "CREATE TABLE said (text)", "INSERT INTO said VALUES ('a'), ('b')")
    return owner


@pytest.fixture(autouse=True)
def released(lender: Lender) -> Iterator[None]:
    yield
    lender.release()


def said(lender: Lender, path: pathlib.Path) -> list[str]:
    with lender.open(bytes(path)) as connection:
        return [text for (text,) in connection.execute("SELECT text FROM said ORDER BY text")]


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("journal", ["wal", "delete", "truncate", "persist"])
@pytest.mark.parametrize("state", ["open", "open and read", "closed", "crashed", "crashed without index"])
def test_nothing_of_the_owner_s_changes(
    home: pathlib.Path, lender: Lender, monkeypatch: pytest.MonkeyPatch, journal: str, state: str, small: bool
) -> None:
    """All rows are seen; every byte, stamp and name in the folder stays.

    But for the time of the inode of a large database's log: run by root, the library gives the log to its own owner.
    """
    monkeypatch.setattr(borrowed, "SMALL_BYTES", borrowed.SMALL_BYTES if small else 0)
    with owner_of(home, journal) as owner:
        if state == "open and read":
            owner.run("SELECT * FROM said")
        elif state == "closed":
            owner.close()
        elif state.startswith("crashed"):
            owner.crash()
        if state == "crashed without index":
            pathlib.Path(f"{home}-shm").unlink(missing_ok=True)
        before = everything_in(home.parent, changed=small)
        assert said(lender, home) == said(lender, home) == ["a", "b"]
        assert everything_in(home.parent, changed=small) == before
    lender.release()
    assert not os.listdir(lender.folder)


def test_what_another_process_commits_is_seen_at_once(home: pathlib.Path, lender: Lender) -> None:
    """Each commit into the log, while the main file stays as it is; and the owner is never in the way of a reader."""
    with owner_of(home) as owner:
        for number in range(20):
            before = borrowed.fingerprint(bytes(home))
            owner.run(f"INSERT INTO said VALUES ('c{number:02}')")
            assert borrowed.fingerprint(bytes(home)) != before
            assert said(lender, home)[-1] == f"c{number:02}"
        owner.run("BEGIN IMMEDIATE", "INSERT INTO said VALUES ('z')")
        assert said(lender, home)[-1] == "c19", "what is not committed was not said"
        owner.run("COMMIT")
        assert said(lender, home)[-1] == "z"


def test_no_writer_waits_for_a_reader(home: pathlib.Path, lender: Lender) -> None:
    """While we read, the owner writes, and shortens its log as soon as we are gone."""
    with owner_of(home) as owner:
        with lender.open(bytes(home)) as connection:
            cursor = connection.execute("SELECT text FROM said")
            cursor.fetchone()
            owner.run("PRAGMA busy_timeout = 0", "INSERT INTO said VALUES ('c')")
            cursor.close()
        (busy, _, _), *_ = owner.run("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[misc, attr-defined]
        assert busy == 0
        assert said(lender, home) == ["a", "b", "c"]


def test_a_transaction_under_way_is_waited_for(home: pathlib.Path, lender: Lender) -> None:
    """A rollback journal with content means that pages are being changed; a crashed one is undone in a copy."""
    owner = owner_of(home, "delete")
    owner.run("PRAGMA cache_size = 1", "BEGIN", "UPDATE said SET text = 'never'")
    owner.run(*["INSERT INTO said SELECT hex(zeroblob(500)) FROM said"] * 6)  # spills into the file itself
    assert os.path.getsize(f"{home}-journal") > 0
    with pytest.raises(Busy, match="writing"):
        said(lender, home)
    owner.crash()
    left_s = os.stat(f"{home}-journal").st_mtime
    lender.now_s = lambda: left_s + 3600
    before = everything_in(home.parent)
    assert said(lender, home) == ["a", "b"]
    assert everything_in(home.parent) == before


def test_a_change_while_reading_is_no_result(home: pathlib.Path, lender: Lender) -> None:
    """Without a lock pages of two moments may be read: then nothing counts."""
    with owner_of(home, "delete") as owner:
        with pytest.raises(Busy, match="changed"), lender.open(bytes(home)) as connection:
            connection.execute("SELECT * FROM said").fetchall()
            owner.run("INSERT INTO said VALUES ('c')")
        assert said(lender, home) == ["a", "b", "c"]


@pytest.mark.parametrize("damage", ["cut", "noise"])
def test_a_damaged_database_is_a_reason_not_a_crash(home: pathlib.Path, lender: Lender, damage: str) -> None:
    """It may be one that is just being copied here, so trying again is right."""
    with owner_of(home, "delete") as owner:
        owner.close()
    raw = bytearray(home.read_bytes())
    home.write_bytes(raw[: len(raw) // 2] if damage == "cut" else raw[:100] + b"\xff" * (len(raw) - 100))
    with pytest.raises(Busy):
        said(lender, home)


def test_a_moved_copy_without_its_log_is_read(home: pathlib.Path, lender: Lender, tmp_path: pathlib.Path) -> None:
    """Only the main file was copied from elsewhere: what had been written back to it is there."""
    with owner_of(home) as owner:
        owner.run("PRAGMA wal_checkpoint(TRUNCATE)", "INSERT INTO said VALUES ('c')")
        copy = tmp_path / "copy.db"
        shutil.copyfile(home, copy)
    assert said(lender, copy) == ["a", "b"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "home", "state"]


def test_too_much_to_copy_is_told(home: pathlib.Path, lender: Lender, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large database whose program crashed is not copied; the person is told what helps."""
    with owner_of(home) as owner:
        owner.crash()
    os.unlink(f"{home}-shm")
    monkeypatch.setattr(borrowed, "COPY_BYTES", 1000)
    with pytest.raises(Busy, match="start it once"):
        said(lender, home)


@pytest.mark.parametrize(
    ("path", "main"),
    [
        ("/a/x.db-wal", "/a/x.db"),
        ("/a/state.vscdb-shm", "/a/state.vscdb"),
        ("/a/x.sqlite3-journal", "/a/x.sqlite3"),
        ("/a/x.db", "/a/x.db"),
        ("/a/notes-wal", "/a/notes-wal"),
    ],
)
def test_events_of_a_log_mean_its_database(path: str, main: str) -> None:
    """A commit changes the log alone."""
    assert borrowed.main_file(path.encode()) == main.encode()


_READ = """
import sys
from importer.sources import files, scan
from importer.sources.databases import tables
from importer.sources.scan import Root
for folder in scan.scan(Root(sys.argv[1].encode()), lambda path: path.endswith(b".db")):
    assert not folder.error, folder
    for stat in folder.files:
        opened = files.open_file(stat.path)
        while isinstance(opened, files.Gone) and opened.more:
            opened = files.open_file(stat.path)
        print(opened.stat.size)
"""
_WRITING = ("O_WRONLY", "O_RDWR", "O_CREAT", "unlink", "rename", "truncate", "utime", "chmod", "mkdir", "link")


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("state", ["open", "closed", "crashed", "crashed without index"])
def test_no_call_of_the_system_writes_beside_it(tmp_path: pathlib.Path, state: str) -> None:
    """As the system sees it: in the owner's folder files are only ever opened for reading."""
    folder = tmp_path / "opencode"
    folder.mkdir()
    sample = pathlib.Path(__file__).parents[2] / "corpus/opencode/opencode.db.sql"
    statements = sample.read_text().split(";\n")
    with Owner(folder / "opencode.db") as owner:
        owner.run("PRAGMA journal_mode = wal", *(statement for statement in statements if statement.strip()))
        if state != "open":
            owner.close() if state == "closed" else owner.crash()
        if state == "crashed without index":
            (folder / "opencode.db-shm").unlink()
        before = everything_in(folder)
        trace = tmp_path / "trace"
        done = subprocess.run(
            ["strace", "-f", "-y", "-o", str(trace), "-e", "trace=file,ftruncate,fchmod,utimensat,write,pwrite64",
             sys.executable, "-c", _READ, str(folder)],
            capture_output=True, text=True, timeout=120, check=True,
        )  # fmt: skip
        assert len(done.stdout.split()) == 3, "three sessions were read"
        calls = [line for line in trace.read_text().splitlines() if str(folder) in line and "execve" not in line]
        writes = [line for line in calls if any(sign in line for sign in _WRITING) or " pwrite64(" in line]
        assert any("O_RDONLY" in line for line in calls)
        assert not writes
        assert everything_in(folder) == before


def test_the_library_is_as_it_was_when_this_was_tried() -> None:
    """A read-only open is not clean: should that change, the ways above may become simpler."""
    assert sqlite3.sqlite_version_info >= (3, 22), "reading without an index of one's own needs this version"
