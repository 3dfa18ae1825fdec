"""What the points of older versions lack is added a page at a time, while the store answers without it.

A page of 128 points holds answers up for about 40 ms. Points written meanwhile bring all along. Where a pass stands is
kept in a file, as a hint that saves reading again what is done. All have stems once both indexes of words hold as many
points, for both read the same text; that all have today's tags, and the stems of their own language, a file tells.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

import qdrant_edge

from importer.protocol.system.plain import plain
from importer.worker.stores.edge.shard import (
    STEMS,
    WORDS,
    are_tagged,
    mark_tagged,
    stems_index,
    sync_log,
)
from importer.worker.stores.edge.values import retagged, stemmed

edge: Any = qdrant_edge  # its stub wants invariant lists of unions
PAGE_POINTS = 128
HINT, HINT_EVERY_PAGES = "importer.stems", 16
TAGS_HINT = "importer.tagging"


class Pass:
    """A pass over a shard's points; `renewed` gives a point to write anew, None for one that has everything."""

    def __init__(self, shard: Any, path: str, hint: str, renewed: Callable[[Any], Any | None], *, done: bool) -> None:
        self._shard, self._path, self._renewed = shard, path, renewed
        self._hint = os.path.join(path, hint)
        self._after: str | None = None
        self._pages = 0
        self.done = done

    def step(self) -> int:
        """Do one page, durably; return how many points were written."""
        if self._after is None:
            self._after = self._noted()
        request = edge.ScrollRequest(offset=self._after, limit=PAGE_POINTS, with_payload=True, with_vector=True)
        records, cursor = self._shard.scroll(request)
        points = [one for one in map(self._renewed, records) if one is not None]
        if points:
            self._shard.update(edge.UpdateOperation.upsert_points(points))
            sync_log(self._path)
        self._go_on(None if cursor is None else str(cursor))
        return len(points)

    def _go_on(self, cursor: str | None) -> None:
        """Note where the next page begins; behind the last one the pass is done."""
        self._pages += 1
        self._after, self.done = cursor, cursor is None
        if self.done:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._hint)
        elif self._pages % HINT_EVERY_PAGES == 0:
            with open(self._hint, "w", opener=plain) as file:
                file.write(cursor or "")

    def _noted(self) -> str | None:
        """Return where an earlier pass stood; None begins anew."""
        try:
            with open(self._hint, opener=plain) as file:
                return file.read().strip() or None
        except OSError:
            return None


class EdgeStemming(Pass):
    """The pass that gives stems to all points; `done` when every one can be found by them."""

    def __init__(self, shard: Any, path: str) -> None:
        schema = shard.info().payload_schema
        done = STEMS in schema and schema[STEMS].points == schema[WORDS].points
        super().__init__(shard, path, HINT, stemmed, done=done)

    def step(self) -> int:
        """Do one page; the first makes the index, too."""
        if STEMS not in self._shard.info().payload_schema:
            self._shard.update(stems_index())
            self._shard.flush()
        return super().step()


class Tagging(Pass):
    """The pass that gives today's tags and stems to all points; `done` when filters may go by each of the tags."""

    def __init__(self, shard: Any, path: str) -> None:
        super().__init__(shard, path, TAGS_HINT, retagged, done=are_tagged(path))

    def step(self) -> int:
        """Do one page; behind the last one it is noted that all are done."""
        written = super().step()
        if self.done:
            mark_tagged(self._path)
        return written
