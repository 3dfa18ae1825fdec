"""The container's health check is tried on a socket that answers, on one that does not, and on a daemon."""

from __future__ import annotations

import pathlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from processes import Importer

from importer.service import health


@contextmanager
def answering(folder: pathlib.Path, answer: bytes) -> Iterator[None]:
    """Answer the first question on the control socket with these bytes."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "control.sock"))
        listener.listen()

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(4096)
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


def test_well(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An answer is exit 0 and names the process that gave it; the folder comes from the argument or the environment."""
    with answering(tmp_path, b'{"ok": true, "value": {"pid": 7}}\n'):
        assert health.main([], {"IMPORTER_STATE_DIR": str(tmp_path)}) == 0
    assert capsys.readouterr().out == "well: process 7 answers\n"


@pytest.mark.parametrize("answer", [b"", b"nonsense\n", b'{"ok": false}\n', b'{"value": 7}\n', b'{"value": {"pid"'])
def test_nonsense(tmp_path: pathlib.Path, answer: bytes) -> None:
    """Bytes that are no answer give exit 1, never a traceback."""
    with answering(tmp_path, answer):
        assert health.main([str(tmp_path)], {}) == 1


def test_silence(tmp_path: pathlib.Path) -> None:
    """A missing socket and one that accepts without answering are both reported in time."""
    with pytest.raises(FileNotFoundError):
        health.ping(str(tmp_path), 1)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "control.sock"))
        listener.listen()
        with pytest.raises(TimeoutError):
            health.ping(str(tmp_path), 0.05)


def test_a_daemon_is_well(tmp_path: pathlib.Path) -> None:
    """The check passes as the engine runs it while a daemon runs, and fails after its end."""
    installed = Importer(tmp_path)
    command = [sys.executable, "-m", "importer.service.health", installed.state]
    with installed.daemon("--source", f"auto={tmp_path}") as daemon:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"well: process {daemon.pid} answers\n")
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_it_is_light() -> None:
    """It runs every 30 s for months, so it imports the standard library alone."""
    program = "import importer.service.health, sys; print('asyncio' in sys.modules, 'structlog' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"False False\n"
