"""The embedded store: Qdrant Edge, the server's own engine in this process.

    PATH/<collection>/            one shard: segments/, wal/, edge_config.json
    PATH/<collection>/importer.json   its fingerprint

One opener per directory. A write is durable once the write-ahead log is synced; the engine replays the log when it
opens the shard. A `flush()` empties the log into the segments and takes half a second on an ordinary disk: it is done
now and then, not per write. The engine holds the interpreter's lock in all its calls, so no two of them overlap, and
embedding waits for them; syncing the log does not hold it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import qdrant_edge

from importer.errors import StoreUnreachable, UsageError
from importer.worker.stores import EVERYTHING, Lookup, Ownership, Page, Point, Scope, StoreRequest
from importer.worker.stores.candidates import Candidates
from importer.worker.stores.edge.asking import candidates
from importer.worker.stores.edge.generations import drop_next, purges, unready
from importer.worker.stores.edge.lengths import average_length
from importer.worker.stores.edge.page_cache import PageCache
from importer.worker.stores.edge.scrub import scrub
from importer.worker.stores.edge.shard import (
    TAGS,
    config_of,
    mark_closed,
    mark_open,
    open_shard,
    sync_log,
    translated,
)
from importer.worker.stores.edge.stems import EdgeStemming, Tagging
from importer.worker.stores.edge.values import VISIBLE, EdgeDialect, held, native, point
from importer.worker.stores.filters import build
from importer.worker.stores.schema import OPEN_BY, Fingerprint, check, dense_name
from importer.worker.stores.schema import holders as holders_of

edge: Any = qdrant_edge  # its stub wants invariant lists of unions
MAX_TAGS = 1_000_000  # distinct ones, conversations mostly
UPSERT_POINTS = 32  # in one call: all that time neither a question nor the model's next run is begun
FLUSH_EVERY_POINTS = 2_560  # replaying as many when opening after a kill takes about half a second
MIN_FREE_BYTES = 64 * 1024 * 1024  # mapped files on a full disk end the process with SIGBUS, so stop before that
SMALL_POINTS = 1_000  # of an older store that are given stems while it is opened, in about half a second
MERGE_ALL = {"deleted_threshold": 0.0, "vacuum_min_vector_number": 0}  # segments with any deleted point
OPTIMIZE_FREE = 4  # times as much, for segments are written anew before the old ones go


class EdgeStore:
    """One shard, opened by `open_store`. See `Store` for what its methods promise."""

    kind = "edge"

    def __init__(self, shard: Any, path: str, request: StoreRequest, found: Fingerprint, min_free_bytes: int) -> None:
        self.location = f"edge:{os.path.dirname(path)}"
        self.fingerprint = str(found)
        self._shard, self.path, self._found = shard, path, found
        self._dense = dense_name(found.model)
        self._dimension = found.dimension
        self._optimize_every = request.settings.optimise_every_points
        self._min_free_bytes = min_free_bytes
        info = shard.info()  # points since the last optimisation, by whichever process:
        self._written = max(0, int(info.points_count) - int(info.indexed_vectors_count))
        self._open, self._logged = True, 0  # `_logged`: changes since the last flush
        self._stems, self._tags = EdgeStemming(shard, path), Tagging(shard, path)
        self._average_known: float | None = None
        self._page_cache = PageCache(path, request.settings.page_cache_bytes)
        self._doubled = mark_open(path) and self._counts_differ()  # only after a kill: it counts every point
        if self._doubled:
            self._heal()

    def lookup(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return those of `ids` that exist, each with its holders; () is a closed one. Unknown ids cost least."""
        with translated():
            found = self._shard.retrieve(list(ids), [OPEN_BY], False)
        return {str(record.id): holders_of(record.payload) for record in found}

    def payloads(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the payloads of those of `ids` that exist, but for what only our indexes read."""
        with translated():
            found = self._shard.retrieve(list(ids), VISIBLE, False)
        return {str(record.id): record.payload or {} for record in found}

    def write(self, points: Sequence[Point], standing: Mapping[str, Ownership], deletes: Sequence[str]) -> None:
        """Upsert, change, delete, sync. Raises PointsRejected, StoreRefused or StoreUnreachable (disk full)."""
        check(points, self._dimension)
        self._check_room()
        unready(self.path)
        with translated():
            # Additions before deletions: what a kill leaves in between is too much, and the same write again mends it.
            whole = [*(native(given, self._dense) for given in points), *self._with(standing)]
            for at in range(0, len(whole), UPSERT_POINTS):
                self._shard.update(edge.UpdateOperation.upsert_points(whole[at : at + UPSERT_POINTS]))
            if deletes:
                self._shard.update(edge.UpdateOperation.delete_points(list(deletes)))
            sync_log(self.path)
            self._logged += len(points) + len(standing) + len(deletes)
            if self._logged >= FLUSH_EVERY_POINTS:
                self._flush()
        self._written += len(points)
        self._average_known = None

    def _with(self, standing: Mapping[str, Ownership]) -> list[Any]:
        """Return points with another ownership, to be written whole; ids that are gone meanwhile are passed over.

        A change of payload alone would do, but not after a kill: the engine's replay of its log gives up a whole change
        when one of its points stands in two segments, and what was acknowledged would be lost.
        """
        records = self._shard.retrieve(list(standing), True, True) if standing else []
        return [held(record, standing[str(record.id)]) for record in records]

    def count(self, scope: Scope = EVERYTHING) -> int:
        """Count the points of the scope; the number of all is known, going through them takes 0.2 s at a million."""
        with translated():
            if not scope and not self._doubled:
                return int(self._shard.info().points_count)
            return int(self._shard.count(edge.CountRequest(exact=True, filter=build(scope, self._dialect))))

    def _counts_differ(self) -> bool:
        """Return True if points stand in two segments, as a kill while optimising leaves them.

        Reading, searching and deleting know them as one; only the known total counts them twice.
        """
        with translated():
            return int(self._shard.count(edge.CountRequest(exact=True))) != int(self._shard.info().points_count)

    def _heal(self) -> None:
        """Upkeep at once: while points stand in two segments the engine refuses to change the payload of most of them.

        It says "No point with id …" then, of points it finds; seen with qdrant-edge-py 0.9.0.
        """
        with translated():
            self._flush()
            self._shard.optimize()
        self._doubled = self._counts_differ()

    def candidates(self, asked: Lookup) -> Candidates:
        """Return the best chunks by words, stems and vectors, with raw scores."""
        if asked.dense is not None:
            self._page_cache.fill()
        with translated():
            return candidates(
                self._shard, asked, self._dense, self._average(), stemmed=self._stems.done, dialect=self._dialect
            )

    def _average(self) -> float:
        """Return the average length of the chunks, looked up again after writes: about a millisecond."""
        if self._average_known is None:
            self._average_known = average_length(self._shard)
        return self._average_known

    def read(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the payloads of those of `ids` that exist, as readers see them."""
        return self.payloads(ids) if ids else {}

    def scroll(
        self, after: str | None = None, limit: int = 256, *, with_vectors: bool = False, scope: Scope = EVERYTHING
    ) -> Page:
        """Return one page in order of id, from the cursor `after`."""
        request = edge.ScrollRequest(
            offset=after,
            limit=limit,
            filter=build(scope, self._dialect),
            with_payload=VISIBLE,
            with_vector=with_vectors,
        )
        with translated():
            records, cursor = self._shard.scroll(request)
        points = tuple(point(record, self._dense) for record in records)
        return Page(points, None if cursor is None else str(cursor))

    def delete(self, scope: Scope) -> int:
        """Delete what the scope holds, durably; how many points that were."""
        if not scope:
            raise UsageError("an empty scope would delete everything")
        count = self.count(scope)
        unready(self.path)
        with translated():
            self._shard.update(edge.UpdateOperation.delete_points_by_filter(build(scope, self._dialect)))
            self._flush()
        self._average_known = None
        return count

    def facet(self, key: str, limit: int = 1000) -> dict[str, int]:
        """Count points per value of `metadata.<key>`, the most frequent first; deleted points are not counted.

        They come from the tags' index (0.2 s at a million); the engine's `exact` would read every point, in 7 s.
        """
        with translated():
            answer = self._shard.facet(edge.FacetRequest(TAGS, limit=MAX_TAGS, exact=False))
        counts = {str(hit.value): int(hit.count) for hit in answer.hits if hit.count}
        found = {tag.removeprefix(f"{key}="): count for tag, count in counts.items() if tag.startswith(f"{key}=")}
        return dict(sorted(found.items(), key=lambda item: -item[1])[:limit])

    @property
    def pending_optimize(self) -> bool:
        """Whether about one segment's worth of points was written since the last `optimize()`."""
        return self._written >= self._optimize_every

    def optimize_early(self) -> bool:
        """Optimise if half of what makes it due was written; for a moment in which there is memory to spare."""
        return self._written >= self._optimize_every // 2 and self.optimize()

    def optimize(self) -> bool:
        """Empty the log, and make a small cold segment of what was written since (not on a crowded disk)."""
        if not self._logged and not self._written:
            return False
        with translated():
            self._flush()
            done = self._free_bytes() >= OPTIMIZE_FREE * self._min_free_bytes and bool(self._shard.optimize())
        self._written = 0  # on a crowded disk, too: the next try is one interval away, or each write would flush
        # Merging is what makes one point of two.
        self._doubled = self._doubled and self._counts_differ()
        return done

    def upkeep(self) -> bool:
        """Give some points of an older version what they lack; return True while more of them are to be done."""
        todo = next((one for one in (self._stems, self._tags) if not one.done), None)
        if todo is None or self._free_bytes() < OPTIMIZE_FREE * self._min_free_bytes:
            return False
        with translated():
            written = todo.step()
        self._logged += written
        self._written += written
        return not (self._stems.done and self._tags.done)

    @property
    def _dialect(self) -> EdgeDialect:
        """How filters are spelled, by what all points have."""
        return EdgeDialect(tagged=self._tags.done)

    def scrub(self) -> Sequence[str]:
        """Take what was deleted out of segments and log. Raises StoreUnreachable when there is no room to do it.

        A generation that is being made beside it holds the same texts, so it goes and is begun anew.
        """
        drop_next(self.path)
        self._check_room(OPTIMIZE_FREE)
        with translated():
            self._shard.close()  # which empties the log
            try:
                config = config_of(self._found, self._optimize_every, **MERGE_ALL)
                scrub(self.path, config, self._dense, self._dimension)
            finally:
                self._shard = edge.EdgeShard.load(self.path, config_of(self._found, self._optimize_every))
            self._stems, self._tags = EdgeStemming(self._shard, self.path), Tagging(self._shard, self.path)
        self._written = self._logged = 0
        self._doubled = self._counts_differ()
        return ()

    def _flush(self) -> None:
        """Empty the log into the segments."""
        self._shard.flush()
        self._logged = 0

    def backlog(self, on: bool) -> None:
        """Do nothing: `optimize` is called when it suits."""

    def purges(self, more: int = 0) -> int:
        """Return how often points were deleted on purpose, `more` times more from now on."""
        return purges(self.path, more)

    def close(self) -> None:
        """Flush and unlock the directory. The mark stays while points are doubled: the next opener heals again."""
        if self._open:
            self._open = False
            self._shard.close()
            if not self._doubled:
                mark_closed(self.path)

    def _check_room(self, times: int = 1) -> None:
        """Raise StoreUnreachable, which is waited for, while the disk is nearly full."""
        free_mb, needed_mb = self._free_bytes() >> 20, times * self._min_free_bytes >> 20
        if free_mb < needed_mb:
            raise StoreUnreachable(
                f"{free_mb} MB are left on the disk of {self.path}, the store needs {needed_mb}",
                hint="make room; nothing is lost meanwhile",
            )

    def _free_bytes(self) -> int:
        """Return the bytes that are left to this user on the store's disk."""
        return shutil.disk_usage(self.path).free


def open_store(request: StoreRequest, min_free_bytes: int = MIN_FREE_BYTES) -> EdgeStore:
    """Open or create the shard. Raises StoreRefused (another model, damaged) or StoreUnreachable (open elsewhere)."""
    base = request.settings.path or request.settings.directory
    if not base:
        raise UsageError("the embedded store has no directory", hint="use edge:PATH")
    path = os.path.join(os.path.abspath(base), request.settings.collection)
    shard, found = open_shard(path, request)
    store = EdgeStore(shard, path, request, found, min_free_bytes)
    while store.count() <= SMALL_POINTS and store.upkeep():
        pass
    return store
