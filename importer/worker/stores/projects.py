"""Which projects the store holds, and which of them a question means."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from importer.protocol import projects
from importer.protocol.query import Query
from importer.worker.stores import Store

MOST_PROJECTS = 10_000
FRESH_S = 5.0  # a listing reads an index of the whole store: 0.2 s at a million points


@dataclass(slots=True)
class ProjectList:
    """The projects of a store with their numbers of points, read again when they are some seconds old."""

    store: Store
    clock: Callable[[], float] = time.monotonic
    _read_at: float | None = None
    _counts: Mapping[str, int] = field(default_factory=dict)

    def counts(self, *, fresh: bool = False) -> Mapping[str, int]:
        """Return the number of points by project; as they are now with `fresh`."""
        now = self.clock()
        if fresh or self._read_at is None or now - self._read_at > FRESH_S:
            self._counts, self._read_at = self.store.facet("project", MOST_PROJECTS), now
        return self._counts

    def counted(self, chosen: Iterable[str]) -> dict[str, int]:
        """Return the number of points of each of these projects."""
        counts = self.counts()
        return {project: counts.get(project, 0) for project in chosen}

    def resolve(self, query: Query) -> Query:
        """Return the query with the projects that its text means. Raises UsageError when none fits."""
        if not query.project:
            return query
        found = projects.chosen(query.project, self.counts())
        found = found or projects.chosen(query.project, self.counts(fresh=True))
        if not found:
            raise projects.refusal(query.project, self.counts())
        return replace(query, project="", projects=found)
