"""Pure: what a batch means for a store that already holds some of it.

    arrives \\ stands     absent             open (held by some)        closed
    closed chunk         embed, write       let go of all holders      nothing
    open chunk           embed, write       add its holder             nothing
    release              nothing            remove the holder,         nothing
                                            delete when none is left

A point that may be missing on some replica is written again as it is to stand, whether open or closed.

Every row is idempotent, so a batch may be replayed any number of times. What a point tells of itself is told by
`voices`; to a closed point a chunk of another conversation adds that conversation's name, and nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from importer.protocol.records import Chunk, Release
from importer.worker import voices
from importer.worker.stores import Ownership, Store
from importer.worker.stores.schema import holders, standing_of

Holders = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WritePlan:
    """What to embed and write (and how it stands), which points stand otherwise from now on, and which go.

    `known` is how many chunks the store has already, open or closed; `again` how many points of `write` it has on some
    replica at least.
    """

    write: tuple[tuple[Chunk, Ownership], ...]
    standing: Mapping[str, Ownership]
    deletes: tuple[str, ...]
    known: int
    again: int = 0


class StoredPoints(NamedTuple):
    """What a store has of some points: the ids that exist with their holders, () for a closed one, and their payloads.

    `unsure` are those of them that some replica may lack.
    """

    stored: Mapping[str, Holders] = {}
    payloads: Mapping[str, Mapping[str, Any]] = {}
    unsure: Collection[str] = ()


def looked_up(store: Store, ids: Sequence[str], *, vectors: bool = False) -> StoredPoints:
    """Return what the store has of these points; with `vectors` those that stand without a vector are unsure, too."""
    if not ids:
        return StoredPoints()
    stored = store.lookup(ids)
    payloads = dict(store.payloads(sorted(stored))) if stored else {}
    unsure = unsure_points(store, ids, vectors=vectors)
    payloads |= unsure
    return StoredPoints(
        stored | {point: holders(found) for point, found in unsure.items()}, payloads, frozenset(unsure)
    )


def unsure_points(store: Store, ids: Sequence[str], *, vectors: bool = False) -> dict[str, Mapping[str, Any]]:
    """Return the payloads of those points that some replica may lack; with `vectors` of those without a vector, too.

    The embedded store has neither.
    """
    asked = [getattr(store, name, None) for name in ("unsure", *(["bare"] if vectors else []))]
    return {id: payload for ask in asked if ask and ids for id, payload in ask(ids).items()}


def plan(
    chunks: Iterable[Chunk],
    releases: Iterable[Release],
    stored: Mapping[str, Holders],
    payloads: Mapping[str, Mapping[str, Any]] | None = None,
    unsure: Collection[str] = (),
) -> WritePlan:
    """Apply chunks, then releases, to `stored`: the ids that exist, with their holders, () for a closed one.

    `payloads` are those of the ids that exist; `unsure` are those of them that some replica may lack.
    """
    before = {point: _standing(holders, (payloads or {}).get(point, {})) for point, holders in stored.items()}
    now = dict(before)
    fresh: dict[str, Chunk] = {}
    known = 0
    for chunk in chunks:
        known += chunk.id in stored and chunk.id not in unsure
        if chunk.id not in now or chunk.id in unsure:
            fresh.setdefault(chunk.id, chunk)
        if chunk.id in now:
            now[chunk.id] = voices.arrive(now[chunk.id], chunk)
        else:
            now[chunk.id] = Ownership((chunk.holder,) if chunk.holder else (), chunk.metadata)
    for release in releases:
        _release(now, release)
    return WritePlan(
        write=tuple((_of(chunk, now[chunk.id]), now[chunk.id]) for chunk in fresh.values() if chunk.id in now),
        # Only what the store has and what changed, or may not have changed everywhere; the others are written whole.
        standing={
            point: now[point]
            for point in stored
            if point in now and point not in fresh and (now[point] != before[point] or point in unsure)
        },
        # In the store, so `points` can be counted by them.
        deletes=tuple(point for point in stored if point not in now),
        known=known,
        again=sum(point in stored for point in fresh if point in now),
    )


def touching(
    chunks: Iterable[Chunk], releases: Iterable[Release], ids: Collection[str]
) -> tuple[list[Chunk], list[Release]]:
    """Return those chunks and releases whose point is one of `ids`: a plan looks at each point by itself."""
    return [one for one in chunks if one.id in ids], [one for one in releases if one.id in ids]


def both(one: WritePlan, other: WritePlan) -> WritePlan:
    """Join the plans of two parts of a batch that have no point in common."""
    return WritePlan(
        write=(*one.write, *other.write),
        standing={**one.standing, **other.standing},
        deletes=(*one.deletes, *other.deletes),
        known=one.known + other.known,
        again=one.again + other.again,
    )


def _standing(holders: Holders, payload: Mapping[str, Any]) -> Ownership:
    """Return how a point of this payload stands, with these holders."""
    return standing_of(payload)._replace(holders=holders)


def _release(now: dict[str, Ownership], release: Release) -> None:
    """Remove one holder from an open point, and the point with its last holder. Closed and unknown points stay."""
    stands = now.get(release.id)
    if stands is None or release.holder not in stands.holders:
        return
    left = voices.leave(stands, release.holder)
    if left.holders:
        now[release.id] = left
    else:
        del now[release.id]


def _of(chunk: Chunk, standing: Ownership) -> Chunk:
    """Return the chunk with the metadata it is to have."""
    return chunk if standing.metadata is None else replace(chunk, metadata=standing.metadata)
