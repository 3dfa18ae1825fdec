"""A worker does not outlive its parent: the kernel sees to it, or the worker itself, even if its input stays open."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from processes import alone, until

from importer.protocol.system.capabilities import SWITCH

PARENT = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-m", "importer.worker", *sys.argv[1:]], pass_fds=map(int, sys.argv[1:])).pid)
sys.stdout.flush()
time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize("without", ["", "all"])
def test_a_worker_ends_with_its_parent(without: str) -> None:
    """Killed without a word, while this process holds the other end of its input."""
    read, write = os.pipe()
    replies, reply = os.pipe()
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(read), str(reply)],
        env={**os.environ, SWITCH: without},
        pass_fds=(read, reply),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with parent:
            assert parent.stdout is not None
            worker = int(parent.stdout.readline())
            # it has begun when it ignores the signal: until then its parent's end could come too early to be seen
            until(lambda: not alone(worker) and _ignores_sigterm(worker))
            parent.send_signal(signal.SIGKILL)
        until(lambda: alone(worker))
    finally:
        for descriptor in (read, write, replies, reply):
            os.close(descriptor)


def _ignores_sigterm(pid: int) -> bool:
    """Return True once the process ignores SIGTERM, which it does at its beginning; True where that is not told."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            ignored = next(line.split()[1] for line in status if line.startswith("SigIgn"))
    except OSError:
        return True
    return bool(int(ignored, 16) & 1 << (signal.SIGTERM - 1))
