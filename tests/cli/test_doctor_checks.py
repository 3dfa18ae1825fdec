"""How the facts for `doctor` are gathered: looked at, never changed."""

from __future__ import annotations

import importlib.metadata
import json
import os
import pathlib
import resource
import socket
import stat

import pytest
from idle_engine import loaded
from state_values import commit

from importer.cli.doctor import expiry, folders, host, memory, serving, state
from importer.memory.probes import Probes
from importer.sources.scan import Root
from importer.state.checkpoints import Checkpoints

NFS = "36 35 0:30 / {} rw - nfs4 server:/export rw"


@pytest.mark.parametrize(
    ("installed", "spec", "fits"),
    [
        ("1.20.0", ">=1.15,<2", True),
        ("2.0.0", ">=1.15,<2", False),
        ("1.9", ">=1.15", False),
        ("0.9.0", "==0.9.0", True),
        ("0.9", "==0.9.0", True),
        ("0.9.1", "==0.9.0", False),
        ("6.0rc1", ">=6", True),
        ("1", "", True),
    ],
)
def test_versions_are_compared_by_their_numbers(installed: str, spec: str, fits: bool) -> None:
    """1.20 is newer than 1.9, and trailing zeros say nothing."""
    assert host.satisfied(installed, spec) is fits


def test_requirements_are_those_of_the_package(tmp_path: pathlib.Path) -> None:
    """Extras are not needed; what is missing has no version; a source tree that is not installed names none."""
    requires = {"conversation-importer": ["msgspec>=0.19", "no-such-thing==1", 'matplotlib>=3; extra == "plot"']}
    found = host.look(loaded(str(tmp_path)), "", 0.0, requires=requires.get)
    assert found.packages == {
        "msgspec": (importlib.metadata.version("msgspec"), ">=0.19"),
        "no-such-thing": ("", "==1"),
    }

    def missing(name: str):
        raise importlib.metadata.PackageNotFoundError(name)

    assert host.look(loaded(str(tmp_path)), "", 0.0, requires=missing).packages == {}


def test_the_limits_are_those_of_this_process(tmp_path: pathlib.Path) -> None:
    """Soft limits; unlimited is None."""
    found = host.look(loaded(str(tmp_path)), "", 5.0, clock=lambda: 9.0)
    assert found.open_files == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert (found.now, found.newest_at, found.address_bytes) == (9.0, 5.0, None)


def test_a_state_that_is_not_there_is_judged_by_what_is(tmp_path: pathlib.Path) -> None:
    """The nearest folder above it tells of room and rights; nothing is made."""
    found = state.look(str(tmp_path / "a" / "b"))
    assert (found.exists, found.writable, found.problem) == (False, True, "")
    assert found.free_bytes > 0
    assert list(tmp_path.iterdir()) == []


def test_a_database_tells_its_newest_commit(tmp_path: pathlib.Path) -> None:
    """For the clock to be held against."""
    with Checkpoints.open(str(tmp_path / state.FILE_NAME), clock=lambda: 77.0) as checkpoints:
        checkpoints.commit([commit()])
    assert state.look(str(tmp_path)).newest_at == 77.0


def test_a_damaged_database_tells_what_is_wrong(tmp_path: pathlib.Path) -> None:
    """In the words that any other command would use; it is left as it is."""
    (tmp_path / state.FILE_NAME).write_bytes(b"no database" * 500)
    (tmp_path / f"{state.FILE_NAME}.corrupt-20260101T000000Z").touch()
    found = state.look(str(tmp_path))
    assert "damaged" in found.problem
    assert (found.aside, found.hint != "") == (1, True)


def test_what_others_may_read_is_named(tmp_path: pathlib.Path) -> None:
    """Open files in an open folder; models are no secret, and a closed folder closes all below."""
    for name in (state.FILE_NAME, "edge/conversations", "models/m"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name).chmod(0o755)
    tmp_path.chmod(0o755)
    assert state.look(str(tmp_path)).exposed == (f"{tmp_path}/{state.FILE_NAME}", f"{tmp_path}/edge/conversations")
    tmp_path.chmod(0o700)
    assert state.look(str(tmp_path)).exposed == ()


def test_a_network_file_system_is_recognised(tmp_path: pathlib.Path) -> None:
    """For the state, which needs locks, and for the roots, which give no events."""
    mounts = NFS.format(tmp_path)
    assert state.look(str(tmp_path), mounts=lambda: mounts).remote == "nfs4"
    root = Root(os.fsencode(tmp_path), "claude-code")
    assert folders.look([root], given=True, mode="auto", mounts=lambda: mounts).roots[0].remote == "nfs4"


def test_roots_are_counted_and_missing_ones_are_told(tmp_path: pathlib.Path) -> None:
    """Conversations, folders, and whether somebody had named the root."""
    (tmp_path / "-p").mkdir()
    (tmp_path / "-p" / "a.jsonl").touch()
    roots = [Root(os.fsencode(tmp_path), "claude-code"), Root(b"/no/such", "codex")]
    first, second = folders.look(roots, given=True, mode="auto").roots
    assert (first.there, first.files, first.folders, first.unreadable) == (True, 1, 2, ())
    assert (second.there, second.given) == (False, True)


def test_memory_is_held_against_the_profile(tmp_path: pathlib.Path) -> None:
    """The limit of a control group shrinks the profile; a limit below what a worker needs is the profile's own word."""
    settings = loaded(str(tmp_path)).settings
    found = memory.look(settings, Probes(proc=str(tmp_path)))
    assert (found.limit_bytes, found.profile.name, found.problem) == (memory.UNKNOWN_BYTES, "balanced", "")
    tight = loaded(str(tmp_path), **{"worker.soft_limit_mb": "90"}).settings
    assert "90 MB" in memory.look(tight).problem


def test_the_period_is_what_the_first_file_says(tmp_path: pathlib.Path) -> None:
    """An organisation's file goes before a person's; 30 days when nobody says anything."""
    managed, own = str(tmp_path / "managed.json"), str(tmp_path / "settings.json")
    assert expiry.period((managed, own)) == (30, own, "")
    (tmp_path / "settings.json").write_text(json.dumps({"cleanupPeriodDays": 7}))
    assert expiry.period((managed, own)) == (7, own, "")
    (tmp_path / "managed.json").write_text(json.dumps({"cleanupPeriodDays": 90}))
    assert expiry.period((managed, own)) == (90, managed, "")
    (tmp_path / "managed.json").write_text("{")
    days, _, unreadable = expiry.period((managed, own))
    assert (days, "managed.json" in unreadable) == (7, True)


def test_the_settings_of_the_assistant_stand_in_its_own_folder(tmp_path: pathlib.Path) -> None:
    """CLAUDE_CONFIG_DIR moves them, also when it names several folders."""
    (tmp_path / "settings.json").write_text('{"cleanupPeriodDays": 9}')
    found = expiry.look({"CLAUDE_CONFIG_DIR": f"{tmp_path},/b"}, "/home/ann", ["/r"], [1.0], 2.0)
    assert (found.days, found.settings_file) == (9, f"{tmp_path}/settings.json")


def test_a_socket_has_a_mode_and_an_owner(tmp_path: pathlib.Path) -> None:
    """A file of that name is no socket."""
    assert serving.socket_of(str(tmp_path)) == (None, -1)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / serving.SOCKET))
        os.chmod(tmp_path / serving.SOCKET, 0o600)
        assert serving.socket_of(str(tmp_path)) == (0o600, os.geteuid())
    assert stat.S_ISSOCK(os.stat(tmp_path / serving.SOCKET).st_mode)
