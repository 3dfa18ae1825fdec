"""The same store over gRPC: addresses, keys, conversions and statuses."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from certificates import NEEDS_OPENSSL, certificate
from numbered_points import DIMENSION, MODEL, identity, made, numbered
from qdrant_client import grpc as proto
from scripted_grpc import ScriptedGrpc
from worker_told import store_settings

from importer.errors import StoreRefused, StoreUnreachable
from importer.worker.patience import Patience
from importer.worker.stores import StoreRequest
from importer.worker.stores.qdrant.store import QdrantStore, open_store


@pytest.fixture
def server() -> Iterator[ScriptedGrpc]:
    with ScriptedGrpc() as found:
        yield found


def opened(url: str, **settings: Any) -> QdrantStore:
    return open_store(StoreRequest(store_settings(url, **settings), MODEL, DIMENSION), Patience(sleep=lambda _: None))


def test_points_go_there_and_are_found(server: ScriptedGrpc) -> None:
    """Vectors named, payload whole, indexes made, the fingerprint kept by the collection."""
    store = opened(server.url)
    store.write([made(1, open_by=["a"]), made(2)], {}, [])
    assert store.count() == 2
    assert store.lookup([identity(1), identity(2), identity(3)]) == {identity(1): ("a",), identity(2): ()}
    assert set(server.points[identity(1)].vectors.vectors.vectors) == {"fast-tiny-model", "bm25"}
    assert "metadata.project" in server.indexes
    assert opened(server.url).fingerprint == store.fingerprint
    store.close()


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_a_blip_is_retried(server: ScriptedGrpc, code: grpc.StatusCode) -> None:
    """As over REST."""
    store = opened(server.url)
    server.fail = [code]
    store.write(numbered(3), {}, [])
    assert len(server.points) == 3
    store.close()


def test_only_completed_counts(server: ScriptedGrpc) -> None:
    """Acknowledged is not stored."""
    store = opened(server.url)
    server.statuses = [proto.UpdateStatus.Acknowledged] * 4
    with pytest.raises(StoreUnreachable, match="acknowledged"):
        store.write(numbered(1), {}, [])
    store.close()


def test_a_wrong_key_is_refused() -> None:
    """It is sent as metadata of the call."""
    with ScriptedGrpc(api_key="right") as server:
        opened(server.url, api_key="right").close()
        with pytest.raises(StoreRefused, match="key"):
            opened(server.url, api_key="wrong")


@NEEDS_OPENSSL
def test_a_private_authority_is_trusted_when_preferred_by_setting(tmp_path: pathlib.Path) -> None:
    """The URL stays that of REST; the certificate's authority counts for gRPC as well."""
    key, signed = certificate(tmp_path)
    with ScriptedGrpc(pair=(pathlib.Path(key).read_bytes(), pathlib.Path(signed).read_bytes())) as server:
        store = opened("https://127.0.0.1:9", prefer_grpc=True, grpc_port=server.port, ca_file=signed)
        store.write(numbered(2), {}, [])
        assert store.count() == len(server.points) == 2
        store.close()


def test_nobody_listening_is_unreachable() -> None:
    """A server may come up later than we do."""
    with pytest.raises(StoreUnreachable):
        opened("grpc://127.0.0.1:9")
