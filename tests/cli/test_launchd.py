"""The launchd agent keeps the unit's promises; `importer service` calls a scripted launchctl."""

from __future__ import annotations

import os
import pathlib
import plistlib
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from processes import until

from importer.cli.services import launchd
from importer.cli.services.launchd import Launchd
from importer.errors import STATE, STORE, TRY_AGAIN, USAGE, ImporterError, UsageError
from importer.settings.schema import DECLARED

DEPLOY = pathlib.Path(__file__).parents[2] / "deploy"
TOLD = """gui/501/importer.daemon = {
\tactive count = 1
\tstate = running

\tprogram = /bin/sh
\truns = 3
\tpid = 4711
\tlast exit code = 75
\tproperties = keepalive | runatload
}
"""


@dataclass
class Launchctl:
    """A launchctl that remembers its arguments, answers with `said`, and fails for the word in `fails`."""

    asked: list[str] = field(default_factory=list)
    fails: str = ""
    said: str = TOLD

    def __call__(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        self.asked.append(" ".join(arguments))
        failed = bool(self.fails) and self.fails in arguments
        return subprocess.CompletedProcess(arguments, int(failed), "" if failed else self.said, "no" if failed else "")


@pytest.fixture
def launchctl() -> Launchctl:
    return Launchctl()


@pytest.fixture
def agents(tmp_path: pathlib.Path, launchctl: Launchctl) -> Launchd:
    return Launchd(501, str(tmp_path), launchctl)


def content(command: Sequence[str] = ("importer",)) -> dict[str, object]:
    return dict(plistlib.loads(launchd.agent(command)))


def test_deploy_has_the_same_text() -> None:
    """What packagers take and what `service install` writes is one text."""
    assert (DEPLOY / launchd.FILE_NAME).read_bytes() == launchd.agent()


def test_the_agent_keeps_the_unit_s_promises() -> None:
    """Restarted at intervals, stopped in its own time, polite, private, with enough descriptors."""
    found = content(("/opt/my venv/bin/importer",))
    assert (found["KeepAlive"], found["RunAtLoad"]) == ({"SuccessfulExit": False}, True)
    assert found["ThrottleInterval"] == 10
    assert found["ExitTimeOut"] > DECLARED["daemon.grace_s"].default + 5
    assert (found["Umask"], found["LowPriorityIO"]) == (0o077, True)
    assert found["Nice"] > 0
    assert found["SoftResourceLimits"]["NumberOfFiles"] >= 256
    assert found["ProgramArguments"][3:] == ["importer", "/opt/my venv/bin/importer", "--log-level", "warning", "run"]


@pytest.mark.parametrize(
    ("code", "shown"), [(0, 0), (USAGE, 0), (STORE, 0), (STATE, STATE), (TRY_AGAIN, TRY_AGAIN), (-9, 137), (1, 1)]
)
def test_what_is_the_same_tomorrow_is_not_tried_again(code: int, shown: int) -> None:
    """launchd begins again after a failure alone: usage errors and a store that refuses look like a success."""
    program = "import os, sys; code = int(sys.argv[1]); os.kill(os.getpid(), -code) if code < 0 else sys.exit(code)"
    done = subprocess.run(["/bin/sh", "-c", launchd.SHELL, "importer", sys.executable, "-c", program, str(code)])
    assert done.returncode == shown


def test_a_stop_reaches_the_daemon_and_waits_for_it(tmp_path: pathlib.Path) -> None:
    """launchd sends SIGTERM to the shell alone; the daemon drains before the shell ends."""
    program = f"""
import pathlib, signal, sys, time
here = pathlib.Path({str(tmp_path)!r})
def drain(*_):
    time.sleep(0.3)
    (here / "drained").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, drain)
(here / "ready").touch()
time.sleep(60)
"""
    process = subprocess.Popen(["/bin/sh", "-c", launchd.SHELL, "importer", sys.executable, "-c", program])
    try:
        until((tmp_path / "ready").exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
    assert (tmp_path / "drained").exists()


def test_install(agents: Launchd, launchctl: Launchctl) -> None:
    """The agent is written, one that runs is replaced, and then launchd is asked for it."""
    assert "runs" in agents.install(("/opt/importer",), start=True)
    written = plistlib.loads(pathlib.Path(agents.path).read_bytes())
    assert written["StandardErrorPath"] == f"{agents.home}/Library/Logs/importer.log"
    assert os.path.isdir(f"{agents.home}/Library/Logs")
    assert [line.split()[1] for line in launchctl.asked] == ["bootout", "enable", "bootstrap", "print"]
    assert launchctl.asked[2] == f"launchctl bootstrap gui/501 {agents.path}"


def test_install_without_start(agents: Launchd, launchctl: Launchctl) -> None:
    """Agents in that folder start with the next login by themselves."""
    assert "next login" in agents.install(("importer",), start=False)
    assert launchctl.asked == []


@pytest.mark.parametrize("step", ["enable", "bootstrap", "print"])
def test_step_fails(agents: Launchd, launchctl: Launchctl, step: str) -> None:
    """A refusal of launchctl is reported in its words."""
    launchctl.fails = step
    with pytest.raises(ImporterError, match=f"launchctl {step}.*: no"):
        agents.install(("importer",), start=True)


def test_uninstall_twice(agents: Launchd, launchctl: Launchctl) -> None:
    """A second uninstall finds nothing and says so."""
    agents.install(("importer",), start=False)
    assert "removed" in agents.uninstall()
    assert launchctl.asked == ["launchctl bootout gui/501/importer.daemon"]
    assert "there is no" in agents.uninstall()


def test_status(agents: Launchd, launchctl: Launchctl) -> None:
    """Under the names that systemd has, so that programs read one form."""
    agents.install(("importer",), start=False)
    found = agents.shown()
    assert (found["ActiveState"], found["MainPID"], found["NRestarts"]) == ("active", "4711", "2")
    assert (found["LoadState"], found["Result"]) == ("loaded", "exit code 75")
    launchctl.fails = "print"
    assert (agents.shown()["LoadState"], agents.shown()["ActiveState"]) == ("not-found", "inactive")


def test_not_ours_to_write(launchctl: Launchctl, tmp_path: pathlib.Path) -> None:
    """A folder that cannot be written is reported before launchctl is called."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        Launchd(501, str(tmp_path / "file"), launchctl).install(("importer",), start=True)
    assert not launchctl.asked
