"""The daemon stays light while it works: what its process has mapped, beside what its worker has."""

from __future__ import annotations

import pathlib
import re

from processes import Importer, until, workers_of

from importer.bench.corpus import corpus

HEAVY = {
    *("numpy", "onnxruntime", "fastembed", "qdrant_client", "qdrant_edge", "grpc", "pydantic_core", "tokenizers"),
    *("huggingface_hub", "onnx", "safetensors"),
}


def mapped(pid: int) -> set[str]:
    """Return the packages of which a process has a shared library mapped."""
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
    return set(re.findall(r"site-packages/([^/.]+)", maps))


def test_a_running_daemon_is_light(tmp_path: pathlib.Path) -> None:
    """While it imports, none of the heavy libraries is mapped into its memory; into its worker's they are."""
    corpus.write(str(tmp_path / "said"), files=2, seed=1)
    installed = Importer(tmp_path)
    with installed.daemon("--source", f"auto={tmp_path}/said", IMPORTER_FAILPOINTS="embed=sleep:60") as process:
        (worker,) = until(lambda: workers_of(process))
        until(lambda: "qdrant_edge" in mapped(worker.pid))
        assert not HEAVY & mapped(process.pid)
        assert {"numpy", "qdrant_edge"} <= mapped(worker.pid)
