"""Opening the state: damage is set aside and said, doubt is refused, and nothing begins empty in silence."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_damage import DAMAGES, emptied, header_lost, overwrite, version_lost, zeroed
from state_values import commit

from importer.errors import STATE, StateCorrupt, StateError, StateUnwritable
from importer.state import open_database, schema
from importer.state.checkpoints import Checkpoints
from importer.state.database import suspect_mark


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "checkpoints.sqlite3")


@pytest.fixture
def filled(path):
    with Checkpoints.open(path) as state:
        state.commit([commit(b"/r/%d" % n, n, context=os.urandom(500)) for n in range(200)], counters={"points": 9})
    return path


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_is_set_aside_and_said(filled, damage):
    """A new one is made; the caller learns the name of the old one, which is kept to be looked at."""
    damage(filled)
    with Checkpoints.open(filled, clock=lambda: 0.0) as state:
        assert state.set_aside == f"{filled}.corrupt-19700101T000000Z"
        assert state.created
        assert state.totals().lines_read == 0
        state.commit([commit()])
    assert os.path.lexists(state.set_aside) or os.path.lexists(f"{state.set_aside}-wal")


def test_a_healthy_state_is_not_set_aside(filled):
    """Opening again and again changes nothing."""
    for _ in range(3):
        with Checkpoints.open(filled) as state:
            assert (state.set_aside, state.created, state.counters()["points"]) == ("", False, 9)
    assert os.listdir(os.path.dirname(filled)) == ["checkpoints.sqlite3"]


def test_a_first_start_is_empty_and_says_so(path):
    """`created` tells the first start from any other; the file is for its owner alone."""
    with Checkpoints.open(path) as state:
        assert (state.created, state.set_aside) == (True, "")
        for name in os.listdir(os.path.dirname(path)):
            assert stat.S_IMODE(os.stat(os.path.join(os.path.dirname(path), name)).st_mode) == 0o600


def test_a_kill_between_setting_aside_and_making_anew_is_not_hidden(filled):
    """The next start finds no database but the one set aside, and names it."""
    os.rename(filled, f"{filled}.corrupt-20260101T000000Z")
    with Checkpoints.open(filled) as state:
        assert state.set_aside.endswith(".corrupt-20260101T000000Z")


def test_a_half_made_database_is_made_again(path):
    """A kill while the first database is made leaves another name only, which the next start clears."""
    for name in (f"{path}.new", f"{path}.new-journal"):
        with open(name, "w") as file:
            file.write("half")
    with Checkpoints.open(path) as state:
        assert (state.created, state.set_aside) == (True, "")
    assert os.listdir(os.path.dirname(path)) == ["checkpoints.sqlite3"]


def test_only_the_newest_damaged_states_are_kept(filled):
    """A disk that damages the state every day does not fill up with copies."""
    for day in range(6):
        zeroed(filled)
        Checkpoints.open(filled, clock=lambda day=day: day * 86400.0).close()
    aside = sorted(name for name in os.listdir(os.path.dirname(filled)) if ".corrupt-" in name)
    assert len(aside) == open_database.KEEP_ASIDE
    assert aside[-1].endswith("19700106T000000Z")


def test_a_newer_version_is_refused(filled):
    """It is left exactly as it was, with what to do."""
    newer = len(schema.MIGRATIONS) + 1
    with sqlite3.connect(filled) as connection:
        connection.execute(f"PRAGMA user_version = {newer}")
    connection.close()
    with pytest.raises(StateError, match=f"version {newer}") as raised:
        Checkpoints.open(filled)
    assert (raised.value.exit_code, bool(raised.value.hint)) == (STATE, True)
    with contextlib.closing(sqlite3.connect(filled)) as connection:
        assert connection.execute("SELECT count(*) FROM files").fetchone() == (200,)


def test_another_programs_database_is_refused(path):
    """We do not write into what is not ours, nor move it away."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name)")
    connection.close()
    with pytest.raises(StateError, match="another program"):
        Checkpoints.open(path)
    assert os.listdir(os.path.dirname(path)) == ["checkpoints.sqlite3"]


def test_an_unreadable_state_is_refused(tmp_path):
    """An input/output error (a real one, of memory that is not mapped) is no damage: nothing is set aside."""
    path = str(tmp_path / "checkpoints.sqlite3")
    os.symlink("/proc/self/mem", path)
    with pytest.raises(StateError, match="Input/output error") as raised:
        Checkpoints.open(path)
    assert (raised.value.exit_code, os.listdir(tmp_path)) == (STATE, ["checkpoints.sqlite3"])


