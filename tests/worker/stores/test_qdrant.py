"""A server that fails: what is retried, what is refused, what is never acknowledged."""

from __future__ import annotations

import pathlib
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from certificates import NEEDS_OPENSSL, certificate
from numbered_points import DIMENSION, MODEL, identity, made, numbered
from scripted_http import Fault
from scripted_qdrant import ScriptedQdrant
from worker_told import store_settings

from importer.errors import PointsRejected, StoreRefused, StoreUnreachable
from importer.worker.patience import Patience
from importer.worker.stores import StoreRequest
from importer.worker.stores.qdrant.store import QdrantStore, open_store
from importer.worker.stores.schema import KEYWORDS, TIMES

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[ScriptedQdrant]:
    with ScriptedQdrant() as found:
        yield found


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def store(server: ScriptedQdrant, slept: list[float]) -> Iterator[QdrantStore]:
    found = opened(server.url, slept)
    server.requests.clear()
    yield found
    found.close()


def opened(url: str, slept: list[float], **settings: Any) -> QdrantStore:
    patience = Patience(sleep=slept.append, jitter=lambda: 0.0)
    return open_store(StoreRequest(store_settings(url, **settings), MODEL, DIMENSION), patience)


def test_a_collection_is_made_whole(server: ScriptedQdrant, store: QdrantStore) -> None:
    """Named vectors, keywords with IDF, indexes before the first point, the project as tenant, payload on disk."""
    made_with = server.collections["conversations"]["made_with"]
    assert made_with["vectors"] == {"fast-tiny-model": {"size": DIMENSION, "distance": "Cosine", "on_disk": True}}
    assert made_with["sparse_vectors"] == {"bm25": {"modifier": "idf"}}
    assert made_with["on_disk_payload"] is True
    schema = server.collections["conversations"]["schema"]
    assert schema["metadata.project"]["params"]["is_tenant"] is True
    assert schema["metadata.timestamp"]["data_type"] == "datetime"
    assert set(schema) == {*KEYWORDS, *TIMES}


def test_settings_shape_a_new_collection(server: ScriptedQdrant) -> None:
    """For clusters and for large ones."""
    opened(server.url, [], shard_number=6, replication_factor=2, on_disk=True, quantisation="scalar").close()
    made_with = server.collections["conversations"]["made_with"]
    assert (made_with["shard_number"], made_with["replication_factor"]) == (6, 2)
    assert made_with["vectors"]["fast-tiny-model"]["on_disk"] is True
    assert made_with["quantization_config"]["scalar"]["type"] == "int8"


PASSING = [
    Fault("/points", status=429, headers={"Retry-After": "2"}, body=b'{"status":{"error":"slow down"}}'),
    Fault("/points", status=429, body=b"{}"),
    Fault("/points", status=408),
    Fault("/points", status=503, body=b"<html>Bad gateway</html>"),
    Fault("/points", status=500, body=b'{"status":{"error":"disk trouble"}}'),
    Fault("/points", status=507),
    Fault("/points", body=b"<html>Log in</html>"),
    Fault("/points", how="reset"),
    Fault("/points", how="reset", applied=True),
    Fault("/points", how="half"),
    Fault("/points", how="half", applied=True),
    Fault("/points", how="wait_timeout"),
]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: f"{fault.status}-{fault.how}-{fault.applied}")
def test_a_blip_is_retried_in_place(
    server: ScriptedQdrant, store: QdrantStore, slept: list[float], fault: Fault
) -> None:
    """The vectors just computed are not lost to it, and everything is stored once."""
    server.faults.append(fault)
    store.write(numbered(3), {}, [])
    assert len(server.points) == 3
    assert slept == [2.0 if fault.headers else 0.25]


@pytest.mark.parametrize("fault", PASSING[3:], ids=lambda fault: f"{fault.status}-{fault.how}-{fault.applied}")
def test_an_outage_is_never_acknowledged(server: ScriptedQdrant, store: QdrantStore, fault: Fault) -> None:
    """After a few tries the daemon is told to come back later."""
    server.faults.extend([fault] * 4)
    with pytest.raises(StoreUnreachable):
        store.write(numbered(3), {}, [])
    assert server.faults == []


