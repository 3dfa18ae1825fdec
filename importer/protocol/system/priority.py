"""How nice the threads of a worker are: what computes gives way to what answers questions, reads and stores.

Two lanes keep two cores busy, and a question that takes 30 ms of one would take half as long again. Threads inherit the
niceness of the one that starts them, and on Linux each has its own (sched(7)).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from importer.protocol.system.capabilities import has

_niceness = 0


def settle(niceness: int) -> None:
    """Make threads that compute so nice from now on, and this one, with all it starts, half as nice.

    Where a niceness is the whole process's (macOS), all of it is that nice. nice(2) adds to what was inherited.
    """
    global _niceness  # noqa: PLW0603  # a property of the process
    _niceness = niceness
    with contextlib.suppress(OSError):
        os.nice(max(0, (niceness // 2 if has("proc") else niceness) - os.nice(0)))


def give_way(thread: int = 0) -> None:
    """Make a thread as nice as those are that compute; the calling one by default. Where that is refused it stays."""
    if not has("proc"):
        return  # macOS has a niceness of the whole process
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread, max(_niceness, os.getpriority(os.PRIO_PROCESS, thread)))


@contextlib.contextmanager
def starting_compute_threads() -> Iterator[None]:
    """Have the threads that are started within give way: an engine's own, which are there once the model is loaded."""
    before = _threads()
    yield
    for thread in _threads() - before:
        give_way(thread)


def _threads() -> frozenset[int]:
    """Return the ids of this process's threads, none where the system does not list them."""
    return frozenset(map(int, os.listdir("/proc/self/task"))) if has("proc") else frozenset()
