"""Lock: one importer per state directory, and the second learns who has it."""

from __future__ import annotations

import os
import pathlib
import signal
import stat
import subprocess
import sys

import pytest

from importer.errors import STATE, StateError, StateLocked
from importer.state import lock
from importer.state.lock import Holder, Lock

HOLD = """
import sys
from importer.state.lock import Lock
held = Lock(sys.argv[1]).acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "deep" / "state")


def hold(folder):
    child = subprocess.Popen([sys.executable, "-c", HOLD, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"held\n"
    return child


def test_a_free_directory_is_made_and_taken(folder):
    """For its owner alone: 0700 and 0600."""
    with Lock(folder, clock=lambda: 5.0) as held:
        assert held.held()
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        assert stat.S_IMODE(os.stat(held.path).st_mode) == 0o600
        assert lock.holder(folder) == Holder(os.getpid(), 5.0, lock.holder(folder).command)
    assert lock.holder(folder) is None


@pytest.mark.parametrize(
    ("mode", "refused"), [(0o777, True), (0o1777, True), (0o702, True), (0o775, False), (0o755, False)]
)
def test_a_directory_that_others_can_write_to_is_refused(folder, mode, refused):
    """They could plant a link or move the store away; nothing is made in it, and the hint closes it."""
    os.makedirs(folder)
    os.chmod(folder, mode)
    if not refused:
        Lock(folder).acquire().release()
        return
    with pytest.raises(StateError, match="other users can write") as raised:
        Lock(folder).acquire()
    assert (raised.value.exit_code, os.listdir(folder)) == (STATE, [])
    assert subprocess.run(raised.value.hint.partition(",")[0], shell=True, check=True).returncode == 0
    Lock(folder).acquire().release()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another group")
def test_so_is_one_that_a_strange_group_can_write_to(folder):
    """A group that this process is in may: volumes of containers are shared so."""
    os.makedirs(folder, mode=0o770)
    os.chmod(folder, 0o770)
    os.chown(folder, -1, 54321)
    with pytest.raises(StateError, match="other users can write"):
        Lock(folder).acquire()


def test_the_second_holder_learns_who_the_first_is(folder):
    """Another process, by its pid, with exit code 3 and a way out."""
    with hold(folder) as child:
        with pytest.raises(StateLocked, match=f"process {child.pid} ") as raised:
            Lock(folder).acquire()
        assert (raised.value.pid, raised.value.exit_code) == (child.pid, STATE)
        assert "--state-dir" in raised.value.hint
        child.stdin.close()
    Lock(folder).acquire().release()


def test_the_same_process_is_refused_too(folder):
    """Two engines in one process would be two writers as well."""
    with Lock(folder), pytest.raises(StateLocked):
        Lock(folder).acquire()


def test_a_killed_holder_frees_the_directory(folder):
    """What SIGKILL leaves inside the file is harmless."""
    with hold(folder) as child:
        child.send_signal(signal.SIGKILL)
        child.stdin.close()
    assert os.path.getsize(os.path.join(folder, lock.NAME)) > 0
    assert lock.holder(folder) is None
    Lock(folder).acquire().release()


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"[]", b'{"pid": "x"}', b'{"pid": 1, "started": 0, "command": ""}']
)
def test_stale_content_is_harmless(folder, content):
    """Even when it names a living process: flock decides."""
    os.makedirs(folder)
    with open(os.path.join(folder, lock.NAME), "wb") as file:
        file.write(content)
    Lock(folder).acquire().release()


def test_someone_just_asking_does_not_refuse_a_start(folder):
    """A reader holds the lock for an instant and has written no name: the starter tries again."""
    Lock(folder).acquire().release()
    asker = os.open(os.path.join(folder, lock.NAME), os.O_RDONLY)
    lock.fcntl.flock(asker, lock.fcntl.LOCK_SH)
    waits: list[float] = []

    def sleep(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            os.close(asker)

    with Lock(folder, sleep=sleep):
        assert waits == [lock.TRY_S] * 3


def test_a_nameless_holder_is_waited_for_in_vain_only_briefly(folder):
    """At most half a second, then StateLocked without a pid."""
    Lock(folder).acquire().release()
    asker = os.open(os.path.join(folder, lock.NAME), os.O_RDONLY)
    lock.fcntl.flock(asker, lock.fcntl.LOCK_SH)
    waits: list[float] = []
    with pytest.raises(StateLocked, match="another importer") as raised:
        Lock(folder, sleep=waits.append).acquire()
    os.close(asker)
    assert raised.value.pid == 0
    assert 0.1 < sum(waits) < 0.6


def test_a_removed_lock_file_is_noticed(folder):
    """Its deletion would let a second importer start: the first can tell."""
    with Lock(folder) as first:
        os.unlink(first.path)
        assert not first.held()
        with Lock(folder) as second:
            assert (first.held(), second.held()) == (False, True)


def test_a_program_started_by_the_holder_does_not_keep_it(folder):
    """The worker outlives a killed daemon for a moment; the directory is free at once."""
    held = Lock(folder).acquire()
    with subprocess.Popen(["sleep", "60"], close_fds=False) as child:
        held.release()
        assert lock.holder(folder) is None
        child.kill()


def test_a_directory_that_cannot_be_made_is_a_state_error(tmp_path):
    """With the reason and a hint, not a traceback."""
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="Not a directory") as raised:
        Lock(str(tmp_path / "file" / "state")).acquire()
    assert raised.value.hint
    assert not isinstance(raised.value, StateLocked)


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: pathlib.Path) -> None:
    """Another user's link must not have us write into a file of ours: refused, and the file stays as it was."""
    diary = tmp_path / "diary"
    diary.write_text("dear diary\n")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "importer.lock").symlink_to(diary)
    with pytest.raises(StateError):
        Lock(str(tmp_path / "state")).acquire()
    assert diary.read_text() == "dear diary\n"