def test_a_long_wait_is_the_daemons(server: ScriptedQdrant, store: QdrantStore, slept: list[float]) -> None:
    """Retry-After is handed on in seconds."""
    server.faults.append(Fault("/points", status=429, headers={"Retry-After": "120"}))
    with pytest.raises(StoreUnreachable) as caught:
        store.write(numbered(1), {}, [])
    assert caught.value.retry_after_s == 120
    assert slept == []


def test_one_bad_point_is_named_and_the_others_are_stored(server: ScriptedQdrant, store: QdrantStore) -> None:
    """Found by halving; deletions wait until the batch comes back without it."""
    server.refused_words = ("poison",)
    store.write([made(100)], {}, [])
    with pytest.raises(PointsRejected, match="Format error") as caught:
        store.write([*numbered(20), made(50, "poison")], {}, [identity(100)])
    assert caught.value.ids == (identity(50),)
    assert len(server.points) == 21


def test_when_every_point_is_refused_it_is_not_their_fault(server: ScriptedQdrant, store: QdrantStore) -> None:
    """No point is quarantined for a collection that fits none."""
    server.refused_words = ("number",)
    with pytest.raises(StoreRefused, match="every point"):
        store.write(numbered(8), {}, [])


def test_a_body_too_large_is_split(server: ScriptedQdrant, store: QdrantStore) -> None:
    """A proxy's limit may be lower than ours."""
    server.most_bytes = 20_000
    store.write([made(n, "long " * 200) for n in range(32)], {}, [])
    assert len(server.points) == 32


def test_a_lookup_too_large_is_split(server: ScriptedQdrant, store: QdrantStore) -> None:
    """A server may limit what one request reads."""
    store.write(numbered(32), {}, [])
    server.most_bytes = 600
    assert len(store.lookup([identity(n) for n in range(32)])) == len(server.points)


def test_requests_are_bounded_by_count_and_bytes(server: ScriptedQdrant) -> None:
    """As the settings say."""
    store = opened(server.url, [], upsert_points=10, upsert_bytes=1 << 20)
    server.requests.clear()
    store.write(numbered(45), {}, [])
    assert [path for method, path in server.requests if method == "PUT"] == ["/collections/conversations/points"] * 5
    store.close()


def test_a_dropped_collection_is_noticed(server: ScriptedQdrant, store: QdrantStore) -> None:
    """It is not made again behind the user's back, and the way out is named."""
    server.collections.clear()
    with pytest.raises(StoreRefused) as caught:
        store.write(numbered(1), {}, [])
    assert "verify" in caught.value.hint


def test_a_collection_made_again_is_noticed(server: ScriptedQdrant, store: QdrantStore) -> None:
    """The write went into it, but older points are missing: not acknowledged."""
    server.collections.clear()
    opened(server.url, []).close()
    with pytest.raises(StoreRefused, match="made again"):
        store.write(numbered(1), {}, [])


def test_one_point_refused_by_another_collection_is_not_at_fault(server: ScriptedQdrant, store: QdrantStore) -> None:
    """An alias that has moved to another model's collection: the importer stops, and nothing is put in quarantine."""
    server.collections.clear()
    open_store(StoreRequest(store_settings(server.url), "maker/Other", DIMENSION)).close()
    server.refused_words = ("number",)
    with pytest.raises(StoreRefused, match="made again"):
        store.write(numbered(1), {}, [])


def test_opening_again_gives_the_same_fingerprint(server: ScriptedQdrant, store: QdrantStore) -> None:
    """And makes no index twice."""
    again = opened(server.url, [])
    assert again.fingerprint == store.fingerprint
    assert not [path for _, path in server.requests if path.endswith("/index")]
    again.close()


