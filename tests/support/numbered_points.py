"""Kinds of stores to test, and numbered points with known vectors and words."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
import store_backends
from worker_told import store_settings

from importer.protocol.records import Chunk
from importer.worker import stores
from importer.worker.stores import Ownership, Point, Store
from importer.worker.stores.schema import point

MODEL, DIMENSION = "maker/Tiny-Model", 16
NO_SERVER = pytest.mark.skipif(not store_backends.SERVER, reason="QDRANT_TEST_URL names no server")
KINDS = [pytest.param("edge"), pytest.param("local"), pytest.param("server", marks=NO_SERVER)]
Opener = Callable[..., Store]


def vector(number: int) -> np.ndarray:
    """Return a unit vector of its own for every number, shape (DIMENSION,)."""
    found = np.random.default_rng(number).normal(size=DIMENSION).astype(np.float32)
    return found / np.linalg.norm(found)


def made(number: int, text: str = "", *, open_by: Sequence[str] = (), **metadata: object) -> Point:
    """Return point `number`: its text says `number<n>`, its project is `/home/u/p<n % 3>`."""
    facts = {
        "source": "claude-code",
        "kind": "exchange",
        "project": f"/home/u/p{number % 3}",
        "project_name": f"p{number % 3}",
        "conversation_id": f"c{number % 5}",
        "timestamp": f"2026-01-{number % 28 + 1:02d}T12:00:00Z",
        "host": "here",
        **metadata,
    }
    chunk = Chunk(identity(number), text or f"prompt about number{number} and its tests", facts)
    return point(chunk, Ownership(tuple(open_by)), vector(number))


def identity(number: int) -> str:
    """Return the id of point `number`."""
    return str(uuid.UUID(bytes=hashlib.sha256(b"%d" % number).digest()[:16], version=4))


def numbered(count: int) -> list[Point]:
    """Return the points 0 … count - 1."""
    return [made(number) for number in range(count)]


def everything(store: Store, page: int = 100, **asked: bool) -> dict[str, Point]:
    """Return all points by id, read in pages."""
    found: dict[str, Point] = {}
    after: str | None = None
    while True:
        some = store.scroll(after, page, **asked)
        found.update({given.id: given for given in some.points})
        if (after := some.next) is None:
            return found


def openers(kind: str, base: str) -> Iterator[Opener]:
    """Yield a function that opens the one collection of `kind`; drop a server's afterwards."""
    collection = f"test_{uuid.uuid4().hex[:12]}"
    location = store_backends.SERVER if kind == "server" else f"{kind}:{base}"
    opened: list[Store] = []

    def opener(model: str = MODEL, dimension: int = DIMENSION, create: bool = True, **settings: object) -> Store:
        asked = store_settings(location, **{"collection": collection, "api_key": store_backends.KEY, **settings})
        opened.append(stores.load(asked, model=model, dimension=dimension, create=create))
        return opened[-1]

    yield opener
    for store in opened:
        store.close()
    if kind == "server":
        with store_backends.client() as client:
            client.delete_collection(collection)
