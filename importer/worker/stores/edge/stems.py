"""Stems for the points of older versions: added a page at a time, while the store answers by exact words.

A page of 128 points holds answers up for about 40 ms. Points written meanwhile bring their stems along. All have them
once both indexes of words hold as many points, for both read the same text; where the pass stands is kept in a file, as
a hint that saves reading again what is done.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

import qdrant_edge

from importer.worker.stores.edge.shard import STEMS, WORDS, stems_index, sync_log
from importer.worker.stores.edge.values import stemmed

edge: Any = qdrant_edge  # its stub wants invariant lists of unions
PAGE_POINTS = 128
HINT, HINT_EVERY_PAGES = "importer.stems", 16


class Stemming:
    """The pass over a shard's points; `done` when every one can be found by its stems."""

    def __init__(self, shard: Any, path: str) -> None:
        self._shard = shard
        self._path = path
        self._after: str | None = None
        self._pages = 0
        self.done = self._complete()

    def step(self) -> int:
        """Do one page, durably; return how many points were written. The first page makes the index, too."""
        if STEMS not in self._shard.info().payload_schema:
            self._shard.update(stems_index())
            self._shard.flush()
        if self._after is None:
            self._after = self._hint()
        request = edge.ScrollRequest(offset=self._after, limit=PAGE_POINTS, with_payload=True, with_vector=True)
        records, cursor = self._shard.scroll(request)
        points = [one for one in map(stemmed, records) if one is not None]
        if points:
            self._shard.update(edge.UpdateOperation.upsert_points(points))
            sync_log(self._path)
        self._go_on(None if cursor is None else str(cursor))
        return len(points)

    def _go_on(self, cursor: str | None) -> None:
        """Note where the next page begins; after the last one all points have stems."""
        self._pages += 1
        self._after, self.done = cursor, cursor is None
        if self.done:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self._path, HINT))
        elif self._pages % HINT_EVERY_PAGES == 0:
            with open(os.path.join(self._path, HINT), "w") as file:
                file.write(cursor or "")

    def _hint(self) -> str | None:
        """Return where an earlier pass stood; None begins anew."""
        try:
            with open(os.path.join(self._path, HINT)) as file:
                return file.read().strip() or None
        except OSError:
            return None

    def _complete(self) -> bool:
        """Return True if both indexes of words hold the same points."""
        schema = self._shard.info().payload_schema
        return STEMS in schema and schema[STEMS].points == schema[WORDS].points
