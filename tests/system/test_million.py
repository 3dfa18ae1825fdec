"""A million points in the embedded store: opening, searching, writing, memory.

    pytest -m long tests/system/test_million.py -s     MILLION=100000 for a shorter look, MILLION_DIR keeps the store

Vectors are random, texts are not. The figures are printed; what is asserted is the memory's bound.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from statistics import median, quantiles

import numpy as np
import psutil
import pytest
from store_questions import hits
from worker_told import store_settings

from importer import api
from importer.bench.corpus import corpus
from importer.bench.corpus.talk import Talk
from importer.worker import stores
from importer.worker.stores import Point, Store

pytestmark = pytest.mark.long

POINTS = int(os.environ.get("MILLION", "1000000"))
MODEL, DIMENSION = "sentence-transformers/all-MiniLM-L6-v2", 384
BATCH, SEARCHES = 256, 200
TEXTS = 20_000  # distinct ones
FILES = int(os.environ.get("FILES", "200"))  # of an import; the default of worker.recycle_files
TURNS = 3
BOUND_BYTES = 450 * 1024 * 1024
MB = 1024 * 1024


def opened(folder: str) -> Store:
    return stores.load(store_settings(f"edge:{folder}"), model=MODEL, dimension=DIMENSION)


def unit(rng: np.random.Generator, count: int) -> np.ndarray:
    vectors = rng.standard_normal((count, DIMENSION), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def texts(seed: int) -> list[str]:
    talk = Talk(random.Random(seed))
    return [f"{talk.prompt(120)}\n\n{talk.answer(700)}" for _ in range(TEXTS)]


def payload(text: str, number: int) -> dict[str, object]:
    metadata = {
        "source": "claude-code",
        "project": f"/home/ann/project-{number % 50}",
        "conversation_id": f"conversation-{number // 40}",
        "kind": "exchange",
        "timestamp": f"2026-0{number % 9 + 1}-01T00:00:00Z",
        "host": "here",
    }
    return {"document": text, "metadata": metadata}


def fill(folder: str, points: int) -> None:
    """Add so many points, with maintenance when it is due."""
    store, said, rng = opened(folder), texts(1), np.random.default_rng(store_size(folder))
    first = store.count()
    for at in range(first, points, BATCH):
        vectors = unit(rng, BATCH)
        batch = [
            Point(str(uuid.UUID(int=at + i + 1)), vectors[i], payload(said[(at + i) % TEXTS], at + i))
            for i in range(min(BATCH, points - at))
        ]
        store.write(batch, {}, [])
        if store.pending_optimize:
            store.optimize()
    store.optimize()
    store.close()


def store_size(folder: str) -> int:
    return sum(path.stat().st_size for path in pathlib.Path(folder).rglob("*") if path.is_file())


def look(folder: str) -> None:
    """Open and search in a fresh process; print what it took."""
    from importer.protocol.query import Query

    started = time.perf_counter()
    store = opened(folder)
    found = {"open_s": time.perf_counter() - started, "open_cpu_s": time.process_time(), "points": store.count()}
    said, rng = texts(2), np.random.default_rng(2)
    for mode in ("dense", "keyword", "hybrid"):
        took = []
        for text, vector in zip(said[:SEARCHES], unit(rng, SEARCHES), strict=True):
            asked = Query(" ".join(text.split()[:6]), limit=10, mode=mode)
            started = time.perf_counter()
            hits(store, asked, None if mode == "keyword" else vector.tolist())
            took.append(time.perf_counter() - started)
        found[f"{mode}_first_s"], found[f"{mode}_median_s"] = took[0], median(took)
        found[f"{mode}_p95_s"] = quantiles(took, n=20)[-1]
    memory = psutil.Process().memory_full_info()
    found["anon_bytes"], found["rss_bytes"] = memory.rss - memory.shared, memory.rss
    print(json.dumps(found))


def ran(*arguments: str) -> str:
    """Run this module in a process of its own."""
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}  # this module's helpers are on it
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, env=paths, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A state directory with so many points in its store."""
    kept = os.environ.get("MILLION_DIR")
    state = kept or str(tmp_path_factory.mktemp("million"))
    started = time.monotonic()
    ran("fill", f"{state}/edge", str(POINTS))
    seconds, size = time.monotonic() - started, store_size(f"{state}/edge")
    print(f"\n{POINTS} points written in {seconds:.0f} s, {size / MB:,.0f} MB on disk")
    yield state
    if not kept:
        shutil.rmtree(state)


