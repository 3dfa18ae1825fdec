"""Pure: what a batch means for a store that already holds some of it.

    arrives \\ stands     absent             open (held by some)        closed
    closed chunk         embed, write       let go of all holders      nothing
    open chunk           embed, write       add its holder             nothing
    release              nothing            remove the holder,         nothing
                                            delete when none is left

Every row is idempotent, so a batch may be replayed any number of times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from importer.records import Chunk, Release

Holders = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to embed and write (with its holders), whose holders change, and which points go."""

    write: tuple[tuple[Chunk, Holders], ...]
    holders: Mapping[str, Holders]
    deletes: tuple[str, ...]
    known: int


def plan(chunks: Iterable[Chunk], releases: Iterable[Release], stored: Mapping[str, Holders]) -> Plan:
    """Applies chunks, then releases, to `stored`: the ids that exist, with their holders, () for a closed one."""
    now = dict(stored)
    fresh: dict[str, Chunk] = {}
    known = 0
    for chunk in chunks:
        known += chunk.id in stored
        if chunk.id not in now:
            fresh[chunk.id] = chunk
        now[chunk.id] = _arrive(now.get(chunk.id), chunk.holder)
    for release in releases:
        _release(now, release)
    return Plan(
        write=tuple((chunk, now[chunk.id]) for chunk in fresh.values() if chunk.id in now),
        holders={point: now[point] for point in stored if point in now and now[point] != stored[point]},
        deletes=tuple(point for point in stored if point not in now),
        known=known,
    )


def _arrive(stands: Holders | None, holder: str) -> Holders:
    if not holder or stands == ():
        return ()
    return tuple(sorted({*(stands or ()), holder}))


def _release(now: dict[str, Holders], release: Release) -> None:
    holders = now.get(release.id)
    if not holders or release.holder not in holders:
        return
    left = tuple(holder for holder in holders if holder != release.holder)
    if left:
        now[release.id] = left
    else:
        del now[release.id]
