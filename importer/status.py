"""What `importer status` shows, as one JSON object: from the engine of a running daemon, or from the state it left.

What is not known is null, never a guess. Lines and bytes obey the conservation law
read = stored + skipped + quarantined + in flight: the first three are committed, the last is with the worker.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from importer import lag, reach, vitals
from importer.checkpoints import Checkpoints
from importer.discover import Root
from importer.engine import Engine
from importer.lag import Lag
from importer.lock import Holder
from importer.memory import Probes
from importer.meter import Meter, Rates
from importer.outage import STORE
from importer.reach import EDGE, Place, Reached
from importer.records import Tally
from importer.wake import Mode

MOST_UNREADABLE = 20  # paths named; the log has them all

POINTS = "points"  # what the state remembers of the last count

Status = dict[str, Any]


def of_engine(
    engine: Engine,
    mode: Mode,
    paused_by: str = "",
    *,
    waits_for: str = "",
    meter: Meter | None = None,
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
        "worker": vitals.worker(engine.delivery.supervisor, probes),
        "daemon": vitals.daemon(engine, probes),
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
    commits = (commit for parcel in engine.delivery.parcels() for commit in parcel.batch.commits)
    return sum((commit.tally for commit in commits), Tally())


def eta_s(behind: Lag, rates: Rates | None) -> float | None:
    """Seconds until nothing is behind at the speed of the last minute; None when it cannot be said."""
    if rates is None or rates.bytes_per_s <= 0 or behind.at_least:
        return None
    return round(behind.bytes / rates.bytes_per_s, 1)


def of_state(
    checkpoints: Checkpoints | None,
    behind: Lag,
    where: Place,
    reached: Reached,
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
        "worker": vitals.buried(checkpoints.history.endings() if checkpoints else []),
        "daemon": vitals.held(holder, probes or Probes()),
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
    where = reach.place(configure["location"], store["collection"], store["directory"])
    away = delivery.outage.away == STORE
    met = delivery.supervisor.worker is not None or engine.run.total >= 0
    known = True if met else reach.look_at_folder(where.location).reachable if where.kind == EDGE else None
    shown = {**asdict(where), "reachable": False if away else known, "why": engine.run.holding if away else ""}
    return {"store": shown, "model": configure["embed"]["model"]}
