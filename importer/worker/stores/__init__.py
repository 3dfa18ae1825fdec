"""What a store is: points go in durably, questions come back; and which kind a location names.

    "edge"            the embedded engine, in the directory the settings name
    "edge:PATH"       the embedded engine, in PATH
    "local:PATH"      qdrant-client's local mode, in PATH
    "http(s)://…"     a Qdrant server over REST
    "grpc(s)://…"     a Qdrant server over gRPC
    "http://a, …"     the nodes of a cluster, of which the next one is asked when one is away
    "package.module"  anything with `open_store(request) -> Store`

Every kind passes the same contract suite. A store raises nothing but `StoreUnreachable` (retry), `StoreRefused` (never
retry) and `PointsRejected` (these points never, the others yes).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import ModuleType
from typing import Any, NamedTuple, Protocol

from importer.errors import UsageError
from importer.protocol.query import Query
from importer.protocol.worker_settings import StoreSettings
from importer.worker.stores.candidates import DEPTH, Candidates, Times


class Ownership(NamedTuple):
    """How a point stands: who holds it open, () once it is closed; and its metadata, None to leave them as they are.

    `voices` are the metadata that a point held open by several conversations would have of each of the others.
    """

    holders: tuple[str, ...]
    metadata: Mapping[str, Any] | None = None
    voices: Mapping[str, Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Point:
    """What is stored: `dense` is float32 of shape (dimension,), unit length; empty when read without vectors.

    `payload` is `{"document": text, "metadata": {...}, "open_by": [holder, ...]?, "voices": {...}?}`, see `Ownership`.
    What keywords find is derived from `document` by the store itself.
    """

    id: str
    dense: Sequence[float]
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some points in ascending order of id; `next` goes into the next call's `after`, None when there are no more."""

    points: tuple[Point, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Scope:
    """Which points: every field given must match, an empty scope is all of them.

    `project` is a whole path or its last component; a point must have one of the `projects`, which are whole paths.
    `since` and `until` are RFC 3339, both inclusive. `conversation` is one of those that hold a point, `names` the one
    that its metadata name. `file` is a whole path or the end of one, such as `src/app.py` or `app.py`; a point must
    have none of the kinds of `without_kind`. `role` is one that says something new in it.
    """

    project: str = ""
    source: str = ""
    kind: str = ""
    conversation: str = ""
    since: str = ""
    until: str = ""
    host: str = ""
    names: str = ""
    projects: tuple[str, ...] = ()
    branch: str = ""
    file: str = ""
    tool: str = ""
    model: str = ""
    role: str = ""
    without_kind: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a store is asked for: `text` by words and stems ("" by neither), `dense` by vector (None by none).

    `scope` holds in every ranking. With `times` (since and until each) every ranking is read once more within these.
    `depth` is how many chunks of each.
    """

    text: str
    dense: Sequence[float] | None
    scope: Scope = EVERYTHING
    times: tuple[Times, ...] = ()
    depth: int = DEPTH


def scope_of(query: Query) -> Scope:
    """Return the filters of a search."""
    known = {field.name for field in fields(query)}
    return Scope(**{field.name: getattr(query, field.name) for field in fields(Scope) if field.name in known})


@dataclass(frozen=True, slots=True)
class StoreRequest:
    """A request to open a store: its settings, and the model and dimension its collection must belong to.

    With `create` false a collection that is not there is refused instead of made. `backlog` says that many files are
    waiting, so a server's indexing stays as it is; `hurried` that a call is tried once, for others answer, too.
    """

    settings: StoreSettings
    model: str
    dimension: int
    create: bool = True
    backlog: bool = False
    hurried: bool = False


class Store(Protocol):
    """One collection of points.

    Threads: `lookup`, `payloads`, `read`, `count`, `candidates`, `scroll` and `facet` may overlap each other and one of
    `write`, `delete`, `optimize` and `upkeep`; those must not overlap. (The embedded engine makes all of them wait for
    each other.) `kind` is edge, local or server; `location` is what `load` takes; `fingerprint` says which model and
    schema made the collection, and changes when it is dropped and made again.
    """

    kind: str
    location: str
    fingerprint: str

    def lookup(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return those of `ids` that exist, each with its holders; () means closed."""

    def payloads(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the payloads of those of `ids` that exist; the document may be left out."""

    def write(self, points: Sequence[Point], standing: Mapping[str, Ownership], deletes: Sequence[str]) -> None:
        """Upsert points, make existing ones stand as said (see `Ownership`), then delete; durable on return.

        Done in this order, so that what a kill leaves behind is repaired by writing the same again.
        """

    def count(self, scope: Scope = EVERYTHING) -> int:
        """Count the points of the scope, exactly."""

    def candidates(self, asked: Lookup) -> Candidates:
        """Return the best chunks of each ranking with their raw scores; what is best of all is not decided here.

        A store that ranks by itself has `search(query, dense) -> [Hit]` in its place.
        """

    def read(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the payloads of those of `ids` that exist, whole."""

    def scroll(
        self, after: str | None = None, limit: int = 256, *, with_vectors: bool = False, scope: Scope = EVERYTHING
    ) -> Page:
        """Return one page of points in order of id, beginning behind `after`."""

    def delete(self, scope: Scope) -> int:
        """Delete what the scope holds and say how many points that were. An empty scope raises UsageError."""

    def facet(self, key: str, limit: int = 1000) -> dict[str, int]:
        """Count points per value of `metadata.<key>`, for an indexed key; the most frequent `limit` values."""

    @property
    def pending_optimize(self) -> bool:
        """Whether enough was written since the last `optimize()` to make another one worth its time."""

    def optimize(self) -> bool:
        """Keep the store in order, blocking; return True if anything was done. A server does this by itself."""

    def upkeep(self) -> bool:
        """Bring a little of what an older version wrote up to date; return True while more of it is to be done."""

    def scrub(self) -> Sequence[str]:
        """Take what was deleted or written over out of the files that the store keeps, blocking.

        Returns in words where it may still stand, out of reach: a server keeps its own files.
        """

    def backlog(self, on: bool) -> None:
        """Note that a backlog begins or ends: a server need not index meanwhile. Other kinds do nothing."""

    def purges(self, more: int = 0) -> int:
        """Return how often points were deleted on purpose, `more` times more from now on; 0 where that is not kept."""

    def close(self) -> None:
        """Let go of files and connections; closing twice is fine."""


def load(settings: StoreSettings, *, model: str, dimension: int, **more: bool) -> Store:
    """Open the store at `settings.location` and make its collection if there is none; `more` is for a `StoreRequest`.

    Raises UsageError for a location that no store declares and that is no module, else only what a store raises.
    """
    module = _module(settings.location)
    store: Store = module.open_store(StoreRequest(settings, model, dimension, **more))
    return store


def _module(location: str) -> ModuleType:
    """Return the module of this folder that declares the location's scheme, or the plug-in that it names."""
    scheme = location.partition(":")[0]
    for found in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{found.name}")
        if scheme in getattr(module, "SCHEMES", ()):
            return module
    # A plug-in is told by its dot and by having no colon.
    if "." not in location or ":" in location:
        kinds = "edge, edge:PATH, local:PATH, a URL or package.module"
        raise UsageError(f"store {location!r} is none of the kinds known", hint=kinds)
    try:
        return importlib.import_module(location)
    except ModuleNotFoundError as error:
        raise UsageError(f"store {location!r}: {error}", hint="name a module that can be imported") from error
