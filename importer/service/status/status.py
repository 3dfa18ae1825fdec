"""What `importer status` shows, as one JSON object: from the engine of a running daemon, or from the state it left.

What is not known is null, never a guess. Lines and bytes obey the conservation law
read = stored + skipped + quarantined + in flight: the first three are committed, the last is with the worker.

The processes as `status` tells of them: those that live, as the system measures them now, and those that ended.

What cannot be known of another process is None. Nothing here is remembered between two questions.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from importer.delivery.engine import Engine
from importer.delivery.outage import STORE
from importer.delivery.policy import Recycle
from importer.delivery.progress import Rates, RateWindow
from importer.delivery.supervisor import Supervisor
from importer.memory.probes import Probes
from importer.protocol.records import Tally
from importer.service.status import lag, store_location
from importer.service.status.lag import Lag
from importer.service.status.store_location import EDGE, Location, Probe
from importer.sources.scan import Root
from importer.sources.wakes import Mode
from importer.state.checkpoints import Checkpoints
from importer.state.history import Ending
from importer.state.lock import Holder


def worker(supervisor: Supervisor, probes: Probes) -> dict[str, Any]:
    """The living worker as the system measures it now, and the counters of this daemon's whole life.
    `anon_bytes` is what limits are held against: anonymous memory and swap.
    """
    record, worker = supervisor.stats, supervisor.worker
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
    memory, record = probes.process(None), engine.delivery.supervisor.stats
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


MOST_UNREADABLE = 20  # paths named; the log has them all

POINTS = "points"  # what the state remembers of the last count

Status = dict[str, Any]


def of_engine(
    engine: Engine,
    mode: Mode,
    paused_by: str = "",
    *,
    waits_for: str = "",
    meter: RateWindow | None = None,
    probes: Probes | None = None,
    now: float | None = None,
) -> Status:
    """The status of a running daemon. `waits_for` is what must be there before it can begin; `now` is UTC seconds."""
    probes = probes or Probes()
    behind = lag.of_engine(engine)
    state, reason = state_of(engine, paused_by, waits_for)
    rates = meter.rates() if meter else None
    return {
        "state": state,
        "reason": reason,
        "watch": {"mode": mode.name, "reason": mode.reason},
        **_common(engine.checkpoints, behind, time.time() if now is None else now, in_flight(engine)),
        "points": _points(engine),
        "rate": rates._asdict() if rates else None,
        "eta_s": eta_s(behind, rates) if state == "importing" else None,
        "roots": _roots(engine.roots),
        "unreadable": _unreadable({**engine.looker.errors, **engine.run.errors}),
        "worker": worker(engine.delivery.supervisor, probes),
        "daemon": daemon(engine, probes),
        **_place(engine),
    }


def state_of(engine: Engine, paused_by: str, waits_for: str = "") -> tuple[str, str]:
    """`(state, reason)`: what keeps it from importing goes before what it would do."""
    held = engine.run.holding or waits_for
    if held:
        return "degraded", held
    if paused_by or engine.pressed:
        return "paused", paused_by or f"memory: {engine.pressed}"
    working = engine.delivery.busy or bool(engine.agenda)
    return ("importing", "draining before the end" if engine.stopping else "") if working else ("idle", "")


def in_flight(engine: Engine) -> Tally:
    """What was read and is with the worker: a batch's receipt commits it, a crash reads it again."""
    commits = (commit for flight in engine.delivery.unsettled() for commit in flight.batch.commits)
    return sum((commit.tally for commit in commits), Tally())


def eta_s(behind: Lag, rates: Rates | None) -> float | None:
    """Seconds until nothing is behind at the speed of the last minute; None when it cannot be said."""
    if rates is None or rates.bytes_per_s <= 0 or behind.at_least:
        return None
    return round(behind.bytes / rates.bytes_per_s, 1)


