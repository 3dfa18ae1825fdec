"""Count the files of roots by their fate, and name those that nothing was imported of.

found = imported + empty + unrecognised + refused + pending       (files, at all times)
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from importer.protocol.fates import PASSED_OVER, Fate
from importer.protocol.records import FileStat
from importer.sources import scan
from importer.sources.databases import tables
from importer.sources.reconcile import behind, wanted
from importer.sources.scan import Root
from importer.state.checkpoints import Checkpoints, KnownFile

IMPORTED, PENDING = "imported", "pending"
FATES = (IMPORTED, str(Fate.EMPTY), str(Fate.UNRECOGNISED), str(Fate.REFUSED), PENDING)
MOST_NAMED = 20  # the others are only counted


@dataclass(slots=True)
class Census:
    """The number of files by fate, and the first few that were passed over, with the reason.

    `barren` are the roots that hold files of which none could be imported. `waiting` are the first few files whose last
    line is not whole, with its bytes: it is imported once it is. `stores` is what was ever read of each format.
    """

    counts: Counter[str] = field(default_factory=Counter)
    named: dict[bytes, str] = field(default_factory=dict)
    barren: list[bytes] = field(default_factory=list)
    waiting: dict[bytes, int] = field(default_factory=dict)
    stores: dict[str, dict[str, int]] = field(default_factory=dict)

    def fields(self) -> Mapping[str, Any]:
        """Return what `backlog --json` says of files."""
        counts = {f"files_{fate}": self.counts[fate] for fate in FATES}
        named = {os.fsdecode(path): reason for path, reason in self.named.items()}
        return {
            "files_found": self.counts.total(),
            **counts,
            "passed_over": named,
            "waiting": {os.fsdecode(path): size for path, size in self.waiting.items()},
            "barren": [os.fsdecode(path) for path in self.barren],
            "stores": self.stores,
        }


def take(roots: Iterable[Root], checkpoints: Checkpoints, *, follow_links: bool = False) -> Census:
    """Count all files below the roots, each once. Compares them with their rows, and reads none of them."""
    census, seen = Census(), scan.Visited()
    for root in roots:
        counts: Counter[str] = Counter()
        for stat, known in _files(root, checkpoints, seen, follow_links=follow_links):
            counts[_add(census, stat, known)] += 1
        census.counts += counts
        if counts and counts.total() == sum(counts[fate] for fate in PASSED_OVER):
            census.barren.append(root.path)
    census.stores = checkpoints.stores()
    for path in census.named:
        row = checkpoints.by_path(path)
        census.named[path] = row.reason if row else ""
    return census


def _files(
    root: Root, checkpoints: Checkpoints, seen: scan.Visited, *, follow_links: bool
) -> Iterator[tuple[FileStat, KnownFile | None]]:
    """Yield each file of a root with its row."""
    for folder in scan.scan(root, wanted(root), follow_links=follow_links, seen=seen):
        known = checkpoints.folder(folder.path)
        yield from ((stat, known.get(os.path.basename(stat.path))) for stat in folder.files)


def _add(census: Census, stat: FileStat, known: KnownFile | None) -> str:
    """Name a file if there is a reason to, and return its fate."""
    fate = fate_of(stat, known)
    if fate in PASSED_OVER and len(census.named) < MOST_NAMED:
        census.named[stat.path] = ""
    waits = known is not None and not known.fate and _is_same(stat, known) and known.offset < stat.size
    if known is not None and waits and len(census.waiting) < MOST_NAMED:
        census.waiting[stat.path] = stat.size - known.offset
    return fate


def fate_of(stat: FileStat, known: KnownFile | None) -> str:
    """Return the fate of a file as it stands, one of FATES.

    A file that was read too soon after a write is behind; read to its end it is imported all the same.
    """
    if known is None:
        return PENDING
    if known.fate in PASSED_OVER:
        return known.fate
    done = _is_same(stat, known) and (known.fate != "" or known.offset >= max(stat.size, known.size))
    if behind(stat, known) and not done:
        return PENDING
    return str(Fate.EMPTY) if known.fate or not stat.size else IMPORTED


def _is_same(stat: FileStat, known: KnownFile) -> bool:
    """Return True if a row is of this very file at its present size, or as it was changed last."""
    if stat.size == tables.SIZE_UNKNOWN and known.ctime_ns not in (0, stat.ctime_ns):
        return False
    if stat.size == tables.SIZE_UNKNOWN:
        return (known.device, known.inode) == (stat.device, stat.inode)
    return (known.size, known.device, known.inode) == (stat.size, stat.device, stat.inode)
