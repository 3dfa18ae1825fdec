"""Decide what this system can do beyond POSIX: by trying it, never by the system's name.

Each row of `CAPABILITIES` has a twin that works everywhere. `IMPORTER_TEST_WITHOUT=all`, or some of the names with
commas, makes capabilities absent, so that tests run the twins on a system that has them all.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from importer.protocol.system import groups

SWITCH = "IMPORTER_TEST_WITHOUT"

pidfd_open: Callable[[int], int] | None = getattr(os, "pidfd_open", None)
_sched_getaffinity: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)


@functools.cache
def libc(name: str) -> Callable[..., Any] | None:
    """Return a function of the C library, None where it has none of that name."""
    import ctypes  # noqa: PLC0415  most commands do without

    try:
        found: Callable[..., Any] = ctypes.CDLL(None, use_errno=True)[name]
    except (OSError, AttributeError, TypeError):  # TypeError: no handle of the program itself, as on Windows
        return None
    return found


def _opens_pidfds() -> bool:
    """Return True if a pidfd can be had; a container's filter of system calls may refuse it."""
    try:
        os.close(pidfd_open(os.getpid()) if pidfd_open else -1)
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Capability:
    """Something that not every system has: what it `serves` here, and the `twin` that takes its place."""

    probe: Callable[[], bool]
    serves: str
    twin: str


CAPABILITIES = {
    "pidfd": Capability(_opens_pidfds, "the end of a worker wakes the loop", "a thread that waits for it"),
    "pdeathsig": Capability(
        lambda: libc("prctl") is not None,
        "the kernel kills a worker along with its daemon",
        "the worker ends at the end of its input, and when its parent's pid changes",
    ),
    "proc": Capability(
        lambda: os.path.isfile("/proc/self/status"),
        "memory, swap, mounts, control groups and pressure are read in /proc",
        "psutil: resident memory and mounts; without control groups and pressure",
    ),
    "fd-paths": Capability(
        lambda: os.path.isdir("/proc/self/fd"),
        "a socket in a deep folder is named by the folder's descriptor",
        "a link to the folder in the directory of temporary files",
    ),
    "glibc-malloc": Capability(
        lambda: libc("mallopt") is not None and libc("malloc_trim") is not None,
        "freed memory goes back to the system at once",
        "the allocator's own pace; a worker that grows is replaced all the same",
    ),
    "events": Capability(
        lambda: libc("inotify_init1") is not None or libc("kqueue") is not None,
        "the kernel tells which files change",
        "folders are polled",
    ),
    "affinity": Capability(
        lambda: _sched_getaffinity is not None, "the cores this process may use are counted", "all cores are"
    ),
    "fadvise": Capability(
        lambda: hasattr(os, "posix_fadvise"), "files are read ahead of a search", "they are read when needed"
    ),
    "fullfsync": Capability(
        lambda: hasattr(__import__("fcntl"), "F_FULLFSYNC"), "a disk is told to empty its own cache", "fsync(2)"
    ),
}


@functools.cache
def has(name: str) -> bool:
    """Return True if this system has the capability of that name, and no test has switched it off."""
    off = os.environ.get(SWITCH, "").split(",")
    return name not in off and "all" not in off and CAPABILITIES[name].probe()


def cores() -> int:
    """Return how many cores this process may use: `taskset`, a cpuset or a quota make them fewer than there are."""
    allowed = len(_sched_getaffinity(0)) if has("affinity") and _sched_getaffinity else os.cpu_count() or 1
    return min(allowed, groups.cores_left() or allowed) if has("proc") else allowed
