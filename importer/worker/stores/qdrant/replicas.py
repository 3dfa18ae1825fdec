"""What stands on the replicas of a collection, and on which of them: read from all replicas, or node by node.

A node answers from its own replicas where it has any. So several addresses show what a single one cannot: points that
stand on another replica only.

While a replica is dead, nothing can be read from all of them. Where writes ask for fewer replicas than there are, the
import goes on all the same: no point that is known counts as sure then, so it is written again, to as many as asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from qdrant_client import QdrantClient, models

from importer.errors import StoreUnreachable
from importer.worker.stores import Page
from importer.worker.stores.pages import joined
from importer.worker.stores.qdrant.collection import Factors
from importer.worker.stores.qdrant.errors import NODES_HINT, translated
from importer.worker.stores.qdrant.nodes import each_of
from importer.worker.stores.qdrant.requests import Disputed, Limits
from importer.worker.stores.qdrant.values import cursor as cursor_of
from importer.worker.stores.qdrant.values import point

T = TypeVar("T")
Ask = Callable[[Callable[[], Any]], Any]
Payloads = dict[str, Mapping[str, Any]]

ALL = models.ReadConsistencyType.ALL  # what stands alike on every replica, and nothing else
AWAY_S = 30.0  # a node that did not answer is left out for as long: one that hangs costs a time-out each time


class Replicas:
    """Reads one collection; `ask` calls a client and tries again, within the `limits`, `ask_once` tries once."""

    def __init__(
        self,
        client: QdrantClient,
        collection: str,
        dense: str,
        ask: Ask,
        limits: Limits,
        *,
        ask_once: Ask,
        factors: Factors,
    ) -> None:
        self.factors = factors
        self._client = client
        self._nodes = each_of(client)
        self._collection = collection
        self._dense = dense
        self._ask = ask
        self._limits = limits
        self._ask_node = ask_once if len(self._nodes) > 1 else ask
        self._away: dict[int, float] = {}  # nodes by number, and when to ask them again

    @property
    def replicated(self) -> bool:
        """Whether shards have replicas."""
        return self.factors.copies > 1

    def read(self, ids: Sequence[str], wanted: Any, *, everywhere: bool = False) -> Payloads:
        """Return the payloads of those of `ids` that exist: on one replica, or with `everywhere` alike on all."""
        try:
            return self._of(self._client, ids, wanted, everywhere=everywhere)
        except StoreUnreachable as error:
            if not (everywhere and self._may_miss(error)):
                raise
            return self._of(self._client, ids, wanted)

    def _may_miss(self, error: StoreUnreachable) -> bool:
        """Return True if a replica is missing, and writes ask for fewer than all of them."""
        return self.replicated and error.hint == NODES_HINT and self.factors.written < self.factors.copies

    def doubtful(self, ids: Sequence[str], failed: set[str], wanted: Any) -> Payloads:
        """Return the payloads of those of `ids` that exist, but are `failed` or do not stand alike on every replica."""
        if not self.replicated:
            return self.read(sorted(failed.intersection(ids)), wanted)
        found: Payloads = {}
        for number in range(len(self._nodes)):
            found = (self._there(number, lambda client: self._of(client, ids, wanted)) or {}) | found
        return self._unsure(found, failed, wanted)

    def _unsure(self, found: Payloads, failed: set[str], wanted: Any) -> Payloads:
        """Return those of the points that are `failed`, or not known to stand alike on every replica."""
        try:
            sure = self._of(self._client, list(found), wanted, everywhere=True)
        except StoreUnreachable as error:
            if not self._may_miss(error):
                raise
            return found
        return {id: payload for id, payload in found.items() if id in failed or id not in sure}

    def bare(self, ids: Sequence[str], wanted: Any) -> Payloads:
        """Return the payloads of those of `ids` that exist without a vector, so that no search by vector finds them."""
        among: list[Any] = [models.HasIdCondition(has_id=list(ids))]
        without = models.Filter(must=among, must_not=[models.HasVectorCondition(has_vector=self._dense)])
        call = partial(self._client.scroll, self._collection, without, with_payload=wanted, with_vectors=False)
        found: Payloads = {}
        after: Any = None
        while True:
            records, after = self._ask(partial(self._limited, call, len(ids), after))
            found |= {str(record.id): record.payload or {} for record in records}
            if after is None:
                return found

    def _limited(self, scroll: Callable[..., T], wanted: int, after: Any) -> T:
        """Scroll for as many points as the server allows in one answer."""
        return scroll(limit=self._limits.page(wanted), offset=after)

    def page(self, after: str | None, limit: int) -> Page:
        """Return one page of the points of all nodes, in order of id; what stands on one replica only is among them."""
        pages = [
            self._there(number, lambda client: self._page(client, after, limit)) for number in range(len(self._nodes))
        ]
        if not any(pages):
            raise StoreUnreachable("no node of the cluster answers", hint="`importer status` shows its nodes")
        return joined(filter(None, pages))

    def _page(self, client: QdrantClient, after: str | None, limit: int) -> Page:
        """Return a page of one node."""
        call = partial(client.scroll, self._collection, None, with_payload=True)
        records, end = self._asked(client)(partial(self._limited, call, limit, cursor_of(after)))
        return Page(tuple(point(record, self._dense) for record in records), None if end is None else str(end))

    def _of(self, client: QdrantClient, ids: Sequence[str], wanted: Any, *, everywhere: bool = False) -> Payloads:
        """Return the payloads as one node tells them."""
        asked: list[Any] = list(ids)
        level = ALL if everywhere and self.replicated else None
        call = partial(client.retrieve, self._collection, asked, wanted, False, consistency=level)
        try:
            return {str(record.id): record.payload or {} for record in self._asked(client)(call)} if asked else {}
        except Disputed:  # too many at once
            if len(asked) == 1:
                raise
            halves = asked[: len(asked) // 2], asked[len(asked) // 2 :]
            first, second = (self._of(client, half, wanted, everywhere=everywhere) for half in halves)
            return first | second

    def _asked(self, client: QdrantClient) -> Ask:
        """Return how a client is asked: all nodes with patience, one of several without, for another one answers."""
        return self._ask if client is self._client else self._ask_node

    def _there(self, number: int, call: Callable[[QdrantClient], T]) -> T | None:
        """Return the answer of a node, None where one of several is away, or was a moment ago."""
        if self._away.get(number, 0.0) > time.monotonic():
            return None
        try:
            with translated():
                return call(self._nodes[number])
        except StoreUnreachable:
            if len(self._nodes) == 1:
                raise
            self._away[number] = time.monotonic() + AWAY_S
            return None
