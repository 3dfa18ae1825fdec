"""Threads that compute are nicer than those that answer."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
from processes import until

from importer.protocol.system import priority
from importer.protocol.system.capabilities import has
from importer.worker.parallel import side_by_side

pytestmark = pytest.mark.skipif(not has("proc"), reason="niceness of a thread is Linux's")


@pytest.fixture
def nice(monkeypatch: pytest.MonkeyPatch) -> int:
    """How nice threads are to be that compute: two more than this one."""
    wanted = min(19, own() + 2)
    monkeypatch.setattr(priority, "_niceness", wanted)
    return wanted


def own() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


def test_an_engine_s_threads_give_way(nice: int) -> None:
    """Those that were started while the model was loaded; the others and the loading thread stay."""
    before, ended, found = own(), threading.Event(), []
    with priority.starting_compute_threads():
        thread = threading.Thread(target=lambda: (ended.wait(10), found.append(own())))
        thread.start()
    until(lambda: os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) == nice)
    ended.set()
    thread.join()
    assert (found, own()) == ([nice], before)


def test_a_lane_gives_way(nice: int) -> None:
    """With ONNX Runtime it is the lane's own thread that computes; who hands out the runs stays."""
    before = own()
    assert {found for _, found in side_by_side(range(3), lambda _work: own(), 2, before=lambda _: None)} == {nice}
    assert own() == before


def test_what_answers_is_half_as_nice_as_what_computes() -> None:
    """In a process of its own, for what was lowered stays so."""
    said = """
import os
from importer.protocol.system import priority
priority.settle(18)
print(os.getpriority(os.PRIO_PROCESS, 0))
priority.give_way()
print(os.getpriority(os.PRIO_PROCESS, 0))
"""
    ran = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [str(max(9, own())), str(max(18, own()))]
