"""The embedded store embedded anew with another model, beside the one in use, and then put in its place.

    generation_begin   room on the disk is looked at; what is there for another model is deleted
    migrate_page …     every point is embedded anew, a page at a time (`copy_points`)
    generation_prune … points that the store in use has no more are taken out
    migrate_check …    every point of the store in use is there
    generation_seal    the next generation is closed and marked as whole

The next worker that asks for its model opens it in place of the other (`stores.edge.generations`). Questions are
answered from the store in use all the while. Each step may be repeated after a kill.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from typing import Any

from importer.errors import StoreError, StoreUnreachable, UsageError
from importer.protocol import failpoints
from importer.protocol.units import MB
from importer.worker.copying.copy_points import PAGE_POINTS, close_target, page_of, target_of, wanted_of
from importer.worker.models import locate
from importer.worker.session import WorkerSession
from importer.worker.stores.edge import generations

VECTOR_BYTES = 5  # of a dimension: float32, and its copy in int8
WORK_SHARE = 0.25  # of the new store: segments are written anew before the old ones go


def generation_begin(session: WorkerSession, to: Mapping[str, Any]) -> Mapping[str, Any]:
    """Prepare the next generation; return how many points there are, and how many bytes it takes and are free.

    Raises UsageError for a store that is not embedded or has this model already, StoreUnreachable without room.
    """
    wanted = wanted_of(to)
    if session.store.kind != "edge" or wanted.embed is None:
        raise UsageError(f"{session.store.location} is not the embedded store", hint="--to STORE names another one")
    model, dimension = locate.identity(wanted.embed)
    path = _path(session)
    if generations.made_by(path, model, dimension):
        raise UsageError(f"the store was made with {model} already: there is nothing to embed anew")
    generations.unready(path)
    following = path + generations.NEXT
    if os.path.isdir(following) and not generations.made_by(following, model, dimension):
        generations.drop_next(path)
    return {"points": session.recount(), **_room(session, path, dimension)}


def _room(session: WorkerSession, path: str, dimension: int) -> Mapping[str, int]:
    """Return the bytes that are needed and free. Raises StoreUnreachable when there is too little."""
    from importer.worker.stores.edge.shard import NEW_BYTES  # noqa: PLC0415  brings the engine, which is there by now

    _, old_dimension, _, _ = session.store.fingerprint.rsplit("/", 3)
    points = session.store.count()
    vectors = points * (dimension - int(old_dimension)) * VECTOR_BYTES
    whole = NEW_BYTES + (1 + WORK_SHARE) * max(0, generations.size_bytes(path) + vectors)
    needed = max(0, int(whole) - generations.size_bytes(path + generations.NEXT))
    free = shutil.disk_usage(os.path.dirname(path)).free
    if free < needed:
        raise StoreUnreachable(
            f"embedding {points:,} points anew takes {needed // MB:,} MB beside the store, and {free // MB:,} MB are"
            f" free at {os.path.dirname(path)}",
            hint="make room; nothing was changed",
        )
    return {"needed_bytes": needed, "free_bytes": free}


def generation_prune(
    session: WorkerSession, to: Mapping[str, Any], after: str | None = None, limit: int = PAGE_POINTS
) -> Mapping[str, Any]:
    """Take out of a page of the next generation what the store in use has no more; return `next` and how many."""
    target = target_of(session, to).store
    page = target.scroll(after, page_of(limit))
    here = session.store.lookup([point.id for point in page.points])
    gone = [point.id for point in page.points if point.id not in here]
    if gone:
        target.write((), {}, gone)
    return {"next": page.next, "deleted": len(gone)}


def generation_seal(session: WorkerSession, to: Mapping[str, Any], scrub: bool = False) -> Mapping[str, Any]:
    """Close the next generation and mark it as whole; with `scrub` what was taken out leaves its files, too.

    Raises StoreError when it has another number of points than the store in use.
    """
    target = target_of(session, to).store
    here, there = session.store.count(), target.count()
    if here != there:
        raise StoreError(f"the store has {here} points, what was embedded anew {there}", hint="run the command again")
    if scrub:
        target.scrub()
    close_target(to)
    generations.seal(_path(session))
    failpoints.hit("migrate.ready")
    return {"points": there}


def _path(session: WorkerSession) -> str:
    """Return the folder of the embedded store in use."""
    path: str = session.store.path  # type: ignore[attr-defined]  # of the embedded store, which this is
    return path


GENERATION_QUESTIONS: Mapping[str, Callable[..., Any]] = {
    answer.__name__: answer for answer in (generation_begin, generation_prune, generation_seal)
}
