"""What `importer status` shows, as one JSON object: from a snapshot of a running daemon, or from the state it left.

What is not known is null, never a guess. Lines and bytes obey the conservation law
read = stored + skipped + quarantined + in flight: the first three are committed, the last is with the worker.
Processes that live are measured at every question; nothing is remembered between two of them.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from importer.consistency import baseline, forget
from importer.delivery.policy import Recycle
from importer.delivery.progress import Rates
from importer.delivery.snapshot import Snapshot
from importer.memory.probes import Probes
from importer.protocol import engines
from importer.protocol.records import Tally
from importer.protocol.worker_settings import EmbedSettings
from importer.service.status import cost, drift, expiring, lag, processes, store_location
from importer.service.status.lag import Lag
from importer.service.status.store_location import EDGE, Location, Probe
from importer.settings.schema import EmbedGroup
from importer.sources.events import Mode
from importer.sources.scan import Root
from importer.state import erasure
from importer.state.checkpoints import Checkpoints
from importer.state.history import WorkerEnding
from importer.state.lock import Holder
from importer.state.sent_points import reports

MOST_UNREADABLE = 20  # newest paths named; the log has them all
FILES = ("known", "complete", "pending", "quarantined", "empty", "unrecognised", "refused")
ERASING = "what was forgotten or is masked is being taken out of every file"
POINTS = "points"  # what the state remembers of the last count

Status = dict[str, Any]


def of_daemon(
    seen: Snapshot,
    checkpoints: Checkpoints,
    mode: Mode,
    paused_by: str = "",
    *,
    waits_for: str = "",
    rates: Rates | None = None,
    probes: Probes | None = None,
    now: float | None = None,
) -> Status:
    """Return the status of a running daemon.

    `waits_for` is what must be there before it can begin, `rates` its speed over the last minute, `now` UTC seconds.
    """
    probes = probes or Probes()
    behind = lag.of_snapshot(seen, checkpoints)
    erasing = owed(checkpoints)
    state, reason = state_of(seen, paused_by, waits_for, erasing)
    now = time.time() if now is None else now
    return {
        "state": state,
        "reason": reason,
        "watch": {"mode": mode.name, "reason": mode.reason},
        **_counts(checkpoints, behind, now, seen.tally_in_flight),
        "points": _points(seen, checkpoints),
        "expiring": expiring.of_waiting(seen.waiting, now),
        "rate": rates._asdict() if rates else None,
        "eta_s": eta_s(behind, rates) if state == "importing" else None,
        "roots": _roots(seen.roots),
        "reading": sorted({os.fsdecode(one.checkpoint.path) for one in seen.in_flight})[:MOST_UNREADABLE],
        "unreadable": {os.fsdecode(path): why for path, why in list(seen.errors.items())[-MOST_UNREADABLE:]},
        "worker": _worker(seen, probes),
        "workers": _workers(seen, probes),
        "daemon": processes.this_one(seen, probes),
        **_store_and_model(seen),
    }


def of_state(
    checkpoints: Checkpoints | None,
    behind: Lag,
    where: Location,
    probe: Probe,
    *,
    embed: EmbedGroup,
    usage_file: str = "",
    roots: Sequence[Root] = (),
    holder: Holder | None = None,
    probes: Probes | None = None,
    now: float | None = None,
) -> Status:
    """Return the status when no daemon answers: no process imports, or a `backlog` (the `holder`) does.

    `checkpoints` is None where nothing was ever imported; `behind` is a fresh look at the roots.
    """
    now = time.time() if now is None else now
    return {
        "state": "importing" if holder else "stopped",
        "reason": f"by process {holder.pid} ({holder.command})" if holder else "",
        "watch": {"mode": None, "reason": ""},
        **_counts(checkpoints, behind, now, None if holder else Tally()),
        "points": probe.points,
        "expiring": expiring.told(expiring.of_roots(roots, checkpoints, os.environ, os.path.expanduser("~"), now)),
        "rate": None,
        "eta_s": None,
        "roots": _roots(roots),
        "reading": [],
        "unreadable": {},
        "worker": _former_workers(checkpoints.history.endings() if checkpoints else []),
        "workers": [],
        "daemon": processes.other(holder, probes or Probes()),
        "store": {**asdict(where), "reachable": probe.reachable, "why": probe.why},
        **_model(embed, usage_file),
    }


def owed(checkpoints: Checkpoints | None) -> int:
    """Return how many commands that erase or mask were begun and are not done: bytes of theirs may still be there."""
    return len(erasure.tasks(checkpoints)) if checkpoints else 0


def state_of(seen: Snapshot, paused_by: str, waits_for: str = "", erasing: int = 0) -> tuple[str, str]:
    """Return `(state, reason)`. What keeps it from importing goes before what it would do.

    `erasing` is what is `owed`; the import rests until it is done.
    """
    held = seen.run.holding or waits_for
    if held:
        return "degraded", held
    if paused_by or seen.pressed:
        return "paused", paused_by or f"memory: {seen.pressed}"
    if erasing:
        return "erasing", ERASING
    working = seen.is_busy or bool(seen.waiting)
    return ("importing", "draining before the end" if seen.is_stopping else "") if working else ("idle", "")


def eta_s(behind: Lag, rates: Rates | None) -> float | None:
    """Return the seconds until nothing is behind at the speed of the last minute; None when it cannot be said."""
    if rates is None or rates.bytes_per_s <= 0 or behind.at_least:
        return None
    return round(behind.bytes / rates.bytes_per_s, 1)


def _counts(checkpoints: Checkpoints | None, behind: Lag, now: float, in_flight: Tally | None) -> Status:
    """Return what the state says of files, lag, lines, bytes, quarantine."""
    done = checkpoints.totals() if checkpoints else Tally()
    return {
        "files": {name: getattr(behind, name) for name in FILES},
        "passed_over": passed_over(checkpoints) if checkpoints else {},
        "lag": {"bytes": behind.bytes, "oldest_s": _oldest_s(behind, now), "at_least": behind.at_least},
        "lines": conserved(done, in_flight, "lines"),
        "bytes": conserved(done, in_flight, "bytes"),
        "messages": done.messages,
        "unknown_records": done.unknown,
        "stores": checkpoints.stores() if checkpoints else {},
        "suspicious": drift.suspicions(checkpoints.named()) if checkpoints else [],
        "quarantine": checkpoints.quarantine.count() if checkpoints else 0,
        "conversations_left_out": forget.left_out(checkpoints),
        "erasing": owed(checkpoints),
        "shrank": baseline.shrank(checkpoints) if checkpoints else None,
        "syncs": [{**one._asdict(), "late": one.is_late(now)} for one in reports(checkpoints, now)],
    }


def passed_over(checkpoints: Checkpoints) -> Mapping[str, str]:
    """Return the newest files that are unrecognised or refused, with the reason; bounded."""
    return {os.fsdecode(path): reason for path, _, reason in checkpoints.passed_over(MOST_UNREADABLE)}


def conserved(done: Tally, in_flight: Tally | None, unit: str) -> Mapping[str, int | None]:
    """Return the conservation law in lines or bytes. `in_flight` is None where another process has it: unknown."""
    sums: dict[str, int | None] = {to: getattr(done, f"{unit}_{to}") for to in ("stored", "skipped", "quarantined")}
    here = None if in_flight is None else getattr(in_flight, f"{unit}_read")
    return {"read": getattr(done, f"{unit}_read") + (here or 0), **sums, "in_flight": here}


def _oldest_s(behind: Lag, now: float) -> float | None:
    """Return the age of the oldest line not imported: 0 when nothing is behind, None when its file tells no time."""
    untold = None if behind.bytes else 0.0
    return round(max(0.0, now - behind.oldest_at), 1) if behind.oldest_at else untold


def _points(seen: Snapshot, checkpoints: Checkpoints) -> int | None:
    """Return the points as the last receipt counted them, else the worker at its start, else a former run."""
    if seen.run.total >= 0:
        return seen.run.total
    if seen.worker:
        return seen.worker.points
    remembered = checkpoints.meta(POINTS)
    return int(remembered) if remembered.isdigit() else None


def _roots(roots: Iterable[Root]) -> list[Status]:
    """Return every root with whether it is there now: one that is not is waited for, which is no error."""
    return [
        {"path": os.fsdecode(root.path), "format": root.format, "there": os.path.lexists(root.path)} for root in roots
    ]


def _worker(seen: Snapshot, probes: Probes) -> Status:
    """Return the living worker as the system measures it now, and the counters of this daemon's whole life.

    `anon_bytes` is what limits are held against: anonymous memory and swap.
    """
    stats, worker = seen.stats, seen.worker
    memory = probes.process(worker.pid) if worker and worker.pid else None
    return {
        "pid": worker.pid if worker else None,
        "rss_bytes": memory.rss_bytes if memory else None,
        "anon_bytes": memory.judged_bytes if memory else None,
        "files": worker.files if worker else 0,
        "lifetime_files": worker.lifetime_files if worker else None,
        "spawns": stats.spawns,
        "recycles": dict(stats.recycles),
        "crashes": stats.crashes,
        "boot_failures": stats.boot_failures,
        "peak_anon_bytes": stats.peak_anon_bytes,
    }


def _workers(seen: Snapshot, probes: Probes) -> list[Status]:
    """Return each living worker; the one that stores is the first, where it lives."""
    found = []
    for one in (*filter(None, (seen.worker,)), *seen.others):
        memory = probes.process(one.pid) if one.pid else None
        taken = {"rss_bytes": memory and memory.rss_bytes, "anon_bytes": memory and memory.judged_bytes}
        told = {name: getattr(one, name) for name in ("pid", "place", "files", "batches", "lifetime_files")}
        found.append({**told, "does": "embeds" if one.place else "stores", **taken})
    return found


def _former_workers(endings: Sequence[WorkerEnding]) -> Status:
    """Return the same of the workers of former runs, as far back as the history is kept."""
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


def _model(embed: EmbedGroup | EmbedSettings, usage_file: str) -> Status:
    """Return the model and what runs it, "" where that is a service."""
    return {
        "model": embed.model,
        "engine": engines.described(embed.provider, embed.engine, embed.precision),
        "usage": cost.of_provider(embed, usage_file),
    }


def _store_and_model(seen: Snapshot) -> Status:
    """Return store and model as the worker is told them; reachable as of the last contact, None before the first."""
    settings = seen.settings
    store = settings.store
    where = store_location.locate(store.location, store.collection, store.directory)
    met = seen.worker is not None or seen.run.total >= 0
    known = True if met else store_location.probe_folder(where.location).reachable if where.kind == EDGE else None
    away = seen.is_store_away
    shown = {**asdict(where), "reachable": False if away else known, "why": seen.run.holding if away else ""}
    return {"store": shown, **_model(settings.embed, settings.embed.usage_file)}
