"""Probes of memory: what there is and who takes it, from psutil, /proc and the control group; None where unknown.

    worker, daemon   /proc/<pid>/status     anonymous pages, swap, file-backed pages; psutil: resident ones
    machine          psutil                 total, available
    control group    v2 memory.max, memory.high, memory.current, or v1 memory.limit_in_bytes, memory.usage_in_bytes:
                     every level from our own up to the root, of which the one with the least room counts
    pressure         memory.pressure of the control group, /proc/pressure/memory: share of time stalled

`ru_maxrss` is not used: it survives exec, so a small child of a grown parent reports the parent. Read by hand is
what psutil lacks: it tells neither anonymous memory, nor groups, nor pressure, and swap only at the cost of smaps.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from importer.protocol.system.capabilities import has
from importer.protocol.system.groups import FOLDER, Level, levels, read

ASSUMED_BYTES = 2 << 30  # the limit that is assumed where neither the machine nor a control group tells one
UNLIMITED_BYTES = 2**60  # version 1 says "no limit" with the largest number that fits a page counter


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """Memory of one process.

    `anon_bytes` (shared memory too) and `swap_bytes` are its own; the kernel takes back the rest.
    """

    anon_bytes: int
    swap_bytes: int
    file_bytes: int

    @property
    def judged_bytes(self) -> int:
        """Bytes that limits are held against."""
        return self.anon_bytes + self.swap_bytes

    @property
    def rss_bytes(self) -> int:
        """Resident bytes, as `ps` shows them."""
        return self.anon_bytes + self.file_bytes


@dataclass(frozen=True, slots=True)
class GroupMemory:
    """Control group with the least room: its limit, and its use without what is easily taken back."""

    limit_bytes: int
    used_bytes: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at all memory. `at_s` is monotonic; pressure is the share of the last 10 s stalled, in percent."""

    at_s: float
    worker: ProcessMemory | None = None
    daemon: ProcessMemory | None = None
    total_bytes: int | None = None
    available_bytes: int | None = None
    group: GroupMemory | None = None
    oom_kills: int | None = None
    full_percent: float | None = None
    gpu: GroupMemory | None = None

    @property
    def free_fraction(self) -> float | None:
        """Free part of the machine's, the control group's or the GPU's memory, of the tightest one; 0 to 1."""
        shares = []
        if self.total_bytes and self.available_bytes is not None:
            shares.append(self.available_bytes / self.total_bytes)
        if self.group is not None and self.group.limit_bytes > 0:
            shares.append(max(0.0, 1.0 - self.group.used_bytes / self.group.limit_bytes))
        if self.gpu is not None and self.gpu.limit_bytes > 0:
            shares.append(max(0.0, 1.0 - self.gpu.used_bytes / self.gpu.limit_bytes))
        return min(shares, default=None)


def memory_limit_bytes() -> int:
    """Return the most this process and its worker can ever have; 2 GiB where nothing can be known."""
    return Probes().limit_bytes() or ASSUMED_BYTES


