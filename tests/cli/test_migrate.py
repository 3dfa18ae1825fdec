"""`migrate` copies every point with its vector, also after interruptions, and the import goes on in the new store."""

from __future__ import annotations

import os
import pathlib
import ssl
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
import oracle
import pytest
import store_backends
from certificates import NEEDS_OPENSSL, certificate
from processes import Importer
from qdrant_client import QdrantClient, models
from scripted_qdrant import ScriptedQdrant
from worker_told import embed_settings, store_settings

from importer.bench.corpus import corpus
from importer.protocol.worker_settings import CopyTarget
from importer.state.checkpoints import Checkpoints
from importer.worker import stores
from importer.worker.copying import copy_points
from importer.worker.session import WorkerSession
from importer.worker.stores import Point, Store
from importer.worker.stores.qdrant.collection import switch

POINTS = int(os.environ.get("MIGRATE_POINTS", "2000"))
DIMENSION = 384


def point(number: int, holders: tuple[str, ...] = ()) -> Point:
    """Return a point that looks like a stored chunk."""
    rng = np.random.default_rng(number)
    vector = rng.standard_normal(DIMENSION).astype(np.float32)
    known = {"source": "claude-code", "conversation_id": f"c{number % 50}", "chunk": number, "tools": ["Edit"]}
    payload: dict[str, Any] = {"document": f"piece {number} of what was said", "metadata": known}
    if holders:
        payload["open_by"] = list(holders)
    vector /= np.linalg.norm(vector)
    return Point(str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))), vector.tolist(), payload)


def opened(location: str) -> Store:
    return stores.load(store_settings(location), model=oracle.MODEL, dimension=DIMENSION)


def wish(location: str) -> Mapping[str, Any]:
    return msgspec.to_builtins(CopyTarget(store=store_settings(location), embed=None))


def copy(source: str, target: str) -> int:
    """Copy all pages from one store to another; return the number of points written."""
    session = WorkerSession(opened(source), lambda: pytest.fail("a copy embeds nothing"), token_budget=0)
    try:
        copy_points.migrate_open(session, wish(target))
        pages = list(_pages(session, target))
        missing = [copy_points.migrate_check(session, wish(target), limit=POINTS + 10)["missing"]]
        assert missing == [[]]
        return sum(page["written"] for page in pages)
    finally:
        copy_points.migrate_close(session, wish(target))
        session.store.close()


def _pages(session: WorkerSession, target: str) -> Iterator[Mapping[str, Any]]:
    after: str | None = None
    while True:
        page = copy_points.migrate_page(session, wish(target), after)
        yield page
        after = page["next"]
        if after is None:
            return


def all_of(location: str) -> dict[str, Point]:
    store = opened(location)
    try:
        return {found.id: found for found in oracle.points_of(store)}
    finally:
        store.close()


def fill(location: str, points: list[Point]) -> None:
    store = opened(location)
    for at in range(0, len(points), 256):
        store.write(points[at : at + 256], {}, ())
    store.close()


def test_there_and_back(tmp_path: pathlib.Path) -> None:
    """From embedded to local mode and back, ids and payloads stay the same, and vectors to the last bit of fp32."""
    first, middle, last = f"edge:{tmp_path}/a", f"local:{tmp_path}/b", f"edge:{tmp_path}/c"
    fill(first, [point(number) for number in range(POINTS - 1)] + [point(POINTS, ("h1",))])
    assert (copy(first, middle), copy(middle, last)) == (POINTS, POINTS)
    before, after = all_of(first), all_of(last)
    assert {id: found.payload for id, found in after.items()} == {id: found.payload for id, found in before.items()}
    vectors = [np.asarray([found[id].dense for id in sorted(before)], np.float32) for found in (before, after)]
    assert np.array_equal(*vectors)


def test_second_copy_writes_what_is_new(tmp_path: pathlib.Path) -> None:
    """Present points stay as they are, open for the hosts of both stores, or closed if one store has closed them."""
    source, target = f"edge:{tmp_path}/a", f"edge:{tmp_path}/b"
    fill(source, [point(1), point(2, ("h1",)), point(3, ("h1",))])
    fill(target, [point(1, ("h2",)), point(2, ("h2",))])
    assert copy(source, target) == 1
    held = {found.payload["metadata"]["chunk"]: found.payload.get("open_by") for found in all_of(target).values()}
    assert held == {1: None, 2: ["h1", "h2"], 3: ["h1"]}


def test_alias_moves_in_one_step(tmp_path: pathlib.Path) -> None:
    """An alias follows to the new collection; a name of a real collection is left alone."""
    client = QdrantClient(path=str(tmp_path))
    for name in ("old", "new"):
        client.create_collection(name, vectors_config={"v": models.VectorParams(size=2, distance="Cosine")})
    assert switch(client, "said", "old")
    assert switch(client, "said", "new")
    assert [found.collection_name for found in client.get_aliases().aliases] == ["new"]
    assert not switch(client, "old", "new")
    client.close()


