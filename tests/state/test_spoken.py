"""What was said where is counted with the checkpoint of its file, once, however often the file is read."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3
from dataclasses import replace

import pytest

from importer.protocol.records import Checkpoint, Commit, HeadPrint, SpokenCounts, Tally
from importer.state import erasure, schema
from importer.state.checkpoints import Checkpoints
from importer.state.spoken import PAGE_ROWS

FILE = Checkpoint(b"/t/a.jsonl", 1, 2, 0, 10, HeadPrint(0, b""), b"", 10, 1, 1, "claude-code")
FIRST = SpokenCounts("kiln", 2, "2026-01-01", "2026-01-02", "/p", "", "how hot?")
SECOND = SpokenCounts("kiln", 3, "2026-01-03", "2026-01-04", "", "The kiln", "later")


@pytest.fixture
def checkpoints(tmp_path: pathlib.Path) -> Checkpoints:
    """Open a fresh state."""
    return Checkpoints.open(str(tmp_path / "state.sqlite3"))


def commit(checkpoints: Checkpoints, *said: SpokenCounts, **changed: object) -> None:
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
    commit(checkpoints, FIRST, SpokenCounts("kiosk", 1, "2026-02-01", "2026-02-01"), SpokenCounts("silent", 1))
    assert checkpoints.spoken.with_prefix("ki", 9) == ["kiln", "kiosk"]
    assert checkpoints.spoken.with_prefix("kil", 9) == ["kiln"]
    found = [one.conversation for one in checkpoints.spoken.newest_first("2026-01-02", "2026-01-31")]
    assert found == ["kiln"]
    assert [one.conversation for one in checkpoints.spoken.newest_first(until="2026-03-01")] == ["kiosk", "kiln"]
    assert len([*checkpoints.spoken.newest_first()]) == 3


def test_every_row_comes_once_over_many_pages(checkpoints: Checkpoints) -> None:
    """Newest first, also where a page ends among rows of one time, of one conversation, or without any time."""
    said = [SpokenCounts(f"c{number}", 1, "", f"2026-01-0{number % 3}" if number % 3 else "") for number in range(700)]
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


AT_MS = 1_770_101_000_000  # 2026-02-03T06:43:20Z
HISTORY = "claude-history"


def type_(checkpoints: Checkpoints, source: str, conversation: str, *typed: tuple[int, bytes], inode: int = 2) -> None:
    """Commit prompts of a format, each by its milliseconds behind AT_MS and its hash."""
    prompts = tuple((AT_MS + after, mark) for after, mark in typed)
    said = SpokenCounts(conversation, len(typed), "2026-02-03T06:43:20Z", "2026-02-03T06:43:50Z", "/p", prompts=prompts)
    commit(checkpoints, said, format=source, inode=inode, path=b"/t/%d" % inode)


@pytest.mark.parametrize(
    ("name", "after_ms", "mark", "expected"),
    [
        ("kiln", 999_999, b"other", True),  # its session is there
        ("", 0, b"how hot?", True),
        ("", 5_000, b"how hot?", True),
        ("", -5_000, b"how hot?", True),
        ("", 5_001, b"how hot?", False),
        ("", -5_001, b"how hot?", False),
        ("", 0, b"how long?", False),
        ("bell", 0, b"how long?", False),
    ],
)
def test_a_prompt_is_known(checkpoints: Checkpoints, name: str, after_ms: int, mark: bytes, expected: bool) -> None:
    """By its session, or by its hash at its time, of the original format alone; also after a rebuild."""
    type_(checkpoints, "claude-code", "kiln", (0, b"how hot?"))
    type_(checkpoints, "codex", "bell", (0, b"how long?"), inode=3)
    asked = ("claude-code", name, (AT_MS + after_ms, mark), "/p")
    assert checkpoints.spoken.is_repeated(*asked) is expected
    checkpoints.forget_all_files()
    assert checkpoints.spoken.is_repeated(*asked) is expected


def test_what_is_there_twice_goes(checkpoints: Checkpoints) -> None:
    """A whole conversation by its session, else single prompts; what is left stays counted."""
    type_(checkpoints, HISTORY, "kiln", (0, b"a"), (9, b"b"), inode=3)
    type_(checkpoints, HISTORY, "day", (20_000, b"c"), (60_000, b"d"), inode=4)
    spoken = checkpoints.spoken
    assert spoken.repeated(HISTORY, "claude-code") == []
    type_(checkpoints, "claude-code", "kiln", (0, b"a"))
    type_(checkpoints, "claude-code", "bell", (21_000, b"c"), inode=5)
    (whole,) = spoken.repeated(HISTORY, "claude-code")
    assert whole == ("kiln", None, b"")
    spoken.settle(HISTORY, whole)
    (single,) = spoken.repeated(HISTORY, "claude-code")
    assert single == ("day", AT_MS + 20_000, b"c")
    spoken.settle(HISTORY, single)
    assert spoken.repeated(HISTORY, "claude-code") == []
    assert [(one.conversation, one.turns) for one in spoken.newest_first() if one.source == HISTORY] == [("day", 1)]


def test_transcripts_that_were_imported_before_there_were_hashes(tmp_path: pathlib.Path) -> None:
    """What was typed in the time of a conversation of the project is taken for a prompt of it."""
    path = str(tmp_path / "old.sqlite3")
    with sqlite3.connect(path, isolation_level=None) as connection:
        schema.migrate(connection, schema.MIGRATIONS[:7])
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        values = ("claude-code", "kiln", b"/t/a", 0, 2, "2026-02-03T06:43:20.000Z", "2026-02-03T07:00:00.000Z", "/p")
        connection.execute("INSERT INTO spoken VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', '')", values)
        connection.execute(
            "INSERT INTO files (id, device, inode, generation, size, mtime_ns, ctime_ns, offset, committed_at,"
            " head_length, head_digest, tail_digest, format) VALUES (1, 1, 1, 0, 1, 1, 1, 1, 1, 0, x'', x'', 'codex')"
        )
    with Checkpoints.open(path) as checkpoints:
        known = checkpoints.spoken.is_repeated
        assert known("claude-code", "day", (AT_MS - 4_000, b"?"), "/p")
        assert known("claude-code", "day", (AT_MS + 1_000_000, b"?"), "/p")
        assert not known("claude-code", "day", (AT_MS + 1_000_000, b"?"), "/q")
        assert not known("claude-code", "day", (AT_MS - 6_000, b"?"), "/p")
        assert not known("claude-code", "day", (AT_MS + 10**11, b"?"), "/p")


def test_hashes_of_what_was_forgotten_go(checkpoints: Checkpoints) -> None:
    """They are hashes of texts, after all."""
    type_(checkpoints, "claude-code", "kiln", (0, b"how hot?"))
    erasure.silence(checkpoints, erasure.Silenced({}, conversations=[("", "kiln")]))
    assert checkpoints.database.rows("SELECT * FROM prompts") == []
