"""`migrate --model` on the embedded store: kills at every seam, questions answered throughout, nothing mixed."""

from __future__ import annotations

import os
import pathlib
import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np
import oracle
import pytest
import tiny_models
from processes import Importer, idle, until
from worker_told import embed_settings, store_settings

from importer.bench.corpus import corpus
from importer.settings.chosen import FILE
from importer.worker import stores
from importer.worker.embed import embed_chunks
from importer.worker.embedders.fastembed import open_embedder
from importer.worker.stores import Point

FILES = int(os.environ.get("SWITCH_FILES", "16"))  # some ten points each
DIMENSIONS = {"small-a": 32, "small-b": 48}
QUIET = {"IMPORTER_EMBED_ENGINE": "onnxruntime", "IMPORTER_WORKER_NICE": "0"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Importer:
    """Two models, and a state into which conversations were imported with the first."""
    base = tmp_path_factory.mktemp("switch")
    for seed, (name, hidden) in enumerate(DIMENSIONS.items()):
        tiny_models.make(base / name, hidden=hidden, seed=seed, positions=512)
    corpus.write(str(base / "said"), files=FILES, seed=3)
    installed = Importer(base, dict(QUIET), embedded=True)
    done = installed.run("backlog", str(base / "said"), "--json", **model(installed, "small-a"))
    assert done.code == 0, done.err
    return installed


@pytest.fixture
def installed(made: Importer, tmp_path: pathlib.Path) -> Importer:
    """The same in a directory of its own."""
    for name in (*DIMENSIONS, "said"):
        (tmp_path / name).symlink_to(made.base / name)
    shutil.copytree(made.state, tmp_path / "state", ignore=shutil.ignore_patterns("*.sock"))
    return Importer(tmp_path, dict(QUIET), embedded=True)


def model(installed: Importer, name: str) -> dict[str, str]:
    return {"EMBEDDING_MODEL": str(installed.base / name)}


def now(installed: Importer) -> dict[str, str]:
    """The settings of a user who sets the model of the store, until the state names it."""
    return {} if pathlib.Path(installed.state, FILE).exists() else model(installed, "small-a")


def points_of(installed: Importer, name: str) -> Mapping[str, Point]:
    """All points of the store, which must be that model's, with their vectors."""
    settings = store_settings(f"edge:{installed.state}/edge")
    store = stores.load(settings, model=name, dimension=DIMENSIONS[name], create=False)
    try:
        return {found.id: found for found in oracle.points_of(store)}
    finally:
        store.close()


def hits(installed: Importer, **environ: str) -> list[str]:
    """The ids of the points that a search by words finds, which no model decides."""
    done = installed.run("search", "build", "--mode", "keyword", "--limit", "5", "--json", **environ)
    assert done.code == 0, done.err
    return [hit["id"] for hit in done.json["hits"]]


def by_meaning(installed: Importer, **environ: str) -> int:
    """How many points a search by vectors finds, which takes the store's own model."""
    done = installed.run("search", "why did the build fail", "--mode", "dense", "--json", **environ)
    assert done.code == 0, done.err
    return len(done.json["hits"])


def check_switched(installed: Importer, before: Mapping[str, Point]) -> None:
    """The same points with the same payloads, each with the vector of the new model, and nothing else on the disk."""
    after = points_of(installed, "small-b")
    assert {id: found.payload for id, found in after.items()} == {id: found.payload for id, found in before.items()}
    directory = str(installed.base / "small-b")
    embedder = open_embedder(embed_settings(model=directory, directory=directory, engine="onnxruntime"))
    some = sorted(after)[::17]
    texts = [str(after[id].payload["document"]) for id in some]
    for part in embed_chunks(embedder, texts, 512, between=lambda _: None):
        if not part.indexes:  # of a text with more windows than this run
            continue
        stored = np.asarray([after[some[i]].dense for i in part.indexes], np.float32)
        assert np.allclose(stored, part.vectors, atol=1e-5)
    assert os.listdir(f"{installed.state}/edge") == ["conversations"]


@pytest.mark.parametrize(
    "order",
    [
        "migrate.page=orphan@2",
        pytest.param("migrate.ready=orphan", marks=pytest.mark.long),
        pytest.param("switch.chosen=kill", marks=pytest.mark.long),
        pytest.param("switch.between=orphan", marks=pytest.mark.long),
        "switch.placed=orphan",
    ],
)
def test_a_kill_at_every_seam(installed: Importer, order: str) -> None:
    """Right after it questions are answered as before, and the same command ends what was begun; ids are exact."""
    before = points_of(installed, "small-a")
    assert len(before) > FILES
    target = str(installed.base / "small-b")
    killed = installed.run("migrate", "--model", target, IMPORTER_FAILPOINTS=order, **now(installed))
    assert killed.code < 0, killed.err
    assert by_meaning(installed, **now(installed)) > 0
    if now(installed):
        done = installed.run("migrate", "--model", target, "--json", **now(installed))
        assert (done.code, done.json["points"]) == (0, len(before)), done.err
        assert done.json["known"] > 0 or "page" not in order  # what was embedded before the kill is not embedded again
    again = installed.run("backlog", str(installed.base / "said"), "--json")
    assert (again.code, again.json["lines"], again.json["embedded"]) == (0, 0, 0), again.err
    check_switched(installed, before)


def test_what_changes_between_two_tries_is_in_the_next_generation(installed: Importer) -> None:
    """After a kill the import goes on with the former model; the next try takes over what is new and what is gone."""
    target = str(installed.base / "small-b")
    ready = "migrate.ready=orphan"
    assert installed.run("migrate", "--model", target, IMPORTER_FAILPOINTS=ready, **now(installed)).code < 0
    corpus.write(str(installed.base / "more"), files=4, seed=9)
    assert installed.run("backlog", str(installed.base / "more"), **now(installed)).code == 0
    gone = next(iter(points_of(installed, "small-a").values())).payload["metadata"]["conversation_id"]
    assert installed.run("forget", "--conversation", gone, "--yes", **now(installed)).code == 0
    before = points_of(installed, "small-a")
    assert installed.run("migrate", "--model", target, **now(installed)).code == 0
    check_switched(installed, before)


def test_questions_are_answered_meanwhile(installed: Importer) -> None:
    """By the command itself, with the former model, up to the moment of the switch."""
    found, slow = hits(installed, **now(installed)), "migrate.page=sleep:0.7"
    target = str(installed.base / "small-b")
    process = installed.start("migrate", "--model", target, IMPORTER_FAILPOINTS=slow, **now(installed))
    until(lambda: os.path.isdir(f"{installed.state}/edge/conversations.next"))
    during = [hits(installed, **model(installed, "small-a"))]
    assert process.poll() is None
    assert process.wait(120) == 0, process.communicate()
    process.communicate()
    assert [*during, hits(installed)] == [found] * 2
    assert by_meaning(installed) > 0


def test_beside_a_daemon(installed: Importer) -> None:
    """It rests, answers, and goes on with the new model without a restart; a new line is embedded with it."""
    live = installed.base / "live"
    corpus.write(str(live), files=2, seed=11)
    found = hits(installed, **now(installed))
    given = {**model(installed, "small-a"), "IMPORTER_TAIL_RESCAN_S": "0.5"}
    with installed.daemon("--source", f"claude-code={installed.base}/said", "--source", f"claude-code={live}", **given):
        until(lambda: idle(installed), 60)
        done = installed.run("migrate", "--model", str(installed.base / "small-b"), "--json", **given)
        assert done.code == 0, done.err
        corpus.write(str(live / "later"), files=2, seed=12)
        until(lambda: _points(installed) > done.json["points"], 60)
        until(lambda: idle(installed), 60)
        assert hits(installed)[:1] == found[:1]
    after = points_of(installed, "small-b")
    assert {len(found.dense) for found in after.values()} == {48}
    assert installed.run("verify").code == 0


def _points(installed: Importer) -> int:
    told: Any = installed.run("status", "--json").json
    return int(told["points"] or 0)


def test_refusals(installed: Importer) -> None:
    """The model that it has, and a disk without room: nothing is changed."""
    same = installed.run("migrate", "--model", str(installed.base / "small-a"), **now(installed))
    assert (same.code, "nothing to embed anew" in same.err) == (2, True), same.err
    wrong = installed.run("search", "build", **model(installed, "small-b"))
    assert (wrong.code, "importer migrate --model" in wrong.err) == (5, True), wrong.err
