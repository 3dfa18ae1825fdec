"""Count the files of roots by their fate, and name those that nothing was imported of.

found = imported + empty + unrecognised + refused + pending       (files, at all times)
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from importer.protocol.fates import PASSED_OVER, Fate
from importer.protocol.records import FileStat
from importer.sources import scan
from importer.sources.reconcile import behind, wanted
from importer.sources.scan import Root
from importer.state.checkpoints import Checkpoints, Known

IMPORTED, PENDING = "imported", "pending"
FATES = (IMPORTED, str(Fate.EMPTY), str(Fate.UNRECOGNISED), str(Fate.REFUSED), PENDING)
MOST_NAMED = 20  # of each fate; the others are only counted


@dataclass(slots=True)
class Census:
    """The number of files by fate, and the first few that were passed over, with the reason.

    `barren` are the roots that hold files of which none could be imported.
    """

    counts: Counter[str] = field(default_factory=Counter)
    named: dict[bytes, str] = field(default_factory=dict)
    barren: list[bytes] = field(default_factory=list)

    def fields(self) -> Mapping[str, Any]:
        """Return what `backlog --json` says of files."""
        counts = {f"files_{fate}": self.counts[fate] for fate in FATES}
        named = {os.fsdecode(path): reason for path, reason in self.named.items()}
        return {
            "files_found": self.counts.total(),
            **counts,
            "passed_over": named,
            "barren": [os.fsdecode(path) for path in self.barren],
        }


def take(roots: Iterable[Root], checkpoints: Checkpoints, *, follow_links: bool = False) -> Census:
    """Count all files below the roots, each once. Compares them with their rows, and reads none of them."""
    census, seen = Census(), scan.Visited()
    for root in roots:
        counts, named = _count(root, checkpoints, seen, follow_links=follow_links)
        census.counts += counts
        for path in named:
            known = checkpoints.by_path(path)
            census.named[path] = known.reason if known else ""
        if counts and counts.total() == sum(counts[fate] for fate in PASSED_OVER):
            census.barren.append(root.path)
    return census


def _count(
    root: Root, checkpoints: Checkpoints, seen: scan.Visited, *, follow_links: bool
) -> tuple[Counter[str], list[bytes]]:
    """Count the files of one root by fate; return the first few that were passed over as well."""
    counts: Counter[str] = Counter()
    named: list[bytes] = []
    for folder in scan.scan(root, wanted(root), follow_links=follow_links, seen=seen):
        known = checkpoints.folder(folder.path)
        for stat in folder.files:
            fate = fate_of(stat, known.get(os.path.basename(stat.path)))
            counts[fate] += 1
            if fate in PASSED_OVER and counts[fate] <= MOST_NAMED:
                named.append(stat.path)
    return counts, named


def fate_of(stat: FileStat, known: Known | None) -> str:
    """Return the fate of a file as it stands, one of FATES.

    A file that was read too soon after a write is behind; read to its end it is imported all the same.
    """
    if known is None:
        return PENDING
    if known.fate in PASSED_OVER:
        return known.fate
    same = (known.size, known.device, known.inode) == (stat.size, stat.device, stat.inode)
    done = same and (known.fate != "" or known.offset >= stat.size)
    if behind(stat, known) and not done:
        return PENDING
    return str(Fate.EMPTY) if known.fate or not stat.size else IMPORTED
