"""What a sync asks of the worker: which points there are, and to bring some of them to another store.

    sync_trust    which of some points that were brought to the target it lost, and how many it has
    sync_look     a page of the store's points: id, print and holders, no text
    sync_send     some points of that page go to the target, and stand there as they stand here
    sync_drop     points that are no longer here leave the target, unless another host still holds them

The target is a union of several stores, so nothing there is taken for gone because it is not here. A point is its
content, so two hosts that have the same one can differ only in who holds it open, and in what it tells of itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from importer.errors import PointsRejected
from importer.worker.copying.copy_points import page_of, target_of
from importer.worker.session import WorkerSession
from importer.worker.stores import Ownership, Point, Store
from importer.worker.stores.schema import holders, metadata, standing_of
from importer.worker.voices import conversations, leave, naming

_encode = msgspec.json.Encoder(order="deterministic").encode


def sync_trust(session: WorkerSession, to: Mapping[str, Any], ids: Sequence[str]) -> Mapping[str, Any]:
    """Return what tells whether the target lost points: which `ids`, that were brought to it, are `lost` there.

    And how many points are `there`, and how often points were deleted there on purpose (`purges`). One that was put
    back from an older snapshot is the same collection by all that it tells, without what came last.
    """
    target = target_of(session, to).store
    known = target.lookup(list(ids)) if ids else {}
    purges = getattr(target, "purges", None)  # a plug-in's store may keep no count
    return {
        "lost": [id for id in ids if id not in known],
        "there": target.count(),
        "purges": purges() if purges else 0,
    }


def sync_look(
    session: WorkerSession, after: str | None = None, limit: int = 256, leave_out: Sequence[str] = ()
) -> Mapping[str, Any]:
    """Return one page: `next` and `points` as (id, print, holders), without those of projects that are left out."""
    page = session.store.scroll(after, page_of(limit))
    found = [(one.id, _print(one), holders(one.payload)) for one in page.points if not _left_out(one, leave_out)]
    return {"next": page.next, "points": found}


def sync_send(
    session: WorkerSession,
    to: Mapping[str, Any],
    sent: Mapping[str, Sequence[str] | None],
    after: str | None = None,
    limit: int = 256,
) -> Mapping[str, Any]:
    """Bring points of a page to the target; return how many were `written`, how many `changed`, and what was `refused`.

    Those of the written ones that had been brought before, and were lost there, are `again`. `sent` names them with the
    holders that they were sent with before, None for those that never were. Points that the target refuses, or that
    have no vector, are told by id, and tried again in the next round.
    """
    target = target_of(session, to).store
    page = session.store.scroll(after, page_of(limit), with_vectors=True)
    wanted = [point for point in page.points if point.id in sent]
    there = target.payloads([point.id for point in wanted])
    fresh = [point for point in wanted if point.id not in there and len(point.dense)]
    refused = {point.id for point in wanted if point.id not in there and not len(point.dense)}
    changed = {
        point.id: stands
        for point in wanted
        if point.id in there and (stands := _merged(point, there[point.id], sent[point.id])) is not None
    }
    bad = _write(target, fresh, changed)
    if target.pending_optimize:
        target.optimize()
    written = [point.id for point in fresh if point.id not in bad]
    again = sum(sent[id] is not None for id in written)
    return {"written": len(written), "again": again, "changed": len(changed), "refused": sorted(refused | bad)}


def _write(target: Store, fresh: Sequence[Point], changed: Mapping[str, Ownership]) -> set[str]:
    """Write to the target what it takes; return the ids that it refuses. Raises what a store raises."""
    bad: set[str] = set()
    if fresh or changed:
        try:
            target.write(fresh, changed, ())
        except PointsRejected as error:  # the other points were written, and nothing was changed
            bad = set(error.ids)
            target.write((), changed, ())
    return bad


def sync_drop(
    session: WorkerSession, to: Mapping[str, Any], sent: Mapping[str, Sequence[str]], host: str
) -> Mapping[str, Any]:
    """Take points that are no longer here out of the target; `sent` has the holders that they were sent with.

    One that was sent open loses our holders, and goes with the last one. One that was sent closed was forgotten here:
    it goes if this host made it.
    """
    target = target_of(session, to).store
    there = target.payloads(list(sent))
    released: dict[str, Ownership] = {}
    deletes = list[str]()
    for id, known in there.items():
        stands = _without(standing_of(known), sent[id])
        if sent[id] and stands.holders:
            released[id] = stands
        elif (sent[id] and holders(known)) or (not sent[id] and metadata(known).get("host", host) == host):
            deletes.append(id)
    if released or deletes:
        target.write([], released, deletes)
    return {"released": len(released), "deleted": len(deletes)}


def _print(point: Point) -> str:
    """Return what changes when anything of a point's payload does; its vector follows from its text."""
    return hashlib.blake2b(_encode(point.payload), digest_size=12).hexdigest()


def _left_out(point: Point, patterns: Sequence[str]) -> bool:
    """Return True if a point is of a project that is not to travel: its path, or that path's last part."""
    known = metadata(point.payload)
    names = (str(known.get("project", "")), str(known.get("project_name", "")))
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _merged(point: Point, known: Mapping[str, Any], sent: Sequence[str] | None) -> Ownership | None:
    """Return how a point that the target has must stand; None where it does already. Closed once is closed."""
    here, there = standing_of(point.payload), standing_of(known)
    left = _without(there, sent or ())
    names = (*conversations(here.metadata or {}), *conversations(there.metadata or {}))
    is_open = bool(here.holders) and bool(there.holders)
    # What this host sent it may tell anew, such as a title that came later; else the one that is closed tells.
    ours = sent is not None or (bool(there.holders) and not here.holders)
    told = naming((here if ours else there).metadata or {}, names)
    both = tuple(sorted({*here.holders, *left.holders})) if is_open else ()
    stands = Ownership(both, told, {**here.voices, **left.voices} if both else {})
    return None if stands == there else stands


def _without(stands: Ownership, mine: Sequence[str]) -> Ownership:
    """Return how a point stands without some holders."""
    for holder in mine:
        if holder in stands.holders:
            stands = leave(stands, holder)
    return stands


SYNC_QUESTIONS: Mapping[str, Callable[..., Any]] = {
    answer.__name__: answer for answer in (sync_trust, sync_look, sync_send, sync_drop)
}