def test_opening_and_searching(filled: str) -> None:
    """Three fresh processes, one after the other."""
    for _ in range(3):
        found = json.loads(ran("look", f"{filled}/edge"))
        assert found["points"] == POINTS
        print(
            f"\nopen {found['open_s']:.2f} s; "
            + "; ".join(
                f"{mode} first {found[f'{mode}_first_s'] * 1000:.0f}, median {found[f'{mode}_median_s'] * 1000:.0f}, "
                f"p95 {found[f'{mode}_p95_s'] * 1000:.0f} ms"
                for mode in ("dense", "keyword", "hybrid")
            )
            + f"; {found['anon_bytes'] / MB:.0f} MB anonymous, {found['rss_bytes'] / MB:.0f} MB resident"
        )
        assert found["anon_bytes"] < BOUND_BYTES


def test_importing_beside_them(filled: str, model_dir: str, tmp_path: pathlib.Path) -> None:
    """The same files into an empty store and into the full one, in turn: tokens/s and the worker's peak.

    As many as one worker lives for: what opening a large store takes is spread over them.
    """
    environ = {**os.environ, "IMPORTER_EMBED_MODEL_DIR": os.path.dirname(model_dir), "IMPORTER_WORKER_NICE": "0"}
    rates: dict[str, list[float]] = {"empty": [], "full": []}
    for turn in range(TURNS):
        said = str(tmp_path / f"said{turn}")
        corpus.write(said, files=FILES, seed=20 + turn)
        for name, state in (("empty", str(tmp_path / f"state{turn}")), ("full", filled)):
            for left in pathlib.Path(state).glob("checkpoints.sqlite3*"):
                left.unlink()
            command = [sys.executable, "-m", "importer", "--state-dir", state, "backlog", said, "--json"]
            done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-2000:]
            told = json.loads(done.stdout)
            rates[name].append(told["tokens_per_s"])
            peak = told["worker"]["peak_anon_bytes"]
            rate, points = told["tokens_per_s"], told["points"]
            print(f"\n{name}: {rate:,.0f} tokens/s, worker {peak / MB:.0f} MB anonymous, {points} points")
            assert peak < BOUND_BYTES
    print(f"\nfull / empty: {median(rates['full']) / median(rates['empty']):.3f} in tokens/s")


def test_asking_beside_an_import(
    filled: str, model_dir: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Questions of 4 to 12 words through the API: alone, and while an import goes on on the same cores."""
    monkeypatch.setenv("IMPORTER_EMBED_MODEL_DIR", os.path.dirname(model_dir))
    seed = random.randrange(10**6)  # a store that is kept has the files of the last time
    print(f"\nseed {seed}")
    said = {files: str(tmp_path / f"said{files}") for files in (1, FILES)}
    for files, folder in said.items():
        corpus.write(folder, files=max(4, files), seed=seed + files)
    command = [sys.executable, "-m", "importer", "--state-dir", filled, "backlog", "--json"]
    subprocess.run([*command, said[1]], capture_output=True, check=True)  # which makes the state
    words, rng = " ".join(texts(2)[:400]).split(), random.Random(3)
    with api.open(filled) as archive:

        def asked() -> float:
            question = " ".join(rng.sample(words, rng.randint(4, 12)))
            started = time.perf_counter()
            assert archive.search(question, limit=10).hits
            return time.perf_counter() - started

        warm = [asked() for _ in range(20 + SEARCHES)][20:]
        with subprocess.Popen([*command, said[FILES]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as going:
            beside: list[float] = []
            time.sleep(5)  # it has to start, and to be handed the store
            while going.poll() is None and len(beside) < SEARCHES:
                beside.append(asked())
                time.sleep(0.05)
        assert going.returncode == 0
    for name, took in (("alone", warm), ("beside an import", beside)):
        assert len(took) > 20, "the import was over too soon: more FILES"
        p95 = quantiles(took, n=20)[-1]
        print(f"\n{name}: {len(took)} questions, median {median(took) * 1000:.0f}, p95 {p95 * 1000:.0f} ms")


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        fill(sys.argv[2], int(sys.argv[3]))
    else:
        look(sys.argv[2])