@pytest.mark.parametrize("key", ["", "wrong"])
def test_a_wrong_key_is_refused_with_the_way_out(server: ScriptedQdrant, key: str) -> None:
    """Retrying never helps, and the key is in no message."""
    server.api_key = "right"
    with pytest.raises(StoreRefused) as caught:
        opened(server.url, [], api_key=key)
    assert "QDRANT_API_KEY" in caught.value.hint
    assert not key or key not in caught.value.message


def test_the_right_key_is_sent(server: ScriptedQdrant) -> None:
    """With every request."""
    server.api_key = "right"
    store = opened(server.url, [], api_key="right")
    store.write(numbered(2), {}, [])
    assert store.count() == 2
    store.close()


def test_a_server_that_answers_html_is_no_qdrant(server: ScriptedQdrant) -> None:
    """A login page with status 200 is a wrong address."""
    server.faults.append(Fault("/exists", body=b"<html>Log in</html>"))
    with pytest.raises(StoreRefused) as caught:
        opened(server.url, [])
    assert "QDRANT_URL" in caught.value.hint


@NEEDS_OPENSSL
def test_a_private_authority_is_trusted_when_named(tmp_path: pathlib.Path) -> None:
    """A certificate without a known authority is refused with the setting that helps."""
    key, signed = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(signed, key)
    with ScriptedQdrant(tls=tls) as server:
        store = opened(server.url, [], ca_file=signed, api_key="key")
        store.write(numbered(2), {}, [])
        store.close()
        with pytest.raises(StoreRefused) as caught:
            opened(server.url, [])
    assert "ca_file" in caught.value.hint
    assert len(server.points) == 2


def test_nobody_listening_is_unreachable(slept: list[float]) -> None:
    """A server may come up later than we do."""
    with pytest.raises(StoreUnreachable):
        opened("http://127.0.0.1:9", slept)
    assert len(slept) == 3


def test_a_foreign_collection_is_refused_with_what_it_has(server: ScriptedQdrant) -> None:
    """Vectors of another program are not mixed with."""
    server.answer("PUT", "/collections/conversations", {"vectors": {"size": 4, "distance": "Dot"}})
    with pytest.raises(StoreRefused, match=r"unnamed \(4\)") as caught:
        opened(server.url, [])
    assert "COLLECTION_NAME" in caught.value.hint


def test_a_fitting_collection_without_a_fingerprint_gets_one(server: ScriptedQdrant) -> None:
    """Made by hand, or by a tool that knows the layout."""
    vectors = {"fast-tiny-model": {"size": DIMENSION, "distance": "Cosine", "on_disk": True}}
    layout = {"vectors": vectors, "sparse_vectors": {"bm25": {"modifier": "idf"}}}
    server.answer("PUT", "/collections/conversations", layout)
    first, second = opened(server.url, []), opened(server.url, [])
    assert first.fingerprint == second.fingerprint != f"{MODEL}/{DIMENSION}/v1/unknown"
    first.close()
    second.close()


def test_two_importers_making_it_at_once(server: ScriptedQdrant) -> None:
    """The slower one takes what the faster one made."""
    with_other = opened(server.url, [])
    server.faults.append(Fault("/exists", body=b'{"result":{"exists":false},"status":"ok","time":0}'))
    assert opened(server.url, []).fingerprint == with_other.fingerprint
    with_other.close()


def test_indexing_is_off_during_a_backlog(server: ScriptedQdrant, store: QdrantStore) -> None:
    """And back at the server's default after it."""
    store.backlog(True)
    assert server.collections["conversations"]["made_with"]["optimizers_config"] == {"indexing_threshold": 0}
    store.backlog(False)
    assert server.collections["conversations"]["made_with"]["optimizers_config"]["indexing_threshold"] > 0


def test_indexing_left_off_by_a_kill_is_on_again(server: ScriptedQdrant, store: QdrantStore) -> None:
    """The next opening sees to it."""
    store.backlog(True)
    opened(server.url, []).close()
    assert server.collections["conversations"]["made_with"]["optimizers_config"]["indexing_threshold"] > 0
