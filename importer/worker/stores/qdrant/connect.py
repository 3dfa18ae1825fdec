"""From a location and settings to a client: REST or gRPC, key, TLS with a private authority; or local mode.

Local mode commits every point by itself, some milliseconds each; here one sync makes a whole write durable.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import ssl
import warnings
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlsplit

from msgspec.structs import replace
from qdrant_client import QdrantClient

from importer.errors import UsageError
from importer.protocol.system.plain import plain, sure
from importer.protocol.worker_settings import StoreSettings, addresses
from importer.worker.hosted import bounded
from importer.worker.stores.modes import close_to_others
from importer.worker.stores.qdrant.nodes import Nodes


@contextlib.contextmanager
def one_sync(client: QdrantClient, collection: str) -> Iterator[None]:
    """Leave commits within unsynced in SQLite's log; sync the log and the file at the end.

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


def scrub(client: QdrantClient, collection: str) -> None:
    """Write local mode's database anew, without its free pages, and empty its log."""
    database = _database(client, collection)
    if database is not None:
        database.execute("VACUUM")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _database(client: QdrantClient, collection: str) -> sqlite3.Connection | None:
    """Return local mode's connection for a collection, found by private attributes; None if these have changed."""
    held = getattr(getattr(client, "_client", None), "collections", {}).get(collection)
    found = getattr(getattr(held, "storage", None), "storage", None)
    return found if isinstance(found, sqlite3.Connection) else None


REST_PORT = 6333  # Qdrant's own default


def connect(settings: StoreSettings) -> QdrantClient:
    """Return a client; a server is connected lazily. Raises RuntimeError when a local store is open."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a key over plain HTTP is doctor's to report
        if settings.location.startswith("local:"):
            if settings.path:
                close_to_others(os.path.abspath(settings.path))
            return local(settings.path)
        given = addresses(settings.location)
        nodes = [remote(replace(settings, location=url)) for url in given]
        # To its callers a client like any other, which answers from one of several nodes.
        return nodes[0] if len(nodes) == 1 else cast(QdrantClient, Nodes(nodes))


def local(path: str) -> QdrantClient:
    """Open qdrant-client's local mode, usable from the writer's thread too."""
    if not path:
        raise UsageError("local: needs a path", hint="local:./qdrant")
    return QdrantClient(path=os.path.abspath(path), force_disable_check_same_thread=True)


def remote(settings: StoreSettings) -> QdrantClient:
    """Return a client for a server's URL; `grpc://host:6334` prefers gRPC, as does the setting `prefer_grpc`.

    With the setting the URL's port is that of REST, and gRPC listens on `grpc_port`.
    """
    parts = urlsplit(settings.location)
    over_grpc = parts.scheme.startswith("grpc")
    prefer_grpc = over_grpc or settings.prefer_grpc
    secure = parts.scheme in {"https", "grpcs"}
    grpc_port = (over_grpc and parts.port) or settings.grpc_port
    host = parts.hostname or ""
    return QdrantClient(
        host=f"[{host}]" if ":" in host else host,  # of IPv6, as it stands in a URL; the client takes it as it is
        https=secure,
        prefix=parts.path.strip("/") or None,  # behind a proxy a server may have a path
        api_key=settings.api_key or None,
        timeout=max(1, round(settings.timeout_s)),  # whole seconds, as the client takes them
        prefer_grpc=prefer_grpc,
        check_compatibility=False,  # it would ask the server at once; `doctor` looks at versions
        # The port of a grpc:// URL is gRPC's, as its name says.
        port=REST_PORT if over_grpc else parts.port or REST_PORT,
        grpc_port=grpc_port,
        metadata=bounded.HEADERS,
        event_hooks={"response": [bounded.bound]},
        **_trust(settings.ca_file, secure, prefer_grpc),
    )


def speaks_tls(settings: StoreSettings) -> bool:
    """Return True if an address given as one without TLS is a port that speaks it: no waiting will make that answer."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent
    for url in addresses(settings.location):
        parts = urlsplit(url)
        if parts.scheme not in {"http", "grpc"}:
            return False
        usual = settings.grpc_port if parts.scheme == "grpc" else REST_PORT
        port = settings.grpc_port if settings.prefer_grpc else parts.port or usual
        with (
            contextlib.suppress(OSError),
            socket.create_connection((parts.hostname or "", port), settings.timeout_s) as plain,
            context.wrap_socket(plain),
        ):
            return True
    return False


def _trust(ca_file: str, secure: bool, prefer_grpc: bool) -> dict[str, Any]:
    """Return the client's arguments for a private certificate authority; none where nothing is encrypted.

    Raises UsageError for a file that cannot be read.
    """
    if not (ca_file and secure):
        return {"grpc_options": {**bounded.GRPC_OPTIONS}}
    try:
        trusted: dict[str, Any] = {"verify": ssl.create_default_context(cafile=sure(ca_file))}
        if prefer_grpc:
            with open(ca_file, "rb", opener=plain) as file:
                trusted["grpc_options"] = {"root_certificates": file.read(), **bounded.GRPC_OPTIONS}
        return trusted
    except OSError as error:
        raise UsageError(f"the authority's certificate {ca_file} cannot be read: {error}") from error
