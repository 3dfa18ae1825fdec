"""The system unit under a real systemd, process 1 of a container: READY, WATCHDOG, and what it does on faults.

`pytest -m docker`. Needs the importer's image (see `test_container`) and a Debian with systemd made by
deploy/base-image, which takes minutes the first time.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import uuid
from collections.abc import Iterator

import pytest
from containers import ROOT, build, docker, missing
from processes import until

pytestmark = [pytest.mark.docker, pytest.mark.long, pytest.mark.skipif(bool(missing()), reason=missing() or "-")]
BASE = "importer-systemd-test"
# Not --privileged: the engine may itself lack a capability. Credentials need a shared mount tree, as on a real machine.
RIGHTS = ("--cap-add=SYS_ADMIN", "--cap-add=SYS_PTRACE", "--cap-add=NET_ADMIN", "--cap-add=SYS_NICE")
RIGHTS += ("--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined")
MOUNTS = ("--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw", "--tmpfs=/run", "--tmpfs=/run/lock", "--tmpfs=/tmp")
DOCKERFILE = """\
FROM {base}
COPY --from={image} /opt/importer /opt/importer
RUN useradd -m -u 1000 ann && mkdir -p /etc/importer /etc/credstore /home/ann/.claude/projects \\
  && chown -R ann /home/ann/.claude && chmod -R go-rwx /home/ann/.claude \\
  && echo IMPORTER_MODEL_DIR=/opt/importer/models > /etc/importer/environment \\
  && echo secret > /etc/credstore/importer.qdrant_api_key
ENV container=docker PATH=/opt/importer/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["sh", "-c", "mount --make-rshared / && exec /sbin/init"]
"""


class Machine:
    """A container whose process 1 is systemd."""

    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command in the container and return what it prints."""
        return docker("exec", self.name, *command, check=check)

    def shows(self, name: str) -> str:
        """Return a property of the service."""
        return self.run("systemctl", "show", "importer", f"--property={name}", "--value")

    def kill(self, signal: str) -> None:
        """Send a signal to the daemon."""
        self.run("sh", "-c", f"kill -{signal} {self.shows('MainPID')}")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with the service installed by `importer service install`."""
    folder = tmp_path_factory.mktemp("machine")
    image = machine_image(folder)
    name = f"importer-test-{uuid.uuid4().hex[:8]}"
    try:
        docker("run", "-d", "--name", name, *RIGHTS, *MOUNTS, image)
        here = Machine(name)
        until(lambda: here.run("systemctl", "is-system-running", check=False) == "running", seconds=60, every_s=0.5)
        here.run("importer", "service", "install", "--run-as", "ann")
        yield here
    finally:
        docker("rm", "-f", "-v", name, check=False)
        docker("rmi", image, check=False)


def machine_image(folder: pathlib.Path) -> str:
    """Built from the importer's image and a Debian with systemd."""
    environ = {"PACKAGES": "systemd,systemd-sysv,dbus", "CA_FILE": os.environ.get("PIP_CERT", ""), **os.environ}
    if not docker("images", "-q", BASE):
        made = subprocess.run([ROOT / "deploy/base-image", BASE], env=environ, capture_output=True, check=False)
        if made.returncode:
            pytest.skip(f"no Debian with systemd can be made here: {made.stderr[-200:]!r}")
    (folder / "Dockerfile").write_text(DOCKERFILE.format(base=BASE, image=build()))
    docker("build", "-t", "importer-machine:test", str(folder), seconds=300)
    return "importer-machine:test"


def test_ready_and_watchdog(machine: Machine) -> None:
    """`install` waited for READY; the status text and the watchdog's keep-alive arrived."""
    assert machine.shows("ActiveState") == "active"
    assert machine.shows("StatusText") == "0 files, 0 pending"
    first = machine.shows("WatchdogTimestampMonotonic")
    until(lambda: machine.shows("WatchdogTimestampMonotonic") > first, every_s=0.5)


def test_keys_arrive(machine: Machine) -> None:
    """The key that is there is read; those that are not keep nothing from starting."""
    pid = machine.shows("MainPID")
    assert machine.run("ls", "/run/credentials/importer.service") == "qdrant_api_key"
    assert "CREDENTIALS_DIRECTORY" in machine.run("sh", "-c", f"tr '\\0' '\\n' < /proc/{pid}/environ")


def test_reload(machine: Machine) -> None:
    """`systemctl reload` re-reads the settings of the process that runs."""
    pid = machine.shows("MainPID")
    machine.run("systemctl", "reload", "importer")
    until(lambda: "settings.reread" in machine.run("journalctl", "-u", "importer", "--no-pager"), every_s=0.5)
    assert machine.shows("MainPID") == pid


def test_crash_is_restarted(machine: Machine) -> None:
    """Killed, it is started again."""
    before = int(machine.shows("NRestarts"))
    machine.kill("KILL")
    until(lambda: int(machine.shows("NRestarts")) == before + 1, seconds=60, every_s=0.5)
    until(lambda: machine.shows("ActiveState") == "active", seconds=60, every_s=0.5)


def test_hang_is_restarted(machine: Machine) -> None:
    """A daemon that stands still is noticed by the watchdog."""
    machine.run("mkdir", "-p", "/run/systemd/system/importer.service.d")
    drop_in = "printf '[Service]\\nWatchdogSec=3\\nRestartSec=1\\n' > /run/systemd/system/importer.service.d/w.conf"
    machine.run("sh", "-c", drop_in)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "importer")
    machine.kill("STOP")
    until(lambda: machine.shows("NRestarts") == "1", seconds=60, every_s=0.5)
    assert "Watchdog timeout" in machine.run("journalctl", "-u", "importer", "--no-pager")


def test_stop_and_uninstall(machine: Machine) -> None:
    """A stop is a success, and nothing is left of the unit; the state is."""
    until(lambda: machine.shows("ActiveState") == "active", seconds=60, every_s=0.5)
    machine.run("systemctl", "stop", "importer")
    assert machine.shows("Result") == "success"
    assert "is removed" in machine.run("importer", "service", "uninstall")
    assert machine.run("systemctl", "is-enabled", "importer", check=False) != "enabled"
    assert "checkpoints.sqlite3" in machine.run("ls", "/var/lib/importer")
