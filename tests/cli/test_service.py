"""`importer service` calls a scripted systemctl."""

from __future__ import annotations

import os
import pathlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from importer.cli.commands import service
from importer.cli.commands.service import Systemd
from importer.cli.services import systemd_units
from importer.cli.services.started import importer_words
from importer.errors import ImporterError, UsageError


@dataclass
class Systemctl:
    """A systemctl that remembers its arguments, answers with `said`, and fails for the word in `fails`."""

    asked: list[str] = field(default_factory=list)
    fails: str = ""
    said: str = ""

    def __call__(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        self.asked.append(" ".join(arguments))
        failed = bool(self.fails) and self.fails in arguments
        return subprocess.CompletedProcess(arguments, int(failed), self.said, "it cannot" if failed else "")


@pytest.fixture
def systemctl() -> Systemctl:
    return Systemctl()


@pytest.fixture
def systemd(tmp_path: pathlib.Path, systemctl: Systemctl) -> Systemd:
    return Systemd(True, str(tmp_path / "units"), run=systemctl, running=str(tmp_path))


def test_install(systemd: Systemd, systemctl: Systemctl) -> None:
    """The unit is written, reloaded, enabled and started, and then it is checked that it runs."""
    said = service.install(systemd, systemd_units.user("/opt/bin/importer"), start=True)
    assert "ExecStart=/opt/bin/importer run\n" in pathlib.Path(systemd.path).read_text()
    assert [line.split()[2] for line in systemctl.asked] == ["daemon-reload", "enable", "restart", "is-active"]
    assert "runs" in said


def test_install_without_start(systemd: Systemd, systemctl: Systemctl) -> None:
    """The unit is enabled and not started."""
    assert "starts with the next session" in service.install(systemd, "", start=False)
    assert not [line for line in systemctl.asked if "restart" in line]


@pytest.mark.parametrize("step", ["daemon-reload", "enable", "restart", "is-active"])
def test_step_fails(systemd: Systemd, systemctl: Systemctl, step: str) -> None:
    """A refusal of systemctl is reported in its words, with the place to read more."""
    systemctl.fails = step
    with pytest.raises(ImporterError, match=f"systemctl {step}.*it cannot") as told:
        service.install(systemd, "", start=True)
    assert "journalctl --user" in told.value.hint


def test_install_twice_uninstall_twice(systemd: Systemd, systemctl: Systemctl) -> None:
    """A second install replaces the first; a second uninstall finds nothing and says so."""
    service.install(systemd, "old", start=True)
    service.install(systemd, "new", start=True)
    assert pathlib.Path(systemd.path).read_text() == "new"
    assert "removed" in service.uninstall(systemd)
    assert not os.path.exists(systemd.path)
    asked = len(systemctl.asked)
    assert "there is no" in service.uninstall(systemd)
    assert len(systemctl.asked) == asked


def test_not_ours_to_write(systemctl: Systemctl, tmp_path: pathlib.Path) -> None:
    """A folder that cannot be written is reported before systemctl is called."""
    (tmp_path / "file").write_text("")
    systemd = Systemd(False, str(tmp_path / "file" / "system"), run=systemctl)
    with pytest.raises(UsageError, match="cannot be written") as told:
        service.install(systemd, "", start=True)
    assert "--user" in told.value.hint and not systemctl.asked


def test_no_systemctl(systemd: Systemd, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """Without systemctl, or without a running systemd, the message says what to do instead."""
    with pytest.raises(UsageError, match="does not run this machine"):
        Systemd(True, "", running=str(tmp_path / "none"), run=systemd.run).check()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="no systemctl") as told:
        systemd.check()
    assert "importer run" in told.value.hint


def test_no_manager_of_the_user(systemd: Systemd, systemctl: Systemctl, monkeypatch: pytest.MonkeyPatch) -> None:
    """After su or sudo the user has no service manager: the message names lingering, which starts one."""
    binary = pathlib.Path(systemd.running) / "systemctl"
    binary.write_text("")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", systemd.running)
    systemctl.fails = "show"
    with pytest.raises(UsageError, match="manager of this user") as told:
        systemd.check()
    assert "enable-linger" in told.value.hint


def test_status(systemd: Systemd, systemctl: Systemctl) -> None:
    """The output of systemctl becomes a few lines."""
    systemctl.said = "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nMainPID=7\n"
    systemctl.said += "NRestarts=2\nStatusText=3 files, 0 pending\n"
    text = service.text_of(service.shown(systemd))
    assert text == "active (running), enabled\n3 files, 0 pending\nprocess 7, restarted 2 times"
    assert "not installed" in service.text_of({"LoadState": "not-found"})
    dead = {"ActiveState": "failed", "SubState": "failed", "MainPID": "0", "Result": "watchdog"}
    assert "ended: watchdog" in service.text_of(dead)


@pytest.mark.parametrize(
    ("python", "script", "command"),
    [
        ("/opt/v/bin/python", True, "/opt/v/bin/importer"),
        ("/opt/v/bin/python", False, "/opt/v/bin/python -P -m importer"),
        ("/o p/100%/$x/bin/python", False, '"/o p/100%%/$$x/bin/python" -P -m importer'),
    ],
)
def test_command(python: str, script: bool, command: str) -> None:
    """The unit starts this very installation, also with special characters in its path."""
    assert service.command_line(importer_words(python, lambda _path: script)) == command


def test_person() -> None:
    """The machine's service runs as an existing user that was named."""
    assert service.person("root") == "root"
    with pytest.raises(UsageError, match="which user's conversations"):
        service.person("")
    with pytest.raises(UsageError, match="no user 'no-such-user'"):
        service.person("no-such-user")


def test_slow_command_is_told() -> None:
    """A command that does not end in time is reported, to be looked at later."""
    with pytest.raises(ImporterError, match="longer than") as told:
        service.call(["sleep", "9"], timeout_s=0.01)
    assert told.value.retryable
