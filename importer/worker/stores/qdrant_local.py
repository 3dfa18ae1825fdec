"""Local mode commits every point by itself, some milliseconds each; here one sync makes a whole write durable."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from qdrant_client import QdrantClient


@contextlib.contextmanager
def one_sync(client: QdrantClient, collection: str) -> Iterator[None]:
    """Commits within go to SQLite's log unsynced; leaving syncs the log and the file.

    Where the client keeps its database elsewhere than known, each point is committed as ever.
    """
    database = _database(client, collection)
    if database is None:
        yield
        return
    database.execute("PRAGMA journal_mode=WAL").fetchall()
    database.execute("PRAGMA synchronous=NORMAL")  # of commits; a checkpoint still syncs
    yield
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _database(client: QdrantClient, collection: str) -> sqlite3.Connection | None:
    """The connection that local mode keeps for a collection, found by private attributes; None if they have changed."""
    held = getattr(getattr(client, "_client", None), "collections", {}).get(collection)
    found = getattr(getattr(held, "storage", None), "storage", None)
    return found if isinstance(found, sqlite3.Connection) else None
