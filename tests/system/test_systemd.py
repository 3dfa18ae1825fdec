"""The units: in step with what `service install` writes, quiet under `verify`, tight under `security`."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from importer.cli import systemd_units
from importer.errors import STATE, STORE, TRY_AGAIN, USAGE
from importer.memory.profiles import BALANCED
from importer.settings.schema import DECLARED

DEPLOY = pathlib.Path(__file__).parents[2] / "deploy"
UNITS = ("importer.service", "importer-user.service")
needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
MB = 1024 * 1024


def values(unit: str, name: str) -> list[str]:
    """Return what a unit says after `name=`, in order."""
    return re.findall(rf"^{name}=(.*)$", systemd_units.FILES[unit](), re.MULTILINE)


def analyze(tmp_path: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    command = ["systemd-analyze", *arguments]
    return subprocess.run(
        command, env=environ, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


@pytest.mark.parametrize("name", systemd_units.FILES)
def test_deploy_has_the_same_text(name: str) -> None:
    """What packagers take and what `service install` writes is one text."""
    assert (DEPLOY / name).read_text() == systemd_units.FILES[name]()


@needs_analyze
@pytest.mark.parametrize(("unit", "flags"), [("importer.service", ()), ("importer-user.service", ("--user",))])
def test_verify_is_quiet(tmp_path: pathlib.Path, unit: str, flags: tuple[str, ...]) -> None:
    """systemd finds nothing to say."""
    found = analyze(tmp_path, "verify", *flags, str(DEPLOY / unit))
    assert (found.returncode, found.stdout) == (0, "")


@needs_analyze
def test_exposure(tmp_path: pathlib.Path) -> None:
    """The system unit's exposure is at most 1.5 of 10."""
    found = analyze(tmp_path, "security", "--offline=true", "--threshold=15", str(DEPLOY / "importer.service"))
    level = re.search(r"Overall exposure level for importer.service: (\d+\.\d+)", found.stdout)
    assert level and float(level[1]) <= 1.5
    assert found.returncode == 0


@pytest.mark.parametrize("unit", UNITS)
def test_restart_policy(unit: str) -> None:
    """Usage errors and a store that refuses stay down; a memory limit or a held state is tried again, for ever."""
    stay_down = {int(word) for word in values(unit, "RestartPreventExitStatus")[0].split()}
    assert stay_down == {USAGE, STORE}
    assert not stay_down & {STATE, TRY_AGAIN, 0}
    assert (values(unit, "Restart"), values(unit, "StartLimitIntervalSec")) == (["always"], ["0"])


@pytest.mark.parametrize("unit", UNITS)
def test_memory_above_daemon_and_worker(unit: str) -> None:
    """The kernel throttles and kills only beyond what daemon and worker may take by their own rules."""
    ours = BALANCED.hard_limit_bytes + DECLARED["daemon.operational_memory_mb"].default * MB
    high, most = int(values(unit, "MemoryHigh")[0].rstrip("M")), int(values(unit, "MemoryMax")[0].rstrip("G"))
    assert ours < high * MB < most * 1024 * MB
    assert values(unit, "OOMPolicy") == ["continue"]


@pytest.mark.parametrize("unit", UNITS)
def test_stop_is_longer_than_the_drain(unit: str) -> None:
    """A stop waits for the drain; only the daemon is told, the worker is the daemon's to end."""
    assert int(values(unit, "TimeoutStopSec")[0]) > DECLARED["daemon.grace_s"].default + 5
    assert (values(unit, "KillMode"), values(unit, "Type")) == (["mixed"], ["notify"])


def test_credentials_are_those_that_are_read() -> None:
    """Every key there is can be a credential, under the name the settings look for; a missing one is no failure."""
    named = dict(value.split(":") for value in values("importer.service", "LoadCredential"))
    assert set(named) == {one.env[0].lower() for one in DECLARED.values() if one.secret}
    assert not [source for source in named.values() if source.startswith("/")]


def test_user_unit_asks_for_no_privilege() -> None:
    """Capabilities and mounts fail in a user's manager."""
    text = systemd_units.user()
    assert not re.search(
        r"^(CapabilityBoundingSet|AmbientCapabilities|User|Protect\w+|Private\w+|StateDirectory)=", text, re.M
    )


def test_a_percent_sign_in_the_path_survives() -> None:
    """What `service install` fills in stands in the unit unchanged."""
    assert "ExecStart=/opt/a%%b/importer run\n" in systemd_units.system("/opt/a%%b/importer", "ann")
    assert "\nUser=ann\n" in systemd_units.system("/x", "ann")
