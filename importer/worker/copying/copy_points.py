"""Points copied to another store, a page at a time, both stores open in this process.

What stands in the target already is not written again: an id is its content's, so only who holds it open can differ.
With `embed` (the settings of another model) documents are embedded anew; else vectors are copied as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from importer.errors import StoreRefused, UsageError
from importer.protocol import failpoints
from importer.protocol.worker_settings import CopyTarget
from importer.worker import stores
from importer.worker.embed import embed_chunks
from importer.worker.embedders import Embedder
from importer.worker.models import locate
from importer.worker.session import WorkerSession, embedder_of
from importer.worker.stores import Ownership, Point, Store
from importer.worker.stores.schema import DOCUMENT, standing_of
from importer.worker.voices import conversations, naming

PAGE_POINTS = 256  # with vectors some 700 KB
MOST_IN_PAGE = 4096


@dataclass(frozen=True, slots=True)
class Destination:
    """Where points go: the store, and the model that embeds them anew (None: vectors are copied)."""

    store: Store
    embedder: Embedder | None = None


_targets: dict[str, Destination] = {}  # open for as long as this worker lives, which serves one daemon


def page_of(limit: int) -> int:
    """Return how many points a page has: what was asked for, within what one answer holds."""
    return min(max(1, limit), MOST_IN_PAGE)


def migrate_open(session: WorkerSession, to: Mapping[str, Any]) -> Mapping[str, Any]:
    """Open or make the target, and return what both stores hold.

    `to` is a `CopyTarget` as it came over the wire. Raises UsageError for the store itself, and what a store raises.
    """
    target = target_of(session, to)
    if target.store.fingerprint == session.store.fingerprint:
        raise UsageError(f"{target.store.location} is the store that is to be copied", hint="name another one")
    return {
        "location": target.store.location,
        "fingerprint": target.store.fingerprint,
        "source_fingerprint": session.store.fingerprint,
        "points": session.recount(),
        "there": target.store.count(),
    }


def migrate_page(
    session: WorkerSession, to: Mapping[str, Any], after: str | None = None, limit: int = PAGE_POINTS
) -> Mapping[str, Any]:
    """Copy one page; return `next`, how many points were `seen`, and how many of them were `written`.

    Called again after a kill it writes nothing twice: what stands in the target is left out.
    """
    target = target_of(session, to)
    page = session.store.scroll(after, page_of(limit), with_vectors=target.embedder is None)
    there = target.store.payloads([point.id for point in page.points])
    fresh = [point for point in page.points if point.id not in there or _says_else(point, there[point.id])]
    if target.embedder is None:  # what has no vector is passed over: `migrate_check` lists it
        fresh = [point for point in fresh if len(point.dense)]
    else:
        fresh = _embedded(fresh, target.embedder, session.token_budget)
        failpoints.hit("migrate.page")
    written = {point.id for point in fresh}
    changed = _changed([point for point in page.points if point.id in there and point.id not in written], there)
    if fresh or changed:
        target.store.write(fresh, changed, ())
    # Here, for a copy makes no pause in which the target could be kept in order.
    if target.store.pending_optimize:
        target.store.optimize()
    return {"next": page.next, "seen": len(page.points), "written": len(fresh)}


def migrate_check(
    session: WorkerSession, to: Mapping[str, Any], after: str | None = None, limit: int = PAGE_POINTS
) -> Mapping[str, Any]:
    """Look one page up in the target; return `next`, `seen`, the ids `missing`, and the target's count.

    The ids that are `bare` have no vector in the source: they are missing for that.
    """
    target = target_of(session, to)
    page = session.store.scroll(after, page_of(limit))
    there = target.store.lookup([point.id for point in page.points])
    gone = [point.id for point in page.points if point.id not in there]
    bare = getattr(session.store, "bare", None)
    known = set(bare(gone) if bare and gone else ())
    missing = [id for id in gone if id not in known]
    there_count = target.store.count() if page.next is None else 0  # once, with the last page
    return {
        "next": page.next,
        "seen": len(page.points),
        "missing": missing,
        "bare": sorted(known),
        "there": there_count,
    }


def migrate_close(session: WorkerSession, to: Mapping[str, Any]) -> bool:
    """Close the target, merged and flushed; return True if it was open."""
    return close_target(to)


def migrate_alias(session: WorkerSession, to: Mapping[str, Any], alias: str) -> bool:
    """Make `alias` name the target's collection; False where a real one has that name. Raises StoreRefused."""
    target = target_of(session, to)
    if target.store.kind != "server":
        raise StoreRefused(f"{target.store.location} is no server: it has no aliases", hint="--to URL")
    from importer.worker.stores.qdrant.collection import point_alias  # noqa: PLC0415 - brings 100 MB of client along

    return point_alias(wanted_of(to).store, alias)


