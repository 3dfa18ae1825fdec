"""Importing into a Qdrant server, the scripted one: all of it, through an outage, with indexing off meanwhile."""

from __future__ import annotations

import os
import pathlib
import random
import time
from collections import Counter
from collections.abc import Iterator

import oracle
import psutil
import pytest
from processes import Importer, asked, idle, until, workers_of
from scripted_qdrant import ScriptedQdrant

from importer.bench.corpus import corpus
from importer.bench.corpus.lines import SessionWriter, encode
from importer.delivery.bulk_mode import LARGE_FILES

MB = 1024 * 1024
OUTAGE_S = float(os.environ.get("OUTAGE_S", "6"))
BATCH = 32


@pytest.fixture
def server() -> Iterator[ScriptedQdrant]:
    with ScriptedQdrant() as server:
        yield server


@pytest.fixture
def installed(tmp_path: pathlib.Path, server: ScriptedQdrant) -> Importer:
    importer = Importer(tmp_path)
    importer.environ.update(
        QDRANT_URL=server.url,
        IMPORTER_EMBED_PROVIDER="plugins.counting_embedder",
        IMPORTER_PLUGIN_COUNTED_TEXTS=str(tmp_path / "texts"),
        MEMORY_BATCH_SIZE=str(BATCH),
    )
    return importer


def embedded(installed: Importer) -> Counter[str]:
    """Return how often each text was embedded."""
    return Counter(pathlib.Path(installed.environ["IMPORTER_PLUGIN_COUNTED_TEXTS"]).read_text().split())


def check(installed: Importer, server: ScriptedQdrant, folder: str) -> None:
    """Check that the server holds what the files say, and nothing is in quarantine."""
    expected = oracle.expect(folder)
    assert server.points.keys() == expected.chunks.keys()
    assert oracle.totals_of(installed.state) == expected.tally
    assert not oracle.rejected_in(installed.state)


def test_away_under_load(installed: Importer, server: ScriptedQdrant, tmp_path: pathlib.Path) -> None:
    """Nothing grows while it is away, nothing is embedded again but what was under way, and then it goes on at once."""
    folder = str(tmp_path / "said")
    corpus.write(folder, files=40, seed=4)
    with installed.daemon("--source", f"auto={folder}", IMPORTER_FAILPOINTS="embed=sleep:0.01") as daemon:
        until(lambda: len(server.points) > 100)
        own = psutil.Process(daemon.pid)
        with server.away():
            before, heaviest, workers = own.memory_info().rss, 0, []
            until(lambda: asked(installed, "status")["state"] == "degraded")
            end = time.monotonic() + OUTAGE_S
            while time.monotonic() < end:
                heaviest = max(heaviest, own.memory_info().rss)
                workers.append(len(workers_of(daemon)))
                time.sleep(0.05)
            kept = set(server.points)
        back = time.monotonic()
        until(lambda: len(server.points) > len(kept), seconds=60)
        caught_up_s = time.monotonic() - back
        until(lambda: idle(installed), seconds=60)
    again = sum(embedded(installed).values()) - len(embedded(installed))
    print(
        f"away for {OUTAGE_S:.0f} s: daemon {before / MB:.1f} MB before, at most {heaviest / MB:.1f} MB; a worker was "
        f"there in {sum(map(bool, workers)) / len(workers):.0%} of the looks; {again} texts embedded again; "
        f"first new point {caught_up_s:.1f} s after its return"
    )
    assert heaviest - before < 8 * MB
    assert again <= 4 * BATCH  # two batches in flight, each half as large again at most
    check(installed, server, folder)


def test_indexing_is_off_while_a_large_backlog_pours_in(
    installed: Importer, server: ScriptedQdrant, tmp_path: pathlib.Path
) -> None:
    """It is told so once, and on again at the end; a small one is not worth it."""
    folder, rng = tmp_path / "said", random.Random(5)
    folder.mkdir()
    for number in range(LARGE_FILES + 5):
        session = SessionWriter(rng, cwd="/home/ann/app", at_ms=1_780_000_000_000)
        lines = [session.user(f"question {number}"), session.text(f"answer {number}")]
        (folder / f"{session.id}.jsonl").write_bytes(encode(lines))
    done = installed.run("backlog", str(folder), "--json")
    assert (done.code, done.json["points"]) == (0, LARGE_FILES + 5), done.err
    assert [method for method, _ in server.requests].count("PATCH") == 2
    assert server.collections["conversations"]["made_with"]["optimizers_config"]["indexing_threshold"] > 0
    (folder / "one-more.jsonl").write_bytes(encode([session.user("one more"), session.text("yes")]))
    assert installed.run("backlog", str(folder)).code == 0
    assert [method for method, _ in server.requests].count("PATCH") == 2
    check(installed, server, str(folder))
