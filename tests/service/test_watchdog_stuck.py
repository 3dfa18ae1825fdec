"""A process that stands still ends by itself and prints its stacks."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("program", "code", "said"),
    [
        ("watchdog.feed(0.2); threading.Lock().acquire(); threading.Event().wait(30)", 1, b"Timeout (0:00:00.2"),
        ("[(watchdog.feed(0.5), time.sleep(0.2)) for _ in range(4)]; watchdog.rest()", 0, b""),
        ("watchdog.feed(0.1); watchdog.rest(); time.sleep(0.3)", 0, b""),
    ],
)
def test_ends_unless_fed(program: str, code: int, said: bytes) -> None:
    """Without feeding it ends with its stacks; fed, or told to rest, it lives."""
    command = [sys.executable, "-c", f"import threading, time; from importer.service import watchdog; {program}"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=30)
    assert (done.returncode, done.stderr.startswith(said)) == (code, True)
