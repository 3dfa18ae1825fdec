"""The end of a child as a descriptor: a pidfd and its twin say the same, and leave nothing behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading

import pytest

from importer.delivery.child_exit import exit_descriptor


@pytest.fixture(params=["as it is", "plain"])
def system(request: pytest.FixtureRequest) -> str:
    """This system, and one without pidfds."""
    if request.param == "plain":
        request.getfixturevalue("plain_system")
    return str(request.param)


def test_the_descriptor_becomes_readable_at_the_end(system: str) -> None:
    """Not before; and the status is there for `wait` then, a signal's too."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    descriptor = exit_descriptor(process.pid, process.wait)
    assert not select.select([descriptor], [], [], 0)[0]
    process.kill()
    assert select.select([descriptor], [], [], 30)[0] == [descriptor]
    assert process.wait(5) == -signal.SIGKILL
    os.close(descriptor)


def test_nothing_is_left_behind(system: str) -> None:
    """Neither descriptors nor threads, after many children."""
    before = len(os.listdir("/dev/fd"))
    for _ in range(5):
        process = subprocess.Popen(["true"])
        descriptor = exit_descriptor(process.pid, process.wait)
        assert select.select([descriptor], [], [], 30)[0]
        os.close(descriptor)
        process.wait()
    for thread in threading.enumerate():
        if thread.name.startswith("wait-"):
            thread.join(5)
    assert len(os.listdir("/dev/fd")) == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("wait-")]
