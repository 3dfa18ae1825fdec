"""The processes as `status` tells of them: those that live, as the system measures them now, and those that ended.

What cannot be known of another process is None. Nothing here is remembered between two questions.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from importer.engine import Engine
from importer.history import Ending
from importer.lock import Holder
from importer.memory import Probes
from importer.policy import Recycle
from importer.supervisor import Supervisor


def worker(supervisor: Supervisor, probes: Probes) -> dict[str, Any]:
    """The living worker as the system measures it now, and the counters of this daemon's whole life.
    `anon_bytes` is what limits are held against: anonymous memory and swap.
    """
    record, worker = supervisor.record, supervisor.worker
    pid = worker.child.pid if worker else None
    memory = probes.process(pid) if pid else None
    return {
        "pid": pid,
        "rss_bytes": memory.rss_bytes if memory else None,
        "anon_bytes": memory.judged_bytes if memory else None,
        "files": worker.files if worker else 0,
        "lifetime_files": worker.lifetime_files if worker else None,
        "spawns": record.spawns,
        "recycles": dict(record.recycles),
        "crashes": record.crashes,
        "boot_failures": record.boot_failures,
        "peak_anon_bytes": record.peak_anon_bytes,
    }


def buried(endings: Sequence[Ending]) -> dict[str, Any]:
    """The workers of former runs, as far back as the history is kept."""
    planned = {str(reason) for reason in Recycle}
    recycles = Counter(one.reason for one in endings if one.reason in planned)
    return {
        "pid": None,
        "rss_bytes": None,
        "anon_bytes": None,
        "files": 0,
        "lifetime_files": None,
        "spawns": len(endings),
        "recycles": dict(recycles),
        "crashes": len(endings) - recycles.total(),
        "boot_failures": None,
        "peak_anon_bytes": max((one.anon_bytes for one in endings), default=0),
    }


def daemon(engine: Engine, probes: Probes) -> dict[str, Any]:
    """This process. `peak_rss_bytes` is the highest of the guard's samples, one a second."""
    memory, record = probes.process(None), engine.delivery.supervisor.record
    return {
        "pid": os.getpid(),
        "rss_bytes": memory.rss_bytes if memory else None,
        "peak_rss_bytes": record.daemon_peak_rss_bytes,
        "uptime_s": round(time.monotonic() - engine.run.started_s, 1),
    }


def held(holder: Holder | None, probes: Probes) -> dict[str, Any]:
    """Another process that holds the state, of which only the system can tell."""
    memory = probes.process(holder.pid) if holder and holder.pid else None
    return {
        "pid": holder.pid or None if holder else None,
        "rss_bytes": memory.rss_bytes if memory else None,
        "peak_rss_bytes": None,
        "uptime_s": round(time.time() - holder.started, 1) if holder and holder.started else None,
    }
