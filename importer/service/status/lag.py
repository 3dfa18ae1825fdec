"""How far the import is behind: the files known, what of them is not imported yet, and how old the oldest of that is.

state (what is committed)  +  what was seen since (queue, batches in flight, or a look at the roots)  =  Lag
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from importer.delivery.snapshot import Snapshot
from importer.protocol.fates import PASSED_OVER
from importer.protocol.units import NS
from importer.sources import scan
from importer.sources.reconcile import behind, wanted
from importer.sources.scan import Root
from importer.state.checkpoints import Checkpoints, KnownFile

NEVER = float("inf")


class SeenFile(NamedTuple):
    """A file that may have changed since it was imported: its size, and its last change (UTC seconds, 0 unknown)."""

    size: int
    at: float


class LagChange(NamedTuple):
    """What a file adds to what the state knows: a new file, a complete one begun again, its bytes, its time."""

    fresh: bool
    begun: bool
    bytes: int
    at: float


@dataclass(frozen=True, slots=True)
class Lag:
    """Files by how far they are, the bytes not imported yet, and when the oldest of those was written (UTC s or 0).

    known = complete + pending + unrecognised + refused; the `empty` ones are complete.
    `at_least`: more is pending than can be named, so `pending`, `bytes` and `oldest_at` are lower bounds.
    """

    known: int = 0
    complete: int = 0
    pending: int = 0
    quarantined: int = 0
    bytes: int = 0
    oldest_at: float = 0.0
    at_least: bool = False
    empty: int = 0
    unrecognised: int = 0
    refused: int = 0


def of_snapshot(seen: Snapshot, checkpoints: Checkpoints) -> Lag:
    """Return what a working engine is behind by. Batches in flight count, for they have no receipt yet."""
    files = {one.path: SeenFile(one.size, one.mtime_ns / NS) for one in seen.waiting}
    for commit in seen.in_flight:
        checkpoint = commit.checkpoint
        files.setdefault(checkpoint.path, SeenFile(checkpoint.size, checkpoint.mtime_ns / NS))
    lag = count(checkpoints, files)
    if not seen.overflowed:
        return lag
    # of the files that found no room on the queue only their number is known, from the last look
    known = max(lag.known, seen.listed_files)
    passed_over = lag.unrecognised + lag.refused
    return replace(lag, known=known, pending=known - lag.complete - passed_over, at_least=True)


def of_roots(roots: Iterable[Root], checkpoints: Checkpoints | None, *, follow_links: bool = False) -> Lag:
    """Return what is behind while no process imports: one look at the files of the roots, which reads none of them."""
    files: dict[bytes, SeenFile] = {}
    visited = scan.Visited()
    for root in roots:
        for folder in scan.scan(root, wanted(root), follow_links=follow_links, seen=visited):
            known = checkpoints.folder(folder.path) if checkpoints else {}
            late = (stat for stat in folder.files if behind(stat, known.get(os.path.basename(stat.path))))
            files.update((stat.path, SeenFile(stat.size, stat.mtime_ns / NS)) for stat in late)
    return count(checkpoints, files)


def count(checkpoints: Checkpoints | None, seen: Mapping[bytes, SeenFile]) -> Lag:
    """Return what the state knows, corrected by the files seen since. Reads each small row once."""
    lag = _committed(checkpoints) if checkpoints else Lag()
    changes = [_change(seen[path], row) for path, row in _rows(checkpoints, seen)]
    fresh, begun = sum(one.fresh for one in changes), sum(one.begun for one in changes)
    oldest_at = min((lag.oldest_at or NEVER, *(one.at for one in changes)))
    return replace(
        lag,
        known=lag.known + fresh,
        complete=lag.complete - begun,
        pending=lag.pending + fresh + begun,
        bytes=lag.bytes + sum(one.bytes for one in changes),
        oldest_at=0.0 if oldest_at == NEVER else oldest_at,
    )


def _committed(checkpoints: Checkpoints) -> Lag:
    """Return what the summary of the state says alone."""
    rows = checkpoints.files_summary()
    lag = Lag(rows.known, rows.complete, rows.pending, rows.quarantined, rows.lag_bytes, rows.oldest_at)
    return replace(lag, empty=rows.empty, unrecognised=rows.unrecognised, refused=rows.refused)


def _rows(checkpoints: Checkpoints | None, seen: Mapping[bytes, SeenFile]) -> Iterator[tuple[bytes, KnownFile | None]]:
    """Yield each path with its committed row, None for a new file. Asks the state once for each folder."""
    folders = defaultdict(list)
    for path in seen:
        folders[os.path.dirname(path)].append(path)
    for folder, paths in folders.items():
        known = checkpoints.folder(folder) if checkpoints else {}
        yield from ((path, known.get(os.path.basename(path))) for path in paths)


def _change(seen: SeenFile, row: KnownFile | None) -> LagChange:
    """Return what one changed file adds: it is new, it has grown, or it was rewritten."""
    counted = row is not None and not row.gone
    if row is not None and counted and row.fate in PASSED_OVER:  # the look that it waits for tells whether it still is
        return LagChange(False, False, 0, NEVER)
    in_part = row is not None and counted and row.ctime_ns == 0 and not row.fate  # the summary has it as pending
    offset = row.offset if row is not None else 0
    left = seen.size - offset if seen.size >= offset else seen.size  # a shorter one is read from its start
    # these bytes are in the summary already
    due = max(0, row.size - offset) if row is not None and in_part else 0
    at = seen.at if left and seen.at else NEVER
    return LagChange(not counted, counted and not in_part, max(0, left - due), at)