def of_state(
    checkpoints: Checkpoints | None,
    behind: Lag,
    where: Location,
    reached: Probe,
    *,
    model: str,
    roots: Sequence[Root] = (),
    holder: Holder | None = None,
    probes: Probes | None = None,
    now: float | None = None,
) -> Status:
    """The status when no daemon answers: nobody imports, or a `backlog` (the `holder`) does.

    `checkpoints` is None where nothing was ever imported; `behind` is a fresh look at the roots.
    """
    return {
        "state": "importing" if holder else "stopped",
        "reason": f"by process {holder.pid} ({holder.command})" if holder else "",
        "watch": {"mode": None, "reason": ""},
        **_common(checkpoints, behind, time.time() if now is None else now, None if holder else Tally()),
        "points": reached.points,
        "rate": None,
        "eta_s": None,
        "roots": _roots(roots),
        "unreadable": {},
        "worker": buried(checkpoints.history.endings() if checkpoints else []),
        "daemon": held(holder, probes or Probes()),
        "store": {**asdict(where), "reachable": reached.reachable, "why": reached.why},
        "model": model,
    }


def _common(checkpoints: Checkpoints | None, behind: Lag, now: float, flying: Tally | None) -> Status:
    """What the state says, however it was opened."""
    done = checkpoints.totals() if checkpoints else Tally()
    return {
        "files": {name: getattr(behind, name) for name in ("known", "complete", "pending", "quarantined")},
        "lag": {"bytes": behind.bytes, "oldest_s": _oldest_s(behind, now), "at_least": behind.at_least},
        "lines": conserved(done, flying, "lines"),
        "bytes": conserved(done, flying, "bytes"),
        "messages": done.messages,
        "unknown_records": done.unknown,
        "quarantine": checkpoints.quarantine.count() if checkpoints else 0,
    }


def conserved(done: Tally, flying: Tally | None, unit: str) -> Mapping[str, int | None]:
    """The conservation law in lines or bytes; `flying` None: another process has it, so `in_flight` is unknown."""
    sums: dict[str, int | None] = {
        outcome: getattr(done, f"{unit}_{outcome}") for outcome in ("stored", "skipped", "quarantined")
    }
    here = None if flying is None else getattr(flying, f"{unit}_read")
    return {"read": getattr(done, f"{unit}_read") + (here or 0), **sums, "in_flight": here}


def _oldest_s(behind: Lag, now: float) -> float | None:
    """The age of the oldest line not imported: 0 when nothing is behind, None when its file tells no time."""
    if behind.oldest_at:
        return round(max(0.0, now - behind.oldest_at), 1)
    return None if behind.bytes else 0.0


def _points(engine: Engine) -> int | None:
    """As the last receipt counted, else the living worker when it began, else a former run; None when nobody did."""
    if engine.run.total >= 0:
        return engine.run.total
    worker = engine.delivery.supervisor.worker
    if worker:
        return worker.ready.points
    remembered = engine.checkpoints.meta(POINTS)
    return int(remembered) if remembered.isdigit() else None


def _roots(roots: Iterable[Root]) -> list[Status]:
    """Every root, with whether it is there now: one that is not is waited for, which is no error."""
    return [
        {"path": os.fsdecode(root.path), "format": root.format, "there": os.path.lexists(root.path)} for root in roots
    ]


def _unreadable(errors: Mapping[bytes, str]) -> Mapping[str, str]:
    """The newest paths that could not be read, with the system's reasons; bounded, for the log has them all."""
    newest = list(errors.items())[-MOST_UNREADABLE:]
    return {os.fsdecode(path): reason for path, reason in newest}


def _place(engine: Engine) -> Status:
    """Store and model as the worker is told; reachable as of the last contact, None before the first."""
    delivery = engine.delivery
    configure = delivery.supervisor.launch.configure
    store = configure["store"]
    where = store_location.locate(configure["location"], store["collection"], store["directory"])
    away = delivery.outage.away == STORE
    met = delivery.supervisor.worker is not None or engine.run.total >= 0
    known = True if met else store_location.probe_folder(where.location).reachable if where.kind == EDGE else None
    shown = {**asdict(where), "reachable": False if away else known, "why": engine.run.holding if away else ""}
    return {"store": shown, "model": configure["embed"]["model"]}
