"""Questions to a store as the worker puts them, with a day of today that does not move."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from importer.protocol.query import Found, Hit, Query
from importer.worker.search import answer
from importer.worker.stores import Store

TODAY = date(2026, 11, 29)


def hits(store: Store, query: Query, dense: Sequence[float] | None = None) -> tuple[Hit, ...]:
    """Return the hits of a query, best conversation first."""
    return found(store, query, dense).hits


def found(store: Store, query: Query, dense: Sequence[float] | None = None, *, judged: bool = False) -> Found:
    """Return the whole answer; with `judged` it is told by the cosines, too, how near it is."""
    return answer.search(store, query, dense, answer.QueryContext(store.count(), TODAY, judged))
