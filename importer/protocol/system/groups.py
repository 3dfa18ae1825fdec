"""Find the control groups that this process is in, of version 1 and 2, and how many cores they leave it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass

from importer.protocol.system.plain import plain

FOLDER = "/sys/fs/cgroup"


@dataclass(frozen=True, slots=True)
class Level:
    """Folder of the control group file system; `old` for version 1."""

    folder: str
    old: bool

    def text(self, name: str) -> str:
        """Return what one of its files says."""
        return read(self.folder, name)


def levels(controller: str, *, proc: str = "/proc", groups: str = FOLDER) -> Iterator[Level]:
    """Yield the control groups from our own up to the root; version 1 where it holds the controller.

    With a `proc` of "" there are none.
    """
    text = read(proc, "self", "cgroup") if proc else ""
    lines = [line.split(":", 2) for line in text.splitlines() if line.count(":") > 1]
    old = next((path for _, names, path in lines if controller in names.split(",")), None)
    new = next((path for number, names, path in lines if number == "0" and not names), None)
    root, path = (os.path.join(groups, controller), old) if old is not None else (groups, new)
    parts = [] if path is None else [part for part in path.split("/") if part and part != ".."]
    for depth in range(len(parts), -1, -1):
        folder = os.path.join(root, *parts[:depth])
        if os.path.isdir(folder):  # without a namespace of its own, a container's path is not there: only its root
            yield Level(folder, old is not None)


def cores_left(*, proc: str = "/proc", groups: str = FOLDER) -> int | None:
    """Return how many cores' time the groups leave (`docker run --cpus`, systemd's CPUQuota=); None for no limit.

    A part of a core counts as one: a thread more is held back at times, a thread less leaves time unused.
    """
    shares = (_share(level) for level in levels("cpu", proc=proc, groups=groups))
    return min((max(1, math.ceil(share)) for share in shares if share is not None), default=None)


def _share(level: Level) -> float | None:
    """Return the cores' time of one group; None where it has no limit, or does not tell."""
    names = ("cpu.cfs_quota_us", "cpu.cfs_period_us") if level.old else ("cpu.max",)
    words = " ".join(map(level.text, names)).split()
    if len(words) != 2 or not all(word.isdigit() for word in words):  # "max", or version 1's -1
        return None
    quota, period = map(int, words)
    return quota / period if quota and period else None


def read(*parts: str) -> str:
    """Return the text of a small kernel file; "" when there is none or it may not be read."""
    try:
        with open(os.path.join(*parts), "rb", opener=plain) as file:
            return file.read(65536).decode(errors="replace")
    except OSError:
        return ""
