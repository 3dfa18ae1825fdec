"""Qdrant through qdrant-client: a server or cluster by URL, or local mode in a directory.

Every write waits, and only status `completed` counts: a server may answer 200 and `wait_timeout`. Requests carry at
most 128 points and about 8 MiB. Blips are retried (`patience`), one bad point is found by halving (`requests`).
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

from importer.errors import StoreRefused, StoreUnreachable, UsageError
from importer.worker.patience import Patience, patiently
from importer.worker.stores import EVERYTHING, Lookup, Ownership, Page, Point, Scope, StoreRequest
from importer.worker.stores.candidates import Candidates
from importer.worker.stores.filters import build
from importer.worker.stores.qdrant.asking import Searching
from importer.worker.stores.qdrant.collection import (
    Adopted,
    Factors,
    check_birth,
    left_in,
    open_collection,
    purges,
    set_indexing,
)
from importer.worker.stores.qdrant.connect import connect, one_sync, scrub, speaks_tls
from importer.worker.stores.qdrant.errors import Forbidden, Foreign, PointGone, translated
from importer.worker.stores.qdrant.replicas import Replicas
from importer.worker.stores.qdrant.requests import Limited, Limits, change, complain, pack, send
from importer.worker.stores.qdrant.stems import QdrantStemming
from importer.worker.stores.qdrant.values import QdrantDialect, changes, native, point
from importer.worker.stores.qdrant.values import cursor as cursor_of
from importer.worker.stores.schema import METADATA, OPEN_BY, VOICES, check, dense_name
from importer.worker.stores.schema import holders as holders_of

T = TypeVar("T")

TOLD = [METADATA, OPEN_BY, VOICES]  # all of a payload but its document


class QdrantStore:
    """One collection, opened by `open_store`; see `Store`. Calls may overlap: local mode, which minds, is locked."""

    def __init__(self, client: QdrantClient, request: StoreRequest, opened: Adopted, patience: Patience) -> None:
        self.kind = "local" if request.settings.location.startswith("local:") else "server"
        self.location = request.settings.location
        self.fingerprint = str(opened.fingerprint)
        self._client = client
        self._collection = request.settings.collection
        self._dense = dense_name(request.model)
        self._dimension = request.dimension
        self._patience = patience
        self._most_points = request.settings.upsert_points
        self._most_bytes = request.settings.upsert_bytes
        self._limits = Limits()
        self._stems = QdrantStemming(client, self._collection, self._limits, opened.described.config.metadata)
        self._settings = request.settings
        one = client, self._collection, self._dense, self._ask, self._limits
        factors = Factors.of(request.settings, opened.described)
        self._replicas = Replicas(*one, ask_once=partial(self._ask, patience=Patience(tries=1)), factors=factors)
        self._unsure: set[str] = set()  # points of writes that failed or were never answered
        self._undeleted: set[str] = set()  # what such a write was to delete: some replica may have it still
        self._searching = Searching(*one, whole=self.kind == "server")
        self._lock: contextlib.AbstractContextManager[Any] = (
            threading.Lock() if self.kind == "local" else contextlib.nullcontext()
        )

    def lookup(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return those of `ids` that exist, each with its holders."""
        return {id: holders_of(found) for id, found in self._replicas.read(ids, [OPEN_BY], everywhere=True).items()}

    def payloads(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the payloads of those of `ids` that exist, without their documents."""
        return self._replicas.read(ids, TOLD, everywhere=True)

    def unsure(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the payloads of those of `ids` that exist but may be missing, or older, on some replica.

        Those are points whose last write failed, and points that do not stand alike on every replica.
        """
        return self._replicas.doubtful(ids, self._unsure, TOLD)

    def bare(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the payloads of those of `ids` that exist without a vector."""
        return self._replicas.bare(ids, TOLD)

    def survey(self, after: str | None, limit: int) -> Page:
        """Return one page of what stands on any replica, as far as the addresses given reach them; without vectors."""
        return self._replicas.page(after, limit) if self._replicas.replicated else self.scroll(after, limit)

    def write(self, points: Sequence[Point], standing: Mapping[str, Ownership], deletes: Sequence[str]) -> None:
        """Upsert, change what stands, delete. Raises PointsRejected after storing the points that are not refused."""
        check(points, self._dimension)
        touched = {point.id for point in points}.union(standing)
        deletes = [*deletes, *(self._undeleted - touched - {*deletes})]
        self._unsure |= touched
        self._undeleted.update(deletes)
        synced = one_sync(self._client, self._collection) if self.kind == "local" else contextlib.nullcontext()
        with translated(), synced:  # local mode would sync after every point; a server does its own syncing
            requests = pack(points, self._most_points, self._most_bytes)
            refused = [given for some in requests for given in send(some, self._upsert).items()]
            if not refused:
                change(standing, deletes, self._change)
        self._check_birth()  # another collection by now refuses for reasons that are no point's fault
        self._unsure -= touched
        if not refused:
            self._undeleted.clear()
        else:
            complain(dict(refused), len(points))

    def _change(self, standing: Mapping[str, Ownership], deletes: Sequence[str]) -> None:
        """Send one request of changes and deletions. Raises Disputed when the server calls it bad."""
        operations = list(changes(standing, deletes))
        self._update(lambda: self._client.batch_update_points(self._collection, operations, **self._sure))

    def count(self, scope: Scope = EVERYTHING) -> int:
        """Count the points of the scope, exactly."""
        wanted = build(scope, QdrantDialect())
        return self._ask(lambda: self._client.count(self._collection, wanted, exact=self._limits.exact)).count

    def candidates(self, asked: Lookup) -> Candidates:
        """Return the best chunks by words, stems and vectors, with raw scores; one request."""
        return self._searching.candidates(asked, stemmed=self._stems.done)

    def read(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the payloads of those of `ids` that exist, whole."""
        return self._replicas.read(ids, True)

    def scroll(
        self, after: str | None = None, limit: int = 256, *, with_vectors: bool = False, scope: Scope = EVERYTHING
    ) -> Page:
        """Return one page in order of id, from the cursor `after`."""
        wanted, named = build(scope, QdrantDialect()), [self._dense] if with_vectors else False  # keywords are derived
        records, cursor = self._ask(
            lambda: self._client.scroll(
                self._collection,
                wanted,
                self._limits.page(limit),
                offset=cursor_of(after),
                with_payload=True,
                with_vectors=named,
            )
        )
        return Page(tuple(point(record, self._dense) for record in records), None if cursor is None else str(cursor))

    def delete(self, scope: Scope) -> int:
        """Delete what the scope holds; how many points that were."""
        wanted = build(scope, QdrantDialect())
        if wanted is None:
            raise UsageError("an empty scope would delete everything")
        count = self.count(scope)
        chosen = models.FilterSelector(filter=wanted)
        self._update(lambda: [self._client.delete(self._collection, chosen, **self._sure)])
        return count

    def facet(self, key: str, limit: int = 1000) -> dict[str, int]:
        """Count points per value of `metadata.<key>`."""
        name, most = f"{METADATA}.{key}", self._limits
        answer = self._ask(lambda: self._client.facet(self._collection, name, limit=most.page(limit), exact=most.exact))
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
        try:
            return self._ask(self._stems.step) if not self._stems.done else False
        except (PointGone, Forbidden) as error:  # another host deleted one; a key that reads, or one for points alone
            return isinstance(error, PointGone)

    def scrub(self) -> Sequence[str]:
        """Take what was deleted out of local mode's file; name a server's snapshots, which keep what they had."""
        if self.kind == "local":
            self._ask(lambda: scrub(self._client, self._collection))
            return ()
        return left_in(lambda call: self._ask(lambda: call(self._client)), self._collection)

    def backlog(self, on: bool) -> None:
        """Switch the server's graph building off during a backlog; after it, the server builds in the background."""
        if self.kind == "server":
            with contextlib.suppress(Forbidden):  # a key for a collection's points alone: the server then indexes on
                set_indexing(self._client, self._collection, not on)

    def purges(self, more: int = 0) -> int:
        """Return how often points were deleted on purpose, `more` times more from now on."""
        with contextlib.suppress(Forbidden):  # a key that reads tells nothing, and deletes nothing
            return self._ask(lambda: purges(self._client, self._collection, more))
        return 0

    def close(self) -> None:
        """Let go of connections, or of the directory."""
        with self._lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._client.close()

    def _upsert(self, some: Sequence[Point]) -> None:
        """Send one request. Raises Disputed when the server calls it bad, and what `_update` raises."""
        structs = [native(given, self._dense) for given in some]
        self._update(lambda: [self._client.upsert(self._collection, structs, **self._sure)])
        # Done, even where the next one fails: a rate limit that cuts a batch must not have it all written again.
        self._unsure.difference_update(given.id for given in some)

    @property
    def _sure(self) -> dict[str, Any]:
        """How a write is asked for. One of the replicas orders them all, so that what two hosts write ends alike."""
        return {"wait": True, "ordering": models.WriteOrdering.MEDIUM if self._replicas.replicated else None}

    def _update(self, call: Callable[[], Sequence[models.UpdateResult]]) -> None:
        """Durable when this returns: every status is `completed`.

        Raises StoreUnreachable when the server keeps saying otherwise, and what `translated` raises.
        """

        def completed() -> None:
            for result in self._once(call):
                if result.status != models.UpdateStatus.COMPLETED:
                    raise StoreUnreachable(f"the server accepted the write but has not done it: {result.status}")

        patiently(completed, self._patience)

    def _ask(self, call: Callable[[], T], patience: Patience | None = None) -> T:
        """Read from the server: retried, within its limits, and one call at a time in local mode."""
        while True:
            try:
                return patiently(lambda: self._once(call), patience or self._patience)
            except Limited as error:
                if not self._limits.learn(error):
                    raise

    def _once(self, call: Callable[[], T]) -> T:
        """Call once. A proxy in trouble answers in its own words; once the store was open, that is an outage."""
        try:
            with self._locked(), translated():
                return call()
        except Foreign as error:  # it was Qdrant when the store was opened
            raise StoreUnreachable(error.message, hint=error.hint) from error

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
        self._replicas.factors = Factors.of(self._settings, described)
        check_birth(described, self._collection, self.fingerprint)


def open_store(request: StoreRequest, patience: Patience | None = None) -> QdrantStore:
    """Connect, and make or check the collection. Raises StoreUnreachable, StoreRefused or UsageError."""
    patience = patience or (Patience(tries=1) if request.hurried else Patience())
    indexes = not request.settings.location.startswith("local:")  # local mode has none, and warns when asked

    def opened() -> QdrantStore:
        with translated(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return QdrantStore(client, request, open_collection(client, request, indexes), patience)

    with translated():
        client = connect(request.settings)
    try:
        return patiently(opened, patience)
    except StoreUnreachable as error:
        client.close()
        if speaks_tls(request.settings):
            hint = "the server encrypts: give https:// or grpcs://"
            raise StoreRefused(f"no plain connection: {error.message}", hint=hint) from error
        message = f"{request.settings.location}: {error.message}"
        raise StoreUnreachable(message, retry_after_s=error.retry_after_s, hint=error.hint) from error
    except BaseException:  # or local mode's directory stays locked
        client.close()
        raise
