"""The units: in step with what `service install` writes, quiet under `verify`, tight under `security`."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from importer.cli.services import systemd_units
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
    """What drops capabilities ends a user's service with 218; what wants a user namespace by name may be refused."""
    text = systemd_units.user()
    refused = "CapabilityBoundingSet|AmbientCapabilities|User|StateDirectory|Protect(Clock|Kernel(Logs|Modules))"
    assert not re.search(rf"^({refused}|Private(Users|Devices)|ProtectHome)=|^ProtectSystem=strict", text, re.M)


@needs_analyze
@pytest.mark.parametrize(("name", "most"), [("importer.service", 1.5), ("importer-user.service", 5.5)])
def test_exposure(name: str, most: float) -> None:
    """By systemd's own measure, 10 is the worst; 6.3 had a user's unit with filters alone."""
    command = ["systemd-analyze", "security", "--offline=yes", str(DEPLOY / name)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert found is not None
    assert float(found[1]) <= most


def test_each_line_that_is_missing_has_its_reason() -> None:
    """What the system's unit has beyond the user's is named there."""
    system, user = systemd_units.system(), systemd_units.user()
    names = set(re.findall(r"^((?:Protect|Private|Capability|Device)\w+)=", system, re.M))
    had = set(re.findall(r"^(\w+)=", user, re.M))
    assert [name for name in sorted(names - had) if not re.search(rf"^#.*\b{name}\b", user, re.M)] == []


def test_a_percent_sign_in_the_path_survives() -> None:
    """What `service install` fills in stands in the unit unchanged."""
    assert "ExecStart=/opt/a%%b/importer run\n" in systemd_units.system("/opt/a%%b/importer", "ann")
    assert "\nUser=ann\n" in systemd_units.system("/x", "ann")
