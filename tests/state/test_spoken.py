"""What was said where is counted with the checkpoint of its file, once, however often the file is read."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3
from dataclasses import replace

import pytest

from importer.protocol.records import Checkpoint, Commit, HeadPrint, Said, Tally
from importer.state import schema
from importer.state.checkpoints import Checkpoints
from importer.state.spoken import PAGE_ROWS

FILE = Checkpoint(b"/t/a.jsonl", 1, 2, 0, 10, HeadPrint(0, b""), b"", 10, 1, 1, "claude-code")
FIRST = Said("kiln", 2, "2026-01-01", "2026-01-02", "/p", "", "how hot?")
SECOND = Said("kiln", 3, "2026-01-03", "2026-01-04", "", "The kiln", "later")


@pytest.fixture
def checkpoints(tmp_path: pathlib.Path) -> Checkpoints:
    """Open a fresh state."""
    return Checkpoints.open(str(tmp_path / "state.sqlite3"))


def commit(checkpoints: Checkpoints, *said: Said, **changed: object) -> None:
    """Commit what lines of a file hold."""
    checkpoints.commit([Commit(replace(FILE, **changed), Tally(), said=said)])  # type: ignore[arg-type]


def test_slices_add_up(checkpoints: Checkpoints) -> None:
    """Turns are added, times widened, a title comes late, the first prompt stands where there is none."""
    commit(checkpoints, FIRST)
    (one,) = checkpoints.spoken.of_conversation("kiln")
    assert one.title == "how hot?"
    commit(checkpoints, SECOND)
    (one,) = checkpoints.spoken.of_conversation("kiln")
    assert (one.turns, one.first, one.last, one.project) == (5, "2026-01-01", "2026-01-04", "/p")
    assert (one.title, one.path) == ("The kiln", b"/t/a.jsonl")


def test_a_new_generation_counts_from_zero(checkpoints: Checkpoints) -> None:
    """A file that is written anew is read anew."""
    commit(checkpoints, FIRST)
    commit(checkpoints, SECOND, generation=1)
    assert [one.turns for one in checkpoints.spoken.of_conversation("kiln")] == [3]


def test_a_rename_moves_the_rows(checkpoints: Checkpoints) -> None:
    """The conversation is found where its file is now, also when lines come with the rename."""
    commit(checkpoints, FIRST)
    commit(checkpoints, SECOND, path=b"/t/b.jsonl")
    assert [(one.path, one.turns) for one in checkpoints.spoken.of_conversation("kiln")] == [(b"/t/b.jsonl", 5)]


def test_prefixes_and_times(checkpoints: Checkpoints) -> None:
    """A prefix finds whole ids; a time keeps what went on in it, and nothing without a time."""
    commit(checkpoints, FIRST, Said("kiosk", 1, "2026-02-01", "2026-02-01"), Said("silent", 1))
    assert checkpoints.spoken.with_prefix("ki", 9) == ["kiln", "kiosk"]
    assert checkpoints.spoken.with_prefix("kil", 9) == ["kiln"]
    found = [one.conversation for one in checkpoints.spoken.newest_first("2026-01-02", "2026-01-31")]
    assert found == ["kiln"]
    assert [one.conversation for one in checkpoints.spoken.newest_first(until="2026-03-01")] == ["kiosk", "kiln"]
    assert len([*checkpoints.spoken.newest_first()]) == 3


def test_every_row_comes_once_over_many_pages(checkpoints: Checkpoints) -> None:
    """Newest first, also where a page ends among rows of one time, of one conversation, or without any time."""
    said = [Said(f"c{number}", 1, "", f"2026-01-0{number % 3}" if number % 3 else "") for number in range(700)]
    for inode, path in enumerate((b"/t/one", b"/t/two"), 2):
        commit(checkpoints, *said, path=path, inode=inode)
    rows = [(one.last, one.conversation, one.path) for one in checkpoints.spoken.newest_first()]
    assert len(rows) == len({*rows}) > 2 * PAGE_ROWS
    assert [last for last, _, _ in rows] == sorted((last for last, _, _ in rows), reverse=True)


def test_a_migrated_state_knows_that_it_lacks_some(tmp_path: pathlib.Path) -> None:
    """One that was imported by an older version is partial until every file is read again."""
    path = str(tmp_path / "state.sqlite3")
    with Checkpoints.open(str(tmp_path / "fresh.sqlite3")) as fresh:
        assert fresh.spoken.is_whole
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        schema.migrate(old, schema.MIGRATIONS[: schema.MIGRATIONS.index(schema.version_6)])
        old.execute(
            "INSERT INTO files VALUES (1, x'2f', x'61', 1, 1, 0, 1, 1, 1, 1, NULL, 1.0, 0, x'', x'', 'codex', '', '')"
        )
    beside = Checkpoints.peek(path)
    assert beside is not None
    assert (beside.spoken.is_whole, beside.spoken.of_conversation("kiln")) == (False, [])
    with Checkpoints.open(path) as migrated:
        assert schema.version(migrated.database.connection) == len(schema.MIGRATIONS)
        assert not migrated.spoken.is_whole
        migrated.forget_all_files()
        assert migrated.spoken.is_whole
