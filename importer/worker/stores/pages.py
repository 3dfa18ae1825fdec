"""Pages of several stores, or of several nodes of one, joined to one page in order of id."""

from __future__ import annotations

from collections.abc import Iterable

from importer.worker.stores import Page, Point


def joined(pages: Iterable[Page]) -> Page:
    """Return what the pages hold, each id once, as the first page with it has it.

    A store with more points in this stretch of ids ends its page first: what lies behind comes with the next one.
    """
    found: dict[str, Point] = {}
    ends: list[str] = []
    for page in pages:
        found = {point.id: point for point in page.points} | found
        ends += [] if page.next is None else [page.next]
    end = min(ends, key=_order) if ends else None
    points = (found[id] for id in sorted(found, key=_order) if end is None or _order(id) < _order(end))
    return Page(tuple(points), end)


def _order(id: str) -> tuple[bool, int, str]:
    """Return the place of an id in the order of stores: integers, which other programs give, first."""
    return (False, int(id), "") if id.isdecimal() else (True, 0, id)
