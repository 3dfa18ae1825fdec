"""Memory must not grow with the number of files: a bounded corpus through the real model; slopes count, not levels."""

from __future__ import annotations

import os
import pathlib

import pytest

from importer.bench import corpus, endtoend, slope
from importer.bench.endtoend import DAEMON, WORKER, Imported

MB = 1024 * 1024
FILES = 120
LARGEST = {WORKER: 60 * MB, DAEMON: 12 * MB}  # over 120 files; what leaks 1 MB a file is twice beyond
# The in-process importer grows by some 50 MB a file. Batches are small, so that there are enough of them to see a slope.
ENVIRON = {"IMPORTER_WORKER_NICE": "0", "HF_HUB_OFFLINE": "1", "MEMORY_BATCH_SIZE": "32"}


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory, model_dir: str) -> Imported:
    folder = tmp_path_factory.mktemp("slope")
    said = corpus.write(str(folder / "said"), files=FILES, seed=17, bytes_per_file=3_000)
    environ = {**os.environ, **ENVIRON, "IMPORTER_EMBED_MODEL_DIR": str(pathlib.Path(model_dir).parent)}
    return endtoend.run(said.folder, str(folder / "state"), (), environ)


def test_one_worker_saw_all_files(imported: Imported) -> None:
    """Nothing was recycled but for the end: a slope over several workers would hide a leak."""
    assert imported.summary["worker"]["recycles"] == {"stop": 1}
    assert imported.summary["files"] == FILES


@pytest.mark.parametrize("name", [WORKER, DAEMON])
def test_memory_does_not_grow_with_files(imported: Imported, name: str) -> None:
    """Over the second half of the files: the trend, carried on over as many files again, stays small."""
    points = imported.along(name)
    assert len(points) >= 8, "too few looks to judge by"
    grown = slope.per_thousand_files(points) * FILES / 1000
    assert grown < LARGEST[name], f"{grown / MB:+.1f} MB over {FILES} files"
