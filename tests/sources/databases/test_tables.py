"""Conversations in databases are imported like files: as they grow, are rewritten, taken back, moved and locked."""

from __future__ import annotations

import json
import pathlib
import shutil
import sqlite3
import time
from collections.abc import Iterator

import pytest
from document_folder import CORPUS, Desk
from foreign_database import Owner, build, members

from importer.consistency.refold import Refold
from importer.protocol.fates import Fate
from importer.protocol.records import FileStat
from importer.sources import census, scan
from importer.sources.databases import queries, tables
from importer.sources.reconcile import behind, wanted
from importer.sources.scan import Root
from importer.state.checkpoints import Checkpoints

pytestmark = pytest.mark.slow
SCRIPT = CORPUS / "opencode" / "opencode.db.sql"
T0 = 1767300000000


@pytest.fixture
def desk(tmp_path: pathlib.Path) -> Iterator[Desk]:
    """Give a pipeline over one folder, and an empty database of OpenCode in it."""
    folder = tmp_path / "home"
    folder.mkdir()
    path = build(SCRIPT, folder)
    connection = sqlite3.connect(path)
    connection.executescript("DELETE FROM part; DELETE FROM message; DELETE FROM session; PRAGMA journal_mode = wal")
    connection.close()
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as checkpoints:
        yield Desk(folder, checkpoints, late_ns=0)
    tables.KNOWN.release()


@pytest.fixture
def owner(desk: Desk) -> Iterator[Owner]:
    with Owner(desk.folder / "opencode.db") as owner:
        yield owner


def quoted(data: object) -> str:
    return "'" + json.dumps(data).replace("'", "''") + "'"


def say(owner: Owner, number: int, text: str, *, session: str = "ses_1", done: bool = True) -> None:
    """Write a message with one text: odd numbers are the person's, even ones answers."""
    at, role = T0 + number * 1000, "user" if number % 2 else "assistant"
    data = {"role": role, "time": {"created": at, **({"completed": at} if done and role == "assistant" else {})}}
    owner.run(
        "INSERT OR IGNORE INTO session (id, project_id, directory, title, version, time_created, time_updated)"
        f" VALUES ('{session}', 'p', '/home/ann', 'Buoys', '1', {T0}, {T0})",
        f"INSERT OR REPLACE INTO message VALUES ('msg_{number:03}', '{session}', {at}, {at}, {quoted(data)})",
        f"INSERT OR REPLACE INTO part VALUES ('prt_{number:03}', 'msg_{number:03}', '{session}', {at}, {at},"
        f" {quoted({'type': 'text', 'text': text})})",
        f"UPDATE session SET time_updated = max(time_updated, {at}) WHERE id = '{session}'",
    )


def look(desk: Desk, *, kills: bool = False, now: bool = False) -> int:
    """Read what is behind below the folder; return how many chunks were embedded."""
    place, before = Root(bytes(desk.folder)), len(desk.store.embedded)
    for folder in list(scan.scan(place, wanted(place))):
        assert not folder.error, folder
        known = desk.checkpoints.folder(folder.path)
        for stat in folder.files:
            if behind(stat, known.get(stat.path.rpartition(b"/")[2])):
                desk.take(pathlib.Path(stat.path.decode()), kills=kills)
    return len(desk.store.embedded) - before


def texts(desk: Desk) -> list[str]:
    return sorted(point["document"] for point in desk.store.points.values())


def fresh(desk: Desk) -> list[str]:
    """Return the texts that an import of the database as it is now gives."""
    other = desk.folder.parent / f"fresh-{time.monotonic_ns()}"
    with Checkpoints.open(str(other)) as checkpoints:
        again = Desk(desk.folder, checkpoints, late_ns=0)
        look(again)
        return texts(again)


def test_the_sample_gives_exactly_these_chunks(tmp_path: pathlib.Path) -> None:
    """What both sides said, and the summary; no synthetic text, no thought, no tool's output, no subagent."""
    build(SCRIPT, tmp_path)
    with Checkpoints.open(str(tmp_path / "state.sqlite3")) as checkpoints:
        desk = Desk(tmp_path, checkpoints, late_ns=0)
        look(desk)
        assert texts(desk) == [
            "And for the buoys?\n\nThe buoys keep",
            "We found the fixed offset in tides.py.",
            "Why is the tide table off by an hour in summer?\n\nThe table used a fixed offset; it asks the zone now.",
        ]
        facts = next(one["metadata"] for one in desk.store.points.values() if one["document"].startswith("Why"))
        told = [facts[name] for name in ("project", "title", "model", "conversation_id")]
        assert told == ["/home/ann/harbour", "Tide table off by an hour", "m1", "ses_01"]
        assert census.take([Root(bytes(tmp_path))], checkpoints).counts == {"imported": 3}


