"""Pure: what a batch means for a store that already holds some of it.

    arrives \\ stands     absent             open (held by some)        closed
    closed chunk         embed, write       let go of all holders      nothing
    open chunk           embed, write       add its holder             nothing
    release              nothing            remove the holder,         nothing
                                            delete when none is left

Every row is idempotent, so a batch may be replayed any number of times. A point that several conversations share names
one that still says so: the one that closed it, else one that holds it open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from importer.protocol.records import Chunk, Release, held_by
from importer.worker.stores import Ownership
from importer.worker.stores.schema import CONVERSATION, retold

Holders = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to embed and write (with its holders), which points stand otherwise from now on, and which go.

    `known` is how many chunks the store has already, open or closed.
    """

    write: tuple[tuple[Chunk, Holders], ...]
    standing: Mapping[str, Ownership]
    deletes: tuple[str, ...]
    known: int


def plan(chunks: Iterable[Chunk], releases: Iterable[Release], stored: Mapping[str, Holders]) -> Plan:
    """Apply chunks, then releases, to `stored`: the ids that exist, with their holders, () for a closed one."""
    now = dict(stored)
    fresh: dict[str, Chunk] = {}
    closed_in: dict[str, str] = {}
    known = 0
    for chunk in chunks:
        known += chunk.id in stored
        if chunk.id not in now:
            fresh[chunk.id] = chunk
        if not chunk.holder and now.get(chunk.id) != ():
            closed_in[chunk.id] = chunk.metadata.get(CONVERSATION, "")
        now[chunk.id] = _arrive(now.get(chunk.id), chunk.holder)
    for release in releases:
        _release(now, release)
    stands = {point: _standing(now[point], closed_in.get(point, "")) for point in (*fresh, *stored) if point in now}

    def named(chunk: Chunk) -> Chunk:  # with the conversation it is to name
        return replace(chunk, metadata=retold(chunk.metadata, stands[chunk.id]))

    return Plan(
        write=tuple((named(chunk), now[chunk.id]) for chunk in fresh.values() if chunk.id in now),
        # Only what the store has and what changed: new points are written as they stand.
        standing={point: stands[point] for point in stored if point in now and now[point] != stored[point]},
        # In the store, so `points` can be counted by them.
        deletes=tuple(point for point in stored if point not in now),
        known=known,
    )


def _arrive(stands: Holders | None, holder: str) -> Holders:
    """Return the holders of a point after a chunk arrived: () once it is closed, and it stays closed."""
    if not holder or stands == ():
        return ()
    return tuple(sorted({*(stands or ()), holder}))


def _release(now: dict[str, Holders], release: Release) -> None:
    """Remove one holder from an open point, and the point with its last holder. Closed and unknown points stay."""
    holders = now.get(release.id)
    if not holders or release.holder not in holders:
        return
    left = tuple(holder for holder in holders if holder != release.holder)
    if left:
        now[release.id] = left
    else:
        del now[release.id]


def _standing(holders: Holders, closed_in: str) -> Ownership:
    """Return a point's ownership: while it is open its holders, else the conversation that closed it.

    Where one of these is not known, the point goes on naming the conversation it names.
    """
    said_in = dict.fromkeys(map(held_by, holders) if holders else (closed_in,))
    return Ownership(holders, () if "" in said_in else tuple(said_in))
