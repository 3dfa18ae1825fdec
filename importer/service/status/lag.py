"""How far the import is behind: the files known, what of them is not imported yet, and how old the oldest of that is.

state (what is committed)  +  what was seen since (agenda, batches in flight, or a look at the roots)  =  Lag
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from importer.delivery.engine import Engine
from importer.protocol.records import FileStat
from importer.protocol.units import NS
from importer.sources import scan
from importer.sources.reconcile import behind, wanted
from importer.sources.scan import Root
from importer.state.checkpoints import Checkpoints, Known

NEVER = float("inf")


class Seen(NamedTuple):
    """A file that is not, or not certainly, as it was imported: its size, and its last change (UTC s; 0 unknown)."""

    size: int
    at: float


class Change(NamedTuple):
    """What a file adds to what the state knows: a `fresh` file, a complete one `begun` again, bytes, its time."""

    fresh: bool
    begun: bool
    bytes: int
    at: float


@dataclass(frozen=True, slots=True)
class Lag:
    """Files by how far they are, the bytes not imported yet, and when the oldest of those was written (UTC s or 0).

    `at_least`: more is pending than can be named, so `pending`, `bytes` and `oldest_at` are lower bounds.
    """

    known: int = 0
    complete: int = 0
    pending: int = 0
    quarantined: int = 0
    bytes: int = 0
    oldest_at: float = 0.0
    at_least: bool = False


def of_engine(engine: Engine) -> Lag:
    """What a working engine is behind by, the batches in flight included: they are not imported before they are."""
    seen = {one.path: Seen(one.size, one.mtime_ns / NS) for one in engine.agenda.waiting()}
    for flight in engine.delivery.unsettled():
        for commit in flight.batch.commits:
            checkpoint = commit.checkpoint
            seen.setdefault(checkpoint.path, Seen(checkpoint.size, checkpoint.mtime_ns / NS))
    lag = count(engine.checkpoints, seen)
    if not engine.agenda.overflowed:
        return lag
    # of the files that found no room on the agenda only their number is known, from the last look
    known = max(lag.known, engine.looker.files)
    return replace(lag, known=known, pending=known - lag.complete, at_least=True)


def of_roots(roots: Iterable[Root], checkpoints: Checkpoints | None, *, follow_links: bool = False) -> Lag:
    """What is behind when nobody imports: one look at the files of the roots, reading none of them."""
    seen: dict[bytes, Seen] = {}
    visited = scan.Seen()
    for root in roots:
        for folder in scan.scan(root, wanted(root), follow_links=follow_links, seen=visited):
            known = checkpoints.folder(folder.path) if checkpoints else {}
            seen.update((stat.path, Seen(stat.size, stat.mtime_ns / NS)) for stat in _behind(folder, known))
    return count(checkpoints, seen)


def _behind(folder: scan.Folder, known: Mapping[bytes, Known]) -> Iterator[FileStat]:
    """The files of a folder that are unknown, or not as they were when they were read to their end."""
    return (stat for stat in folder.files if behind(stat, known.get(os.path.basename(stat.path))))


def count(checkpoints: Checkpoints | None, seen: Mapping[bytes, Seen]) -> Lag:
    """What the state knows, corrected by what was seen since. Reads each small row once."""
    lag = _committed(checkpoints) if checkpoints else Lag()
    fresh = begun = left_bytes = 0
    oldest_at = lag.oldest_at or NEVER
    for path, row in _rows(checkpoints, seen):
        change = _change(seen[path], row)
        fresh += change.fresh
        begun += change.begun
        left_bytes += change.bytes
        oldest_at = min(oldest_at, change.at)
    return replace(
        lag,
        known=lag.known + fresh,
        complete=lag.complete - begun,
        pending=lag.pending + fresh + begun,
        bytes=lag.bytes + left_bytes,
        oldest_at=0.0 if oldest_at == NEVER else oldest_at,
    )


def _committed(checkpoints: Checkpoints) -> Lag:
    """What the summary of the state says, before anything was seen beside it."""
    rows = checkpoints.files_summary()
    return Lag(rows.known, rows.complete, rows.pending, rows.quarantined, rows.lag_bytes, rows.oldest_at)


def _rows(checkpoints: Checkpoints | None, seen: Mapping[bytes, Seen]) -> Iterator[tuple[bytes, Known | None]]:
    """The committed row of each path seen, None for a file that is new: one question for each folder."""
    folders = defaultdict(list)
    for path in seen:
        folders[os.path.dirname(path)].append(path)
    for folder, paths in folders.items():
        known = checkpoints.folder(folder) if checkpoints else {}
        yield from ((path, known.get(os.path.basename(path))) for path in paths)


def _change(seen: Seen, row: Known | None) -> Change:
    """What one file that is not as it was adds: a new one, one that has grown, or one that was rewritten."""
    counted = row is not None and not row.gone
    in_part = row is not None and counted and row.ctime_ns == 0  # the summary has it as pending
    offset = row.offset if row is not None else 0
    left = seen.size - offset if seen.size >= offset else seen.size  # a shorter one is read from its start
    # these bytes are in the summary already
    due = max(0, row.size - offset) if row is not None and in_part else 0
    at = seen.at if left and seen.at else NEVER
    return Change(not counted, counted and not in_part, max(0, left - due), at)
