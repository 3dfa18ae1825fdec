"""Facts for `doctor` are gathered from the machine, and nothing on it is changed."""

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
    ("version", "bounds", "fits"),
    [
        ("1.20.0", ">=1.15,<2", True),
        ("2.0.0", ">=1.15,<2", False),
        ("1.9", ">=1.15", False),
        ("0.9.0", "==0.9.0", True),
        ("0.9", "==0.9.0", True),
        ("0.9.1", "==0.9.0", False),
        ("6.0rc1", ">=6", True),
        ("1", "", True),
        ("1.16.0-dev", ">=1.16,<2", True),
        ("master", ">=1.16,<2", False),
    ],
)
def test_versions_are_compared_by_their_numbers(version: str, bounds: str, fits: bool) -> None:
    """1.20 is newer than 1.9, 2 equals 2.0, and a release candidate counts as its release."""
    assert host.satisfies(version, bounds) is fits


def test_requirements_are_those_of_the_package(tmp_path: pathlib.Path) -> None:
    """Extras are left out; a missing package has no version; a source tree that is not installed requires nothing."""
    requires = {"conversation-importer": ["msgspec>=0.19", "no-such-thing==1", 'matplotlib>=3; extra == "plot"']}
    found = host.gather(loaded(str(tmp_path)), "", 0.0, requires=requires.get)
    assert found.packages == {
        "msgspec": (importlib.metadata.version("msgspec"), ">=0.19"),
        "no-such-thing": ("", "==1"),
    }

    def missing(name: str):
        raise importlib.metadata.PackageNotFoundError(name)

    assert host.gather(loaded(str(tmp_path)), "", 0.0, requires=missing).packages == {}


def test_the_limits_are_those_of_this_process(tmp_path: pathlib.Path) -> None:
    """The soft limits count; None is unlimited."""
    found = host.gather(loaded(str(tmp_path)), "", 5.0, clock=lambda: 9.0)
    assert found.open_files == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert (found.now, found.newest_at, found.address_bytes) == (9.0, 5.0, None)


def test_a_missing_state_directory_is_judged_by_the_folder_above(tmp_path: pathlib.Path) -> None:
    """Room and rights are those of the nearest existing folder; nothing is made."""
    found = state.gather(str(tmp_path / "a" / "b"))
    assert (found.exists, found.writable, found.problem) == (False, True, "")
    assert found.free_bytes > 0
    assert list(tmp_path.iterdir()) == []


def test_the_newest_commit_is_read_from_the_database(tmp_path: pathlib.Path) -> None:
    """The check of the clock compares this time with now."""
    with Checkpoints.open(str(tmp_path / state.FILE_NAME), clock=lambda: 77.0) as checkpoints:
        checkpoints.commit([commit()])
    assert state.gather(str(tmp_path)).newest_at == 77.0


def test_a_damaged_database_is_reported(tmp_path: pathlib.Path) -> None:
    """The message is the one of any other command, and the file stays as it is."""
    (tmp_path / state.FILE_NAME).write_bytes(b"no database" * 500)
    (tmp_path / f"{state.FILE_NAME}.corrupt-20260101T000000Z").touch()
    found = state.gather(str(tmp_path))
    assert "damaged" in found.problem
    assert (found.aside, found.hint != "") == (1, True)


def test_files_that_other_users_may_read_are_named(tmp_path: pathlib.Path) -> None:
    """Readable files in a readable folder are named; models are no secret, and a closed folder closes all below it."""
    for name in (state.FILE_NAME, "edge/conversations", "models/m"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name).chmod(0o755)
    tmp_path.chmod(0o755)
    assert state.gather(str(tmp_path)).exposed == (f"{tmp_path}/{state.FILE_NAME}", f"{tmp_path}/edge/conversations")
    tmp_path.chmod(0o700)
    assert state.gather(str(tmp_path)).exposed == ()


def test_a_network_file_system_is_recognised(tmp_path: pathlib.Path) -> None:
    """It is named for the state, which needs locks, and for the roots, which get no events from it."""
    mounts = NFS.format(tmp_path)
    assert state.gather(str(tmp_path), mounts=lambda: mounts).remote == "nfs4"
    root = Root(os.fsencode(tmp_path), "claude-code")
    assert folders.gather([root], given=True, mode="auto", mounts=lambda: mounts).roots[0].remote == "nfs4"


def test_roots_are_counted_and_missing_ones_are_reported(tmp_path: pathlib.Path) -> None:
    """A root has its number of conversations and folders, and tells if the settings name it."""
    (tmp_path / "-p").mkdir()
    (tmp_path / "-p" / "a.jsonl").touch()
    roots = [Root(os.fsencode(tmp_path), "claude-code"), Root(b"/no/such", "codex")]
    first, second = folders.gather(roots, given=True, mode="auto").roots
    assert (first.there, first.files, first.folders, first.unreadable) == (True, 1, 2, ())
    assert (second.there, second.given) == (False, True)


def test_memory_is_compared_with_the_profile(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any known limit 2 GB are assumed; a soft limit below a worker's needs is reported as a problem."""
    monkeypatch.setattr(Probes, "limit_bytes", lambda _self: None)
    settings = loaded(str(tmp_path)).settings
    found = memory.gather(settings, Probes(proc=str(tmp_path)))
    assert (found.limit_bytes, found.profile.name, found.problem) == (memory.ASSUMED_BYTES, "balanced", "")
    tight = loaded(str(tmp_path), **{"worker.soft_limit_mb": "90"}).settings
    assert "90 MB" in memory.gather(tight).problem


def test_the_first_file_that_sets_the_period_counts(tmp_path: pathlib.Path) -> None:
    """An organisation's file wins over a user's; without both the period is 30 days."""
    managed, own = str(tmp_path / "managed.json"), str(tmp_path / "settings.json")
    assert expiry.retention_days((managed, own)) == (30, own, "")
    (tmp_path / "settings.json").write_text(json.dumps({"cleanupPeriodDays": 7}))
    assert expiry.retention_days((managed, own)) == (7, own, "")
    (tmp_path / "managed.json").write_text(json.dumps({"cleanupPeriodDays": 90}))
    assert expiry.retention_days((managed, own)) == (90, managed, "")
    (tmp_path / "managed.json").write_text("{")
    days, _, unreadable = expiry.retention_days((managed, own))
    assert (days, "managed.json" in unreadable) == (7, True)


def test_the_assistant_s_settings_are_read_from_its_own_folder(tmp_path: pathlib.Path) -> None:
    """CLAUDE_CONFIG_DIR names the folder, the first one if there are several."""
    (tmp_path / "settings.json").write_text('{"cleanupPeriodDays": 9}')
    found = expiry.gather({"CLAUDE_CONFIG_DIR": f"{tmp_path},/b"}, "/home/ann", ["/r"], [1.0], 2.0)
    assert (found.days, found.settings_file) == (9, f"{tmp_path}/settings.json")


def test_a_socket_has_a_mode_and_an_owner(tmp_path: pathlib.Path) -> None:
    """Both are read from the socket itself; without one they are None and -1."""
    assert serving.socket_of(str(tmp_path)) == (None, -1)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / serving.SOCKET))
        os.chmod(tmp_path / serving.SOCKET, 0o600)
        assert serving.socket_of(str(tmp_path)) == (0o600, os.geteuid())
    assert stat.S_ISSOCK(os.stat(tmp_path / serving.SOCKET).st_mode)