def test_a_conversation_that_grows_is_read_on(desk: Desk, owner: Owner) -> None:
    """Each look brings the new rows alone; in the end stands what a fresh import gives, and nothing twice."""
    read = []
    for number in range(1, 30):
        say(owner, number, f"words of turn {number}, " + "some more of them " * number)
        look(desk, kills=True)
        read.append(desk.checkpoints.totals().lines_read)
    assert read == sorted(read)
    assert read[-1] <= 31 + 1, "the first line, the session, and each message: once"
    assert texts(desk) == fresh(desk)
    assert look(desk) == 0
    assert desk.checkpoints.totals().lines_read == read[-1]


def test_many_conversations_grow_beside_each_other(desk: Desk, owner: Owner) -> None:
    """More than a fold remembers streams, turn by turn: each is a file of its own."""
    for number in range(1, 9):
        for session in range(12):
            say(owner, number + 100 * session, f"turn {number} of talk {session}", session=f"ses_{session:02}")
        look(desk, kills=True)
    assert texts(desk) == fresh(desk)
    assert len(texts(desk)) == 12 * 4


def test_a_row_that_is_rewritten_brings_its_new_words(desk: Desk, owner: Owner) -> None:
    """In the middle, long after it was read."""
    for number in range(1, 20):
        say(owner, number, f"words of turn {number} " + "and more " * 300)
    look(desk)
    say(owner, 4, "another answer altogether")
    owner.run(f"UPDATE part SET time_updated = {T0 + 90000} WHERE id = 'prt_004'")
    look(desk)
    assert any("another answer altogether" in text for text in texts(desk))
    assert set(fresh(desk)) <= set(texts(desk))


def test_a_touch_reads_no_row_twice(desk: Desk, owner: Owner) -> None:
    """The session's time moves, as it does for every tool call: nothing is folded again."""
    say(owner, 1, "a question")
    say(owner, 2, "an answer")
    look(desk)
    lines = desk.checkpoints.totals().lines_read
    owner.run(f"UPDATE session SET time_updated = {T0 + 500000}")
    assert look(desk) == 0
    assert desk.checkpoints.totals().lines_read == lines


def test_what_is_taken_back_stays_said(desk: Desk, owner: Owner) -> None:
    """A revert deletes the last rows, the open exchange among them; the next prompt goes on from before."""
    for number in range(1, 5):
        say(owner, number, f"words of turn {number}")
    look(desk)
    before = texts(desk)
    owner.run("DELETE FROM part WHERE message_id >= 'msg_003'", "DELETE FROM message WHERE id >= 'msg_003'")
    look(desk)
    assert texts(desk) == before
    say(owner, 5, "another way")
    look(desk)
    assert texts(desk) == sorted([*before, "another way"])
    owner.run("DELETE FROM part", "DELETE FROM message", "DELETE FROM session")
    look(desk)
    assert texts(desk) == sorted([*before, "another way"])


