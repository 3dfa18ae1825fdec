"""Settings become a session: the store opened, the model located (fetched if need be) and loaded when wanted."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import msgspec

from importer.errors import ImporterError
from importer.protocol import failpoints, wire
from importer.protocol.system.priority import starting_compute_threads
from importer.protocol.worker_settings import EmbedSettings, StoreSettings
from importer.worker import malloc, stores
from importer.worker.embedders import Embedder, load
from importer.worker.models import locate
from importer.worker.search import near, rerank
from importer.worker.search.rerank import Reranker
from importer.worker.search.spanning import FurtherStores, Spanning
from importer.worker.store_writer import WriteJob
from importer.worker.stores import Store
from importer.worker.stores.projects import ProjectList


@dataclass(slots=True)
class WorkerSession:
    """The open store, and the model, which is loaded when first needed. `points` is what the store counts.

    `dimension` is the length of its vectors. `judged` says that its cosines are known well enough to tell by them how
    near an answer is.

    Two threads change `points`: the storing thread counts, the main thread asks anew. Where others write to the same
    store it is what was true at the last `recount`, give or take our own writes.
    """

    store: Store
    load_embedder: Callable[[], Embedder]
    token_budget: int
    dimension: int = 0
    points: int = 0
    judged: bool = False
    load_reranker: Callable[[], Reranker] | None = None
    further: FurtherStores | None = None
    _embedder: Embedder | None = None
    _reranker: Reranker | None = None
    _projects: ProjectList | None = None
    _counting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def embedder(self) -> Embedder:
        """The model. Raises ModelError the first time if there is none to be had."""
        if self._embedder is None:
            with starting_compute_threads():
                self._embedder = self.load_embedder()
        return self._embedder

    @property
    def loaded(self) -> Embedder | None:
        """The model if it is loaded."""
        return self._embedder

    @property
    def reranker(self) -> Reranker | None:
        """The cross-encoder, None where none is wanted. Raises ModelError the first time if it cannot be had."""
        if self._reranker is None and self.load_reranker is not None:
            self._reranker = self.load_reranker()
        return self._reranker

    @property
    def projects(self) -> ProjectList:
        """The projects that the store holds."""
        if self._projects is None:
            self._projects = ProjectList(self.store)
        return self._projects

    @contextlib.contextmanager
    def beside(self, also: Sequence[str]) -> Iterator[WorkerSession]:
        """Give a session that reads from the stores at these locations, too; this one without any."""
        if not also or self.further is None:
            yield self
            return
        with self.further.beside(self.store, also) as store:
            # To what answers questions a session like any other, whose store reads.
            yield cast(WorkerSession, _Beside(self, store))

    def count(self, job: WriteJob) -> None:
        """Keep `points` in step with a write."""
        with self._counting:
            self.points += len(job.points) - job.again - len(job.deletes)

    def recount(self) -> int:
        """Ask the store for its count and keep it."""
        with self._counting:
            self.points = self.store.count()
        return self.points

    def purged(self) -> None:
        """Note in the store that points were deleted on purpose, and count the others."""
        purges = getattr(self.store, "purges", None)  # a plug-in's store may keep no count
        if purges:
            purges(1)
        self.recount()

    def rest(self) -> None:
        """Upkeep while nothing is asked. What it took is handed back: 20 to 40 MB, which glibc would keep, in 2 ms."""
        if self.store.pending_optimize:
            self.store.optimize()
            malloc.trim()

    def rest_early(self) -> None:
        """Upkeep before the model is loaded: what an optimisation takes then does not come on top of the model.

        It takes the more the larger the segments are that it merges: 40 to 90 MB. What fails is tried again by `rest`.
        """
        early = getattr(self.store, "optimize_early", None)  # a plug-in's store, and a server, may have none
        with contextlib.suppress(ImporterError):
            if early and early():
                malloc.trim()

    def upkeep(self) -> bool:
        """Bring a little of an older version's store up to date; return True while more is to be done."""
        upkeep = getattr(self.store, "upkeep", None)  # a plug-in's store may have none
        return bool(upkeep and upkeep())


class NoStore:
    """The store of a worker that only embeds: it holds nothing, and nothing is written to it."""

    kind, location, fingerprint, pending_optimize = "none", "", "", False

    def count(self, scope: Any = None) -> int:
        """Return 0."""
        return 0

    def close(self) -> None:
        """Do nothing: there is no file to close."""


class _Beside:
    """A session over several stores: all but what is stored is that of the worker's own."""

    def __init__(self, own: WorkerSession, store: Spanning) -> None:
        self._own = own
        self.store = store
        self.projects = ProjectList(cast(Store, store))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)


FURTHER_S = 5.0  # longest wait for one answer of a further store: the own one has answered


def _further(told: StoreSettings, model: str, dimension: int) -> FurtherStores:
    """Return the further stores of a worker: they have the collection, the key and the authority of its own."""

    def opened(location: str) -> Store:
        settings = msgspec.structs.replace(told, location=location, timeout_s=min(FURTHER_S, told.timeout_s))
        return stores.load(settings, model=model, dimension=dimension, create=False, hurried=True)

    return FurtherStores(opened)


def open_session(
    configure: wire.Configure, embedder: Embedder | None = None, *, embeds_only: bool = False
) -> WorkerSession:
    """Open the store, none for one that `embeds_only`; with `preload` also the model, unless it is given.

    Raises ModelError and what a store raises.
    """
    failpoints.hit("boot")
    embed = configure.settings.embed
    # Known without loading the model, so that a collection of another one is refused before that takes its time.
    name, dimension = locate.identity(embed)
    store: Any = NoStore()
    if not embeds_only:
        store = stores.load(configure.settings.store, model=name, dimension=dimension, backlog=configure.backlog)
    session = WorkerSession(
        store,
        lambda: embedder or embedder_of(embed),
        token_budget=embed.token_budget,
        dimension=dimension,
        judged=name.lower().endswith(near.MEASURED),
        further=_further(configure.settings.store, name, dimension),
        load_reranker=partial(rerank.load, configure.settings.rerank, embed) if configure.settings.rerank else None,
    )
    session.recount()  # `Ready` tells it to the daemon
    if configure.preload:
        session.rest_early()
        _ = session.embedder
    return session


def embedder_of(embed: EmbedSettings) -> Embedder:
    """Load the model of these settings, a local one from the disk, fetched if need be. Raises ModelError."""
    if embed.provider != "fastembed":
        return load(embed)
    found = locate.fetch(embed, trusting=True)
    where = {"model": found.name, "directory": found.directory}
    size = {"dimension": found.dimension, "window_tokens": found.window_tokens}
    return load(msgspec.structs.replace(embed, **where, **size))