@pytest.mark.parametrize("kind", ["folder", "dangling link", "below a file"])
def test_a_path_that_cannot_hold_the_state_is_refused(tmp_path, kind):
    """No damage is assumed where the path itself is wrong, for example a volume that is not mounted."""
    path = tmp_path / "checkpoints.sqlite3"
    if kind == "folder":
        path.mkdir()
        (path / "kept").touch()
    elif kind == "dangling link":
        path.symlink_to(tmp_path / "unmounted" / "checkpoints.sqlite3")
    else:
        path.touch()
        path = path / "checkpoints.sqlite3"
    with pytest.raises(StateError):
        Checkpoints.open(str(path))
    with pytest.raises(StateError):
        Checkpoints.peek(str(path))
    assert not [name for name in os.listdir(tmp_path) if "corrupt" in name]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_state_without_permission_is_refused(filled):
    """EACCES is doubt, not damage."""
    os.chmod(filled, 0)
    with pytest.raises(StateError, match="permission"):
        Checkpoints.open(filled)


def test_damage_met_at_work_is_found_at_the_next_start(filled, monkeypatch):
    """Even where the quick check does not look: the running importer ends, the next one checks every page."""
    monkeypatch.setattr(open_database, "QUICK_CHECK_BYTES", 0)
    with Checkpoints.open(filled) as state:
        roots = state.database.rows("SELECT rootpage FROM sqlite_master WHERE name = 'contexts'")
    overwrite(filled, (roots[0][0] - 1) * 4096, os.urandom(4096))
    state = Checkpoints.open(filled)
    with pytest.raises(StateCorrupt) as raised:
        state.by_path(b"/r/7")
    state.close()
    assert (raised.value.retryable, os.path.exists(suspect_mark(filled))) == (True, True)
    with Checkpoints.open(filled) as state:
        assert state.set_aside
    assert not os.path.exists(suspect_mark(filled))


def test_a_false_alarm_keeps_the_state(filled):
    """A mark without damage costs one full check and nothing else."""
    open(suspect_mark(filled), "w").close()
    with Checkpoints.open(filled) as state:
        assert (state.set_aside, state.counters()["points"]) == ("", 9)
    assert not os.path.exists(suspect_mark(filled))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=64))
def test_no_garbled_byte_makes_opening_crash(filled, offset, content):
    """Any bytes overwritten anywhere: opened, set aside or refused, never another exception, never silently empty."""
    whole = Path(filled).read_bytes()
    overwrite(filled, offset % len(whole), content)
    try:
        with Checkpoints.open(filled) as state:
            assert state.set_aside or state.counters()["points"] is not None
    except StateError:
        pass
    finally:
        Path(filled).write_bytes(whole)


def test_peeking_at_an_older_version(path):
    """It is read as the newest one, from a copy: the file itself waits for its writer."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        schema.migrate(connection, schema.MIGRATIONS[:2])
    with Checkpoints.peek(path) as reader:
        assert reader.files_summary().known == 0
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert schema.version(connection) == 2


def test_peeking_where_nothing_is_makes_nothing(path):
    """`status` before the first import: None, and no file."""
    assert Checkpoints.peek(path) is None
    assert os.listdir(os.path.dirname(path)) == []


@pytest.mark.parametrize("damage", [zeroed, emptied, header_lost, version_lost])
def test_peeking_at_damage_changes_nothing(filled, damage):
    """A reader reports it and leaves the setting aside to the writer."""
    damage(filled)
    before = Path(filled).read_bytes()
    with pytest.raises(StateError):
        Checkpoints.peek(filled)
    assert Path(filled).read_bytes() == before
    assert not [name for name in os.listdir(os.path.dirname(filled)) if "corrupt" in name or "suspect" in name]


def test_removal_while_in_use_is_noticed(filled):
    """Writing on into a deleted file would lose everything at the end: the next write refuses."""
    with Checkpoints.open(filled) as state:
        os.rename(filled, f"{filled}.away")
        with pytest.raises(StateError, match="removed or replaced"):
            state.commit([commit()])


def test_no_room_for_the_first_database_can_be_waited_for(path, monkeypatch):
    """The disk is full before anything exists: retryable, and not a broken state."""
    full = OSError(28, "No space left on device")
    monkeypatch.setattr(open_database.os, "open", lambda *_: (_ for _ in ()).throw(full))
    with pytest.raises(StateUnwritable, match="No space left"):
        open_database.open_for_writing(path)
