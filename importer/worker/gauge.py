"""Read how much memory this process takes of its own, and keep the most between two receipts.

Looked at after each model run and each write: ONNX Runtime keeps what its largest run took, so nothing higher stood
in between but what a run gave back at once. A look takes 0.05 ms.
"""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass, field

from importer.protocol.outcome import MemoryTaken
from importer.protocol.system.capabilities import has
from importer.worker.embedders import Embedder

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Of /proc/self/status, as limits are held against them; in kB.
COUNTED = re.compile(rb"^(?:RssAnon|RssShmem|VmSwap):\s*(\d+)", re.MULTILINE)


def own_bytes() -> int:
    """Return this process's anonymous memory and swap, 0 where that is not told; see proc(5)."""
    if not has("proc"):
        return 0
    with open("/proc/self/status", "rb", buffering=0) as status:
        return sum(map(int, COUNTED.findall(status.read()))) * 1024


def resident_bytes() -> int:
    """Return the resident memory: the second field of /proc/self/statm (proc(5)), or what psutil tells."""
    if has("proc"):
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * PAGE_BYTES
    import psutil  # noqa: PLC0415  0.9 MB that most systems do without

    return int(psutil.Process().memory_info().rss)


@dataclass(slots=True)
class Gauge:
    """The memory of one worker: with the model loaded, and the most since it was last told. Two threads look."""

    floor_bytes: int = 0
    peak_bytes: int = 0
    _looking: threading.Lock = field(default_factory=threading.Lock)

    def loaded(self) -> None:
        """Take what there is now for what the model takes before its first run; later calls change nothing."""
        self.look()
        self.floor_bytes = self.floor_bytes or self.peak_bytes

    def look(self) -> None:
        """Keep what there is now, if it is the most."""
        with self._looking:
            self.peak_bytes = max(self.peak_bytes, own_bytes())

    def told(self, embedder: Embedder | None) -> MemoryTaken:
        """Return what a receipt says of memory, and begin anew with what there is now."""
        self.look()
        token_bytes, square_bytes = getattr(embedder, "run_bytes", (0, 0))
        with self._looking:
            taken = MemoryTaken(
                self.floor_bytes,
                self.peak_bytes,
                token_bytes,
                square_bytes,
                window_tokens=getattr(embedder, "window_tokens", 0),
                lanes=getattr(embedder, "lanes", 1),
                pid=os.getpid(),
            )
            self.peak_bytes = 0
        return taken