class Probes:
    """Reader of everything below two roots. `clock` is monotonic seconds. Never raises for a missing file.

    With a `proc` of "" psutil tells the memory of processes, and nothing tells groups and pressure.
    """

    def __init__(
        self,
        *,
        proc: str | None = None,
        groups: str = FOLDER,
        clock: Callable[[], float] = time.monotonic,
        gpu: Callable[[], GroupMemory | None] = lambda: None,
    ) -> None:
        self._gpu = gpu
        self._proc = proc if proc is not None else "/proc" if has("proc") else ""
        self._groups, self._clock = groups, clock

    def sample(self, worker_pid: int | None = None) -> Sample:
        """Take one sample; about half a millisecond."""
        levels = list(self._levels())
        total, available = self.machine()
        return Sample(
            at_s=self._clock(),
            worker=self.process(worker_pid) if worker_pid else None,
            daemon=self.process(None),
            total_bytes=total,
            available_bytes=available,
            group=_tightest(levels),
            oom_kills=next((kills for level in levels if (kills := level.oom_kills()) is not None), None),
            full_percent=self._stalled_percent(levels),
            gpu=self._gpu(),
        )

    def process(self, pid: int | None) -> ProcessMemory | None:
        """Return the memory of one process (None: this one); None when it is gone."""
        if not self._proc:
            return _resident(pid)
        status = _numbers(read(self._proc, str(pid or "self"), "status"))
        if "VmRSS" not in status:  # gone, a zombie, or a kernel thread
            return None
        anon = status.get("RssAnon", status["VmRSS"]) + status.get("RssShmem", 0)
        return ProcessMemory(anon * 1024, status.get("VmSwap", 0) * 1024, status.get("RssFile", 0) * 1024)

    def machine(self) -> tuple[int | None, int | None]:
        """Return `(total, available)` bytes of the machine's memory."""
        import psutil  # noqa: PLC0415  # 0.9 MB that a command without samples does without

        try:
            found = psutil.virtual_memory()
        except (OSError, LookupError, ValueError):  # a /proc of a strange kernel
            return None, None
        return found.total or None, found.available

    def limit_bytes(self) -> int | None:
        """Return the most we and the worker can ever have: the smallest limit, or the machine's memory."""
        limits = [limit for level in self._levels() if (limit := level.limit()) is not None]
        try:
            installed = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")  # -1 pages where it is not known
        except (ValueError, OSError):  # a system that does not know the name
            installed = self.machine()[0] or 0
        return min([*limits, installed] if installed > 0 else limits, default=None)

    def _stalled_percent(self, levels: list[_Level]) -> float | None:
        """Return the share of time in which all waited for memory; of machine and control group the worse."""
        machine = read(self._proc, "pressure", "memory") if self._proc else ""
        texts = [machine, *[one.text("memory.pressure") for one in levels[:1]]]
        return max((percent for text in texts if (percent := _full_percent(text)) is not None), default=None)

    def _levels(self) -> Iterator[_Level]:
        """Yield the control groups from our own up to the root."""
        yield from (_Level(one.folder, one.old) for one in levels("memory", proc=self._proc, groups=self._groups))


class _Level(Level):
    """What one control group says of memory."""

    def limit(self) -> int | None:
        """Return the smaller of the hard limit and the one from which the kernel slows us down; None for none."""
        names = ("memory.limit_in_bytes",) if self.old else ("memory.max", "memory.high")
        limits = [int(text) for name in names if (text := self.text(name).strip()).isdigit()]
        return min((limit for limit in limits if limit < UNLIMITED_BYTES), default=None)

    def memory(self) -> GroupMemory | None:
        """Return limit and working set: the use without the file pages that were not touched lately."""
        limit = self.limit()
        used = self.text("memory.usage_in_bytes" if self.old else "memory.current").strip()
        if limit is None or not used.isdigit():
            return None
        # in version 1 only the `total_` numbers include the groups below, as the use does
        inactive = _numbers(self.text("memory.stat")).get("total_inactive_file" if self.old else "inactive_file", 0)
        return GroupMemory(limit, max(0, int(used) - inactive))

    def oom_kills(self) -> int | None:
        """Return how often the kernel killed in it since it exists; None where that is not told."""
        return _numbers(self.text("memory.oom_control" if self.old else "memory.events")).get("oom_kill")


def _resident(pid: int | None) -> ProcessMemory | None:
    """Return the resident memory of a process, None when it is gone.

    All of it counts as its own: which part of it the kernel could take back is told to root alone, if at all.
    """
    import psutil  # noqa: PLC0415  see above

    try:
        return ProcessMemory(psutil.Process(pid).memory_info().rss, 0, 0)
    except psutil.Error:
        return None


def _tightest(levels: list[_Level]) -> GroupMemory | None:
    """Return the level with the least room left, None without any limit."""
    found = [memory for level in levels if (memory := level.memory()) is not None]
    return min(found, key=lambda memory: memory.limit_bytes - memory.used_bytes, default=None)


def _numbers(text: str) -> dict[str, int]:
    """Return `Name: 12 kB` and `name 12` lines as a mapping; other lines are passed over."""
    words = (line.split() for line in text.splitlines())
    return {w[0].rstrip(":"): int(w[1]) for w in words if len(w) >= 2 and w[1].isdigit()}


def _full_percent(text: str) -> float | None:
    """Return the number of the line `full avg10=1.50 avg60=…`, as the kernel writes it since 4.20."""
    for line in text.splitlines():
        kind, _, rest = line.partition(" avg10=")
        if kind == "full":
            try:
                return float(rest.split()[0])
            except (ValueError, IndexError):
                return None
    return None
