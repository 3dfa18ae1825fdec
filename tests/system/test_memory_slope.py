"""Memory must not grow with the number of files: a bounded corpus through the real model; slopes count, not levels."""

from __future__ import annotations

import os
import pathlib

import pytest

from importer.bench import endtoend, report
from importer.bench.corpus import corpus
from importer.bench.endtoend import DAEMON, WORKER, MeasuredImport

FILES = 240
KB = 1024
SUPPORT = pathlib.Path(__file__).parents[1] / "support"
STEEPEST = {WORKER: 200 * KB, DAEMON: 20 * KB}  # bytes a file; an in-process importer grows by some 50 MB a file
BATCHES = {  # small, so that there are enough to see a slope
    "IMPORTER_WORKER_NICE": "0",
    "MEMORY_BATCH_SIZE": "16",
    "IMPORTER_WORKER_RECYCLE_FILES": "0",
}

pytestmark = pytest.mark.long  # a leak in a few batches is seen by `test_leak_drill`, each time


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory, model_dir: str) -> MeasuredImport:
    folder = tmp_path_factory.mktemp("slope")
    said = corpus.write(str(folder / "said"), files=FILES, seed=17, bytes_per_file=800)
    model = {"HF_HUB_OFFLINE": "1", "IMPORTER_EMBED_MODEL_DIR": str(pathlib.Path(model_dir).parent)}
    environ = {**os.environ, **BATCHES, **model}
    return endtoend.run(said.folder, str(folder / "state"), (), environ)


def test_one_worker_saw_all_files(imported: MeasuredImport) -> None:
    """Nothing was recycled but for the end: a slope over several workers would hide a leak."""
    assert imported.summary["worker"]["recycles"] == {"stop": 1}
    assert imported.summary["files"] == FILES


@pytest.mark.parametrize("name", [WORKER, DAEMON])
def test_memory_does_not_grow_with_files(imported: MeasuredImport, name: str) -> None:
    """The trend over the second half of the files stays below what would matter in months."""
    points = imported.along(name)
    assert len(points) >= 8, "too few looks to judge by"
    assert report.per_thousand_files(points) / 1000 < STEEPEST[name]


def test_a_leak_would_be_seen(tmp_path: pathlib.Path) -> None:
    """The same look at a model that keeps 2 MB of every run finds it far too steep."""
    said = corpus.write(str(tmp_path / "said"), files=40, seed=17, bytes_per_file=2_000)
    leak = {
        "IMPORTER_PLUGIN_LEAKY_MB": "2",
        "IMPORTER_PLUGIN_LEAKY_MS": "60",  # slow enough for a dozen looks on a quiet machine
        "IMPORTER_EMBED_PROVIDER": "plugins.leaky_embedder",
    }
    environ = {**os.environ, **BATCHES, **leak, "IMPORTER_EMBED_DIMENSION": "384", "PYTHONPATH": str(SUPPORT)}
    imported = endtoend.run(said.folder, str(tmp_path / "state"), (), environ)
    assert report.per_thousand_files(imported.along(WORKER)) / 1000 > 2 * STEEPEST[WORKER]
