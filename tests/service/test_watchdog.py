"""sd_notify is sent over a real datagram socket, at each step of a daemon's life."""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import time

import pytest
from processes import Importer

from importer.service.watchdog import Notify


@pytest.fixture
def manager(tmp_path: pathlib.Path) -> socket.socket:
    """Bind the socket of a service manager."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(tmp_path / "notify"))
    listener.settimeout(30)
    yield listener
    listener.close()


def heard(manager: socket.socket, word: str) -> list[str]:
    """Receive assignments up to and with the first that starts with `word`."""
    words: list[str] = []
    end = time.monotonic() + 30
    while not any(one.startswith(word) for one in words):
        assert time.monotonic() < end, words
        words += manager.recv(4096).decode().split("\n")
    return words


def test_one_datagram(manager: socket.socket, tmp_path: pathlib.Path) -> None:
    """Assignments travel together, one a line."""
    Notify({"NOTIFY_SOCKET": str(tmp_path / "notify")}).say("READY=1", "STATUS=3 files")
    assert manager.recv(4096) == b"READY=1\nSTATUS=3 files"


def test_abstract_socket() -> None:
    """An @ in front stands for the NUL of an abstract address."""
    name = f"importer-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name)
        Notify({"NOTIFY_SOCKET": "@" + name}).say("READY=1")
        assert listener.recv(64) == b"READY=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}])
def test_nobody_listens(environ: dict[str, str]) -> None:
    """Without a service manager, or after it went away, sending does nothing."""
    notify = Notify(environ)
    notify.say("READY=1")
    assert notify.watchdog_s == 0.0


def test_a_manager_that_does_not_read(manager: socket.socket, tmp_path: pathlib.Path) -> None:
    """A full queue loses the message and stops nothing."""
    notify = Notify({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    for _ in range(2000):
        notify.say("WATCHDOG=1")
    assert manager.recv(64) == b"WATCHDOG=1"


@pytest.mark.parametrize(
    ("environ", "watchdog_s"),
    [
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": ""}, 0.0),
    ],
)
def test_watchdog(environ: dict[str, str], watchdog_s: float) -> None:
    """The watchdog is fed only if it is set for this process."""
    assert Notify(environ).watchdog_s == watchdog_s


def test_a_daemons_life(manager: socket.socket, tmp_path: pathlib.Path) -> None:
    """READY comes after the first look, without a worker; the watchdog is fed; a reload and the end are sent."""
    folder = tmp_path / "said"
    folder.mkdir()
    environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "60000000"}
    installed = Importer(tmp_path)
    with installed.daemon("--source", f"claude-code={folder}", **environ) as daemon:
        assert "STATUS=0 files, 0 pending" in heard(manager, "STATUS")
        heard(manager, "WATCHDOG=1")
        daemon.send_signal(signal.SIGHUP)
        assert heard(manager, "READY=1")[-1] == "READY=1"
        daemon.send_signal(signal.SIGTERM)
        heard(manager, "STOPPING=1")
        assert daemon.wait(30) == 0