@pytest.fixture
def installed(tmp_path: pathlib.Path) -> Importer:
    importer = Importer(tmp_path)
    importer.environ.update(
        {"IMPORTER_WORKER_NICE": "0", "COLLECTION_NAME": "talk"}, **store_backends.environ_of(importer.state)
    )
    corpus.write(str(tmp_path / "said"), files=6, seed=5, bytes_per_file=8_000)
    assert importer.run("backlog", str(tmp_path / "said")).code == 0
    return importer


def test_the_import_goes_on_there(installed: Importer) -> None:
    """A second run has nothing to copy; afterwards the import uses the new store and reads no file again."""
    target = f"edge:{installed.base}/copy"
    moved = installed.run("migrate", "--to", target, "--json")
    assert (moved.code, moved.json["written"]) == (0, moved.json["there"]), moved.err
    assert installed.run("migrate", "--to", target, "--json").json["written"] == 0
    here = installed.run("--store", target, "backlog", str(installed.base / "said"), "--json")
    assert (here.code, here.json["lines"], here.json["points"]) == (0, 0, moved.json["points"]), here.err
    assert installed.run("--store", target, "verify").code == 0


def test_resumes_where_it_was(installed: Importer) -> None:
    """The position is kept in the state: points before it are not read again, but verified."""
    target = f"edge:{installed.base}/copy"
    moved = installed.run("migrate", "--to", target, "--json")
    with Checkpoints.open(f"{installed.state}/checkpoints.sqlite3") as checkpoints:
        place = next(name for (name,) in checkpoints.database.rows("SELECT name FROM meta") if "migrating" in name)
        assert checkpoints.meta(place) == ""
        checkpoints.remember(**{place: "f" * 8 + "-0000-0000-0000-000000000000"})
    again = installed.run("migrate", "--to", target, "--json")
    assert (again.code, again.json["there"]) == (0, moved.json["points"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--to", "edge"), "is the store that is to be copied"),
        (("--to", "local:x", "--model", "BAAI/bge-small-en-v1.5"), "cannot fill local:x"),
        ((), "neither a store nor a model is named"),
        (("--to", "nowhere"), "give edge, local:PATH or the URL"),
        (("--to", "http://me:secret@db:6333"), "password inside"),
        (("--to", "local:x", "--collection", "a:b"), "not usable as a collection's name"),
    ],
)
def test_refusals(tmp_path: pathlib.Path, arguments: tuple[str, ...], words: str) -> None:
    """A migration that cannot work is refused at once, with exit code 2, and nothing is written."""
    refused = Importer(tmp_path, embedded=True).run("migrate", *arguments)
    assert (refused.code, words in refused.err) == (2, True), refused.err


def test_another_model_behind_an_alias(installed: Importer) -> None:
    """Texts are embedded anew on a server, under the name the import goes on with, and no file is read again."""
    with ScriptedQdrant() as server:
        moved = installed.run("migrate", "--to", server.url, "--model", "acme/other", "--json")
        assert (moved.code, moved.json["alias"]) == (0, installed.environ["COLLECTION_NAME"]), moved.err
        assert server.aliases == {moved.json["alias"]: moved.json["collection"]}
        there = {"QDRANT_URL": server.url, "EMBEDDING_MODEL": "acme/other"}
        here = installed.run("backlog", str(installed.base / "said"), "--json", **there)
        assert (here.code, here.json["lines"], here.json["points"]) == (0, 0, moved.json["points"]), here.err


@NEEDS_OPENSSL
def test_to_a_server_with_an_authority_of_its_own(installed: Importer, tmp_path: pathlib.Path) -> None:
    """The settings of an embedded store cannot name one, so it is named together with the target."""
    key, signed = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(signed, key)
    with ScriptedQdrant(tls=tls) as server:
        assert installed.run("migrate", "--to", server.url, "--json").code == 5
        moved = installed.run("migrate", "--to", server.url, "--ca-file", signed, "--json")
        assert (moved.code, moved.json["written"]) == (0, len(server.points)), moved.err


def test_worker_stays_light() -> None:
    """The code that copies does not load the server's client into a worker without a server."""
    look = "import sys, importer.worker.session; sys.exit('qdrant_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0


def test_another_model(tmp_path: pathlib.Path) -> None:
    """With the settings of another model, documents are embedded anew into a collection of its dimension."""
    fill(f"edge:{tmp_path}/a", [point(number) for number in range(5)])
    embed = embed_settings(provider="plugins.fake_embedder", model="some/other", dimension=64)
    to = {**wish(f"local:{tmp_path}/b"), "embed": msgspec.to_builtins(embed)}
    session = WorkerSession(opened(f"edge:{tmp_path}/a"), lambda: pytest.fail("not the old model"), token_budget=512)
    copy_points.migrate_open(session, to)
    page = copy_points.migrate_page(session, to)
    session.store.close()
    copy_points.migrate_close(session, to)
    assert (page["written"], page["next"]) == (5, None)
    store = stores.load(store_settings(f"local:{tmp_path}/b"), model="some/other", dimension=64)
    assert {len(found.dense) for found in oracle.points_of(store)} == {64}
    store.close()
