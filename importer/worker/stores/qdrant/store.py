"""Qdrant through qdrant-client: a server or cluster by URL, or local mode in a directory.

Every write waits, and only status `completed` counts: a server may answer 200 and `wait_timeout`. Requests carry at
most 128 points and about 8 MiB. Blips are retried in place (`patience`); one bad point is found by halving
(`requests`).
After each write the collection is looked at: one dropped or made again meanwhile is never acknowledged into.

Where a collection has replicas, what decides about writing is read from all of them: a write that failed may stand on
one. The points of a write that failed are written again, even where all replicas asked have them.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from qdrant_client import QdrantClient, models

from importer.errors import PointsRejected, StoreRefused, StoreUnreachable, UsageError
from importer.worker.patience import Patience, patiently
from importer.worker.stores import EVERYTHING, Lookup, Ownership, Page, Point, Scope, StoreRequest
from importer.worker.stores.candidates import Candidates
from importer.worker.stores.filters import build
from importer.worker.stores.qdrant.asking import candidates, questions
from importer.worker.stores.qdrant.collection import left_in, open_collection, read_fingerprint, replicas, set_indexing
from importer.worker.stores.qdrant.connect import connect, one_sync, scrub
from importer.worker.stores.qdrant.errors import Foreign, translated
from importer.worker.stores.qdrant.requests import Disputed, pack, send
from importer.worker.stores.qdrant.stems import Stemming
from importer.worker.stores.qdrant.values import QdrantDialect, changes, native, point
from importer.worker.stores.qdrant.values import cursor as cursor_of
from importer.worker.stores.schema import METADATA, OPEN_BY, VOICES, Fingerprint, check, dense_name
from importer.worker.stores.schema import holders as holders_of

T = TypeVar("T")

TOLD = [METADATA, OPEN_BY, VOICES]  # all of a payload but its document
ALL = models.ReadConsistencyType.ALL  # what stands alike on every replica, and nothing else


class QdrantStore:
    """One collection, opened by `open_store`. See `Store` for what its methods promise.

    Calls may overlap: a server does not mind, and local mode, which would, is locked here.
    """

    def __init__(self, client: QdrantClient, request: StoreRequest, found: Fingerprint, patience: Patience) -> None:
        self.kind = "local" if request.settings.location.startswith("local:") else "server"
        self.location = request.settings.location
        self.fingerprint = str(found)
        self._client = client
        self._collection = request.settings.collection
        self._dense = dense_name(request.model)
        self._dimension = request.dimension
        self._patience = patience
        self._most_points = request.settings.upsert_points
        self._most_bytes = request.settings.upsert_bytes
        self._stems = Stemming(client, self._collection)
        self._replicated = (
            request.settings.replication_factor > 1 or replicas(client.get_collection(self._collection)) > 1
        )
        self._unsure: set[str] = set()  # points of writes that failed or were never answered
        self._lock: contextlib.AbstractContextManager[Any] = (
            threading.Lock() if self.kind == "local" else contextlib.nullcontext()
        )

    def lookup(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return those of `ids` that exist, each with its holders."""
        return {id: holders_of(found) for id, found in self._retrieve(ids, [OPEN_BY], everywhere=True).items()}

    def payloads(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the payloads of those of `ids` that exist, without their documents."""
        return self._retrieve(ids, TOLD, everywhere=True)

    def unsure(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the payloads of those of `ids` that exist but may be missing, or older, on some replica.

        Those are points whose last write failed, and points that do not stand alike on every replica.
        """
        failed = self._unsure.intersection(ids)
        if not self._replicated:
            return self._retrieve(sorted(failed), TOLD)
        found = self._retrieve(ids, TOLD)
        sure = self._retrieve(list(found), TOLD, everywhere=True)
        return {id: payload for id, payload in found.items() if id in failed or id not in sure}

    def write(self, points: Sequence[Point], standing: Mapping[str, Ownership], deletes: Sequence[str]) -> None:
        """Upsert, change what stands, delete. Raises PointsRejected after storing the points that are not refused."""
        check(points, self._dimension)
        touched = {point.id for point in points}.union(standing)
        self._unsure |= touched
        with translated(), self._one_sync():
            requests = pack(points, self._most_points, self._most_bytes)
            refused = [given for some in requests for given in send(some, self._upsert).items()]
            if not refused:
                self._change(standing, deletes)
        self._check_birth()  # another collection by now refuses for reasons that are no point's fault
        self._unsure -= touched
        if refused:
            _complain(dict(refused), len(points))

    def _change(self, standing: Mapping[str, Ownership], deletes: Sequence[str]) -> None:
        """Change and delete, only when all points are there: what a deletion takes away must have been replaced."""
        operations = list(changes(standing, deletes))
        if operations:
            self._update(lambda: self._client.batch_update_points(self._collection, operations, wait=True))

    def count(self, scope: Scope = EVERYTHING) -> int:
        """Count the points of the scope, exactly."""
        wanted = build(scope, QdrantDialect())
        return self._ask(lambda: self._client.count(self._collection, wanted, exact=True)).count

    def candidates(self, asked: Lookup) -> Candidates:
        """Return the best chunks by words, stems and vectors, with raw scores; one request."""
        wanted = questions(asked, self._dense, stemmed=self._stems.done)
        requests = [request for _, request in wanted]
        answers = self._ask(lambda: self._client.query_batch_points(self._collection, requests)) if wanted else []
        return candidates(wanted, answers, self._stems.done)

    def read(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the payloads of those of `ids` that exist, whole."""
        return self._retrieve(ids, True)

    def _retrieve(self, ids: Sequence[str], wanted: Any, *, everywhere: bool = False) -> dict[str, Mapping[str, Any]]:
        """Return the payloads of those of `ids` that exist: on one replica, or with `everywhere` alike on all."""
        asked: list[Any] = list(ids)
        level = ALL if everywhere and self._replicated else None
        call = partial(self._client.retrieve, self._collection, asked, wanted, False, consistency=level)
        try:
            return {str(record.id): record.payload or {} for record in self._ask(call)} if asked else {}
        except Disputed:  # too many at once
            if len(asked) == 1:
                raise
            halves = asked[: len(asked) // 2], asked[len(asked) // 2 :]
            first, second = (self._retrieve(half, wanted, everywhere=everywhere) for half in halves)
            return first | second

    def scroll(
        self, after: str | None = None, limit: int = 256, *, with_vectors: bool = False, scope: Scope = EVERYTHING
    ) -> Page:
        """Return one page in order of id, from the cursor `after`."""
        wanted, named = build(scope, QdrantDialect()), [self._dense] if with_vectors else False
        # Never the keywords' vector: who writes the points elsewhere derives it from the text again.
        records, cursor = self._ask(
            lambda: self._client.scroll(
                self._collection, wanted, limit, offset=cursor_of(after), with_payload=True, with_vectors=named
            )
        )
        return Page(tuple(point(record, self._dense) for record in records), None if cursor is None else str(cursor))

    def delete(self, scope: Scope) -> int:
        """Delete what the scope holds; how many points that were."""
        wanted = build(scope, QdrantDialect())
        if wanted is None:
            raise UsageError("an empty scope would delete everything")
        count = self.count(scope)
        self._update(lambda: [self._client.delete(self._collection, models.FilterSelector(filter=wanted), wait=True)])
        return count

    def facet(self, key: str, limit: int = 1000) -> dict[str, int]:
        """Count points per value of `metadata.<key>`."""
        answer = self._ask(lambda: self._client.facet(self._collection, f"{METADATA}.{key}", limit=limit, exact=True))
        return {str(found.value): found.count for found in answer.hits if found.count}

    @property
    def pending_optimize(self) -> bool:
        """Never: a server keeps itself."""
        return False

    def optimize(self) -> bool:
        """Do nothing."""
        return False

    def upkeep(self) -> bool:
        """Give stems to some points of an older version; return True while more of them are to be done."""
        return self._ask(self._stems.step) if not self._stems.done else False

    def scrub(self) -> Sequence[str]:
        """Take what was deleted out of local mode's file; name a server's snapshots, which keep what they had."""
        if self.kind == "local":
            self._ask(lambda: scrub(self._client, self._collection))
            return ()
        return left_in(lambda call: self._ask(lambda: call(self._client)), self._collection)

    def backlog(self, on: bool) -> None:
        """Switch the server's graph building off during a backlog; after it, the server builds in the background."""
        if self.kind == "server":
            set_indexing(self._client, self._collection, not on)

    def close(self) -> None:
        """Let go of connections, or of the directory."""
        with self._lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._client.close()

    def _upsert(self, some: Sequence[Point]) -> None:
        """Send one request. Raises Disputed when the server calls it bad, and what `_update` raises."""
        structs = [native(given, self._dense) for given in some]
        self._update(lambda: [self._client.upsert(self._collection, structs, wait=True)])
        # Done, even where the next one fails: a rate limit that cuts a batch must not have it all written again.
        self._unsure.difference_update(given.id for given in some)

    def _update(self, call: Callable[[], Sequence[models.UpdateResult]]) -> None:
        """Durable when this returns: every status is `completed`.

        Raises StoreUnreachable when the server keeps saying otherwise, and what `translated` raises.
        """

        def completed() -> None:
            for result in self._once(call):
                if result.status != models.UpdateStatus.COMPLETED:
                    raise StoreUnreachable(f"the server accepted the write but has not done it: {result.status}")

        patiently(completed, self._patience)

    def _ask(self, call: Callable[[], T]) -> T:
        """Read from the server: retried, and one call at a time in local mode."""
        return patiently(lambda: self._once(call), self._patience)

    def _once(self, call: Callable[[], T]) -> T:
        """Call once. A proxy in trouble answers in its own words; once the store was open, that is an outage."""
        try:
            with self._locked(), translated():
                return call()
        except Foreign as error:  # it was Qdrant when the store was opened
            raise StoreUnreachable(error.message, hint=error.hint) from error

    def _one_sync(self) -> contextlib.AbstractContextManager[None]:
        """Local mode would sync after every point; a server does its own syncing."""
        return one_sync(self._client, self._collection) if self.kind == "local" else contextlib.nullcontext()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Allow one call at a time in local mode, which also warns of its own size at 20,000 points."""
        with self._lock:
            if self.kind == "server":
                yield
                return
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield

    def _check_birth(self) -> None:
        """Raise StoreRefused when the collection is another one than was opened.

        A server too old for metadata has no fingerprint to compare: then the collection is taken for the same.
        """
        described = self._ask(lambda: self._client.get_collection(self._collection))
        self._replicated = self._replicated or replicas(described) > 1
        found = read_fingerprint(described)
        if found is not None and str(found) != self.fingerprint:
            raise StoreRefused(
                f"collection {self._collection} was made again while it was open (now {found})",
                hint="start again, then `importer verify --repair` brings back what is missing",
            )


def _complain(refused: Mapping[str, str], sent: int) -> None:
    """Raise PointsRejected for some points, StoreRefused for all of several: then the fault is not theirs.

    `refused` has the server's words for each id, `sent` is how many points there were.
    """
    words = next(iter(refused.values()))
    if sent > 1 and len(refused) == sent:
        raise StoreRefused(f"every point is refused: {words}", hint="`importer doctor` compares the collection")
    raise PointsRejected(f"{len(refused)} of {sent} points are refused: {words}", ids=tuple(refused))


def open_store(request: StoreRequest, patience: Patience | None = None) -> QdrantStore:
    """Connect, and make or check the collection. Raises StoreUnreachable, StoreRefused or UsageError."""
    patience = patience or Patience()
    with translated():
        client = connect(request.settings)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            indexes = not request.settings.location.startswith("local:")  # local mode has none, and warns when asked
            found = patiently(lambda: open_collection(client, request, indexes), patience)
    except BaseException:  # or local mode's directory stays locked
        client.close()
        raise
    return QdrantStore(client, request, found, patience)