def close_target(to: Mapping[str, Any]) -> bool:
    """Merge, flush and close a target; return True if it was open."""
    target = _targets.pop(_name(to), None)
    if target is not None:
        target.store.optimize()
        target.store.close()
    return target is not None


def target_of(session: WorkerSession, to: Mapping[str, Any]) -> Destination:
    """Return the target, opened by the first question that needs it: the worker may be another one than before."""
    name = _name(to)
    if name not in _targets:
        wanted = wanted_of(to)
        if wanted.embed:
            model, dimension = locate.identity(wanted.embed)
        else:  # of the source; from the right, for the names of models have slashes, too
            model, size, _, _ = session.store.fingerprint.rsplit("/", 3)
            dimension = int(size)
        store = stores.load(wanted.store, model=model, dimension=dimension)
        _targets[name] = Destination(store, embedder_of(wanted.embed) if wanted.embed else None)
    return _targets[name]


def wanted_of(to: Mapping[str, Any]) -> CopyTarget:
    """Return the target as it was asked for. Raises UsageError for a mapping that lacks a setting."""
    try:
        return msgspec.convert(to, CopyTarget)
    except msgspec.ValidationError as error:
        raise UsageError(f"no target to copy to: {error}") from error


def _name(to: Mapping[str, Any]) -> str:
    """Return what tells targets apart."""
    store = wanted_of(to).store
    return f"{store.location}\0{store.collection}"  # a NUL stands in neither


def _embedded(points: Sequence[Point], embedder: Embedder, budget_tokens: int) -> list[Point]:
    """Return the points with vectors of another model. Raises what the embedder raises."""
    texts = [str(point.payload.get(DOCUMENT, "")) for point in points]
    made: list[Point] = []
    for part in embed_chunks(embedder, texts, budget_tokens, between=lambda _indexes: None) if texts else ():
        made += [replace(points[i], dense=part.vectors[k]) for k, i in enumerate(part.indexes)]
    return made


def _says_else(point: Point, known: Mapping[str, Any]) -> bool:
    """Return True for a point whose text was masked since it was copied. Some stores do not tell the text."""
    return DOCUMENT in known and known[DOCUMENT] != point.payload.get(DOCUMENT)


def _changed(points: Sequence[Point], there: Mapping[str, Mapping[str, Any]]) -> dict[str, Ownership]:
    """Return how points stand that both stores have and the target knows otherwise: closed once is closed."""
    changed = {}
    for point in points:
        here, known = standing_of(point.payload), standing_of(there[point.id])
        # The metadata of the one that is closed, for these stay.
        told = (here if known.holders and not here.holders else known).metadata or {}
        names = (*conversations(here.metadata or {}), *conversations(known.metadata or {}))
        both = here.holders and known.holders
        holders = tuple(sorted({*here.holders, *known.holders})) if both else ()
        wanted = Ownership(holders, naming(told, names), {**here.voices, **known.voices} if both else {})
        if wanted != known:
            changed[point.id] = wanted
    return changed


COPY_QUESTIONS: Mapping[str, Callable[..., Any]] = {
    answer.__name__: answer for answer in (migrate_open, migrate_page, migrate_check, migrate_close, migrate_alias)
}
