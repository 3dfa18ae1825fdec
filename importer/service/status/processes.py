"""What the system tells of the daemon, and of another process that holds the state."""

from __future__ import annotations

import os
import time
from typing import Any

from importer.delivery.snapshot import Snapshot
from importer.memory.probes import Probes
from importer.state.lock import Holder

Status = dict[str, Any]


def this_one(seen: Snapshot, probes: Probes) -> Status:
    """Return the daemon's own memory. `peak_rss_bytes` is the highest of the guard's samples, one a second."""
    memory = probes.process(None)
    return {
        "pid": os.getpid(),
        "rss_bytes": memory.rss_bytes if memory else None,
        "peak_rss_bytes": seen.stats.daemon_peak_rss_bytes,
        "uptime_s": round(time.monotonic() - seen.run.started_s, 1),
    }


def other(holder: Holder | None, probes: Probes) -> Status:
    """Return what the system tells of another process that holds the state."""
    memory = probes.process(holder.pid) if holder and holder.pid else None
    return {
        "pid": holder.pid or None if holder else None,
        "rss_bytes": memory.rss_bytes if memory else None,
        "peak_rss_bytes": None,
        "uptime_s": round(time.time() - holder.started, 1) if holder and holder.started else None,
    }