def test_an_answer_that_is_being_written_is_waited_for(desk: Desk, owner: Owner) -> None:
    """It is told once it is complete, and once; an owner that crashed is waited for no longer than a while."""
    now = int(time.time() * 1000) - T0
    say(owner, now // 1000 | 1, "what is a buoy?")
    say(owner, (now // 1000 | 1) + 1, "A floa", done=False)
    look(desk)
    assert texts(desk) == ["what is a buoy?"]
    say(owner, (now // 1000 | 1) + 1, "A floating mark.")
    owner.run("UPDATE message SET time_updated = time_updated + 5")
    look(desk)
    assert texts(desk) == ["what is a buoy?\n\nA floating mark."]
    say(owner, 2, "long ago", done=False, session="ses_2")
    look(desk)
    assert texts(desk) == ["long ago", "what is a buoy?\n\nA floating mark."]


def test_a_moved_database_or_a_copy_brings_nothing_new(desk: Desk, owner: Owner) -> None:
    """Renamed, copied from elsewhere, vacuumed: the same points, none embedded again."""
    for number in range(1, 8):
        say(owner, number, f"words of turn {number}")
    owner.close()
    assert look(desk) == len(texts(desk)) == 4
    path = desk.folder / "opencode.db"
    shutil.copyfile(path, desk.folder / "opencode-beta.db")
    path.rename(desk.folder / "opencode-old.db")
    assert look(desk) == 0
    connection = sqlite3.connect(desk.folder / "opencode-old.db")
    connection.execute(f"VACUUM INTO '{path}'")
    connection.close()
    assert look(desk) == 0
    assert len(texts(desk)) == 4


def test_verify_finds_what_was_stored(desk: Desk, owner: Owner) -> None:
    """A conversation folds to the same chunks once more."""
    for number in range(1, 30):
        say(owner, number, f"words of turn {number} " + "and more " * 100)
        look(desk)
    (stat,) = members(desk.folder / "opencode.db")
    known = desk.checkpoints.by_path(stat.path)
    assert known is not None
    ids = {chunk.id for chunks in Refold(known, desk.reading) for chunk in chunks}
    assert ids == set(desk.store.points)


def folders(desk: Desk) -> list[scan.Folder]:
    return list(scan.scan(Root(bytes(desk.folder)), wanted(Root(bytes(desk.folder)))))


def test_a_database_in_the_middle_of_a_change_is_waited_for(desk: Desk, owner: Owner) -> None:
    """Nothing is concluded from what cannot be seen now: its conversations are not gone."""
    say(owner, 1, "a question")
    look(desk)
    owner.run("PRAGMA journal_mode = delete", "PRAGMA cache_size = 1", "BEGIN", "UPDATE part SET data = data")
    owner.run(*["INSERT INTO todo SELECT hex(zeroblob(900)), '', '' FROM part"] * 40)
    errors = [folder.error for folder in folders(desk) if folder.error]
    assert errors == ["its owner is writing"]
    owner.run("ROLLBACK")
    assert not [folder.error for folder in folders(desk) if folder.error]
    assert look(desk) == 0


def test_a_database_that_no_format_knows_is_named(desk: Desk, owner: Owner) -> None:
    """Refused with the reason; once its tables are there, its conversations are found."""
    owner.close()
    strange = desk.folder / "opencode-new.db"
    connection = sqlite3.connect(strange)
    connection.execute("CREATE TABLE settings (name)")
    connection.commit()
    desk.take(strange)
    known = desk.checkpoint(strange)
    assert (known.fate, known.reason) == (Fate.REFUSED, "an SQLite database of a program that is not known")
    connection.executescript(SCRIPT.read_text())
    connection.close()
    assert len(members(strange)) == 3
    assert look(desk) == 3


def test_rows_that_are_too_long_cost_only_themselves(desk: Desk, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row longer than a line may be, and one longer than is ever taken into memory: both are told."""
    monkeypatch.setattr(queries, "ROW_BYTES", 20_000)
    monkeypatch.setattr(queries, "VALUE_BYTES", 60_000)
    for number, size in ((1, 10), (2, 30_000), (3, 10), (5, 10)):
        say(owner, number, f"turn {number} " + "x" * size)
    look(desk)
    assert [text[:6] for text in texts(desk)] == ["turn 1", "turn 3", "turn 5"]
    assert desk.checkpoints.quarantine.count() == 1
    say(owner, 7, "turn 7 " + "x" * 100_000)
    say(owner, 9, "turn 9")
    look(desk)
    assert [text[:6] for text in texts(desk)] == ["turn 1", "turn 3", "turn 5"], "what was there stays"
    assert desk.checkpoints.totals().lines_quarantined == 2


def test_a_long_conversation_is_told_in_steps(desk: Desk, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop gets its turn between them, and all arrives."""
    monkeypatch.setattr(tables, "STEP_BYTES", 1)
    for number in range(1, 40):
        say(owner, number, f"words of turn {number}")
    look(desk)
    assert len(texts(desk)) == 20
    assert texts(desk) == fresh(desk)


def test_a_listing_that_is_slow_is_not_made_at_every_change(
    desk: Desk, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listing a large database takes its share of the time and no more."""
    monkeypatch.setattr(tables, "SLOW_S", -1.0)
    monkeypatch.setattr(tables, "LISTING_SHARE", 1e-9)
    say(owner, 1, "a question")
    path = desk.folder / "opencode.db"
    assert len(members(path)) == 1
    say(owner, 3, "another", session="ses_2")
    assert len(members(path)) == 1
    monkeypatch.setattr(tables, "SLOW_S", 60.0)
    assert len(members(path)) == 2


def test_names_of_conversations_are_only_names(desk: Desk, owner: Owner) -> None:
    """Any text may name a conversation; no path is ever made of it."""
    for number, name in enumerate(("../../etc/passwd", "a/b", "..", "ü\n", "x" * 300)):
        say(owner, 2 * number + 1, f"said in {number}", session=name)
    stats: list[FileStat] = members(desk.folder / "opencode.db")
    assert all(stat.path.count(b"/") == bytes(desk.folder).count(b"/") + 2 for stat in stats)
    look(desk)
    assert len(texts(desk)) == 5
