"""A store in a dict, in place of a real one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from importer.protocol.records import Batch, Chunk, Release
from importer.worker.stores import Ownership
from importer.worker.stores.schema import owned


@dataclass
class ModelStore:
    """A store in a dict: what stands in it after batches were applied, in the simplest words.

    `points` maps an id to its payload, `open_by` included while the point is open. `embedded` lists the ids written as
    new, in order; one that was embedded twice is listed twice.
    """

    points: dict[str, dict[str, Any]] = field(default_factory=dict)
    embedded: list[str] = field(default_factory=list)

    def apply(self, chunks: Iterable[Chunk], releases: Iterable[Release] = ()) -> None:
        """Store chunks, then let go of the released ones: what a worker does with a batch."""
        for chunk in chunks:
            self._store(chunk)
        for release in releases:
            self._release(release)

    def apply_batch(self, batch: Batch) -> None:
        """Apply a whole batch."""
        self.apply(batch.chunks, batch.releases)

    def lookup(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the ids that exist, with their holders; () for a closed one."""
        return {point: tuple(self.points[point].get("open_by", ())) for point in ids if point in self.points}

    def payloads(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the payloads of the ids that exist."""
        return {point: self.points[point] for point in ids if point in self.points}

    def write(self, points: Sequence[Any], standing: Mapping[str, Ownership], deletes: Sequence[str]) -> None:
        """Upsert points (anything with `id` and `payload`), set the holders of existing ones, delete."""
        for point in points:
            self.points[point.id] = dict(point.payload)
            self.embedded.append(point.id)
        for identifier, stands in standing.items():
            self.points[identifier] = owned(self.points[identifier], stands)
        for identifier in deletes:
            self.points.pop(identifier, None)

    def _store(self, chunk: Chunk) -> None:
        stands = self.points.get(chunk.id)
        if stands is None:
            self.points[chunk.id] = {"document": chunk.text, "metadata": dict(chunk.metadata)}
            self.embedded.append(chunk.id)
            self._hold(chunk.id, (chunk.holder,) if chunk.holder else ())
        elif not chunk.holder:
            self._hold(chunk.id, ())
        elif "open_by" in stands:
            self._hold(chunk.id, tuple(sorted({*stands["open_by"], chunk.holder})))

    def _hold(self, identifier: str, holders: tuple[str, ...]) -> None:
        self.points[identifier].pop("open_by", None)
        if holders:
            self.points[identifier]["open_by"] = list(holders)

    def _release(self, release: Release) -> None:
        held = self.points.get(release.id, {}).get("open_by", [])
        if release.holder not in held:
            return
        if left := tuple(holder for holder in held if holder != release.holder):
            self._hold(release.id, left)
        else:
            del self.points[release.id]


def quiet(_stage: str, _done_bytes: int, _total_bytes: int) -> None:
    """Shows no progress."""
