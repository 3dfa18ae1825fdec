"""A GPU is asked for by name, bounded, and refused in words where there is none."""

from __future__ import annotations

import pathlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
import tiny_models
from worker_told import embed_settings

from importer.errors import ModelError
from importer.memory.probes import GroupMemory, Probes, Sample
from importer.worker.embedders._gpu import CPU, CUDA, check_loaded, providers
from importer.worker.embedders.fastembed import FastEmbedder, open_embedder

BOTH = ["TensorrtExecutionProvider", CUDA, CPU]
NEEDS_GPU = pytest.mark.skipif(
    CUDA not in onnxruntime.get_available_providers(), reason="this ONNX Runtime has no CUDA: install importer[gpu]"
)


def opened(folder: pathlib.Path, **more: Any) -> FastEmbedder:
    directory = tiny_models.make(folder)
    return open_embedder(embed_settings(model=directory, directory=directory, **more))


def test_the_processor_is_taken_by_name() -> None:
    """fastembed would take a GPU that it finds."""
    assert providers(embed_settings(), BOTH) == [CPU]


def test_a_gpu_has_a_limit_of_memory() -> None:
    """Of its arena, which grows by what is asked for; 0 is no limit."""
    [(name, options), fallback] = providers(embed_settings(device="cuda", gpu_memory_mb=1024), BOTH)
    assert (name, options["gpu_mem_limit"], fallback) == (CUDA, str(1 << 30), CPU)
    assert options["arena_extend_strategy"] == "kSameAsRequested"
    [(_, unlimited), _] = providers(embed_settings(device="cuda", gpu_memory_mb=0), BOTH)
    assert "gpu_mem_limit" not in unlimited


@pytest.mark.parametrize(
    ("more", "available", "told"),
    [({}, [CPU], "runs on CPU"), ({"engine": "openvino"}, BOTH, "takes ONNX"), ({"precision": "int8"}, BOTH, "fp32")],
)
def test_what_cannot_be_is_refused(more: dict[str, str], available: list[str], told: str) -> None:
    """With the way out, before a model is loaded."""
    with pytest.raises(ModelError, match=told) as caught:
        providers(embed_settings(device="cuda", **more), available)
    assert "embed." in caught.value.hint


def test_a_fall_back_to_the_processor_is_refused() -> None:
    """ONNX Runtime falls back without an error when a library is missing."""
    session = SimpleNamespace(get_providers=lambda: [CPU])
    check_loaded(embed_settings(), session)
    with pytest.raises(ModelError, match="cannot be loaded"):
        check_loaded(embed_settings(device="cuda"), session)


@pytest.mark.skipif(CUDA in onnxruntime.get_available_providers(), reason="this ONNX Runtime has CUDA")
def test_a_machine_without_a_gpu(tmp_path: pathlib.Path) -> None:
    """Says so when the model is loaded."""
    with pytest.raises(ModelError, match=r"embed\.device is cuda"):
        opened(tmp_path, device="cuda")


@NEEDS_GPU
def test_vectors_of_a_gpu_are_those_of_the_processor(tmp_path: pathlib.Path) -> None:
    """Within what other orders of summing make."""
    here, there = opened(tmp_path), opened(tmp_path, device="cuda", gpu_memory_mb=512)
    texts = ["hello world", "why did the build fail?"]
    made = [one.embed([row[0] for row in one.split(texts)]) for one in (here, there)]
    assert np.allclose(*made, atol=1e-4)


def test_a_gpus_memory_counts_for_the_governor() -> None:
    """The tightest of machine, control group and GPU."""
    sample = Sample(0.0, total_bytes=100, available_bytes=90, gpu=GroupMemory(100, 95))
    assert sample.free_fraction == pytest.approx(0.05)
    assert Probes(gpu=lambda: GroupMemory(10, 5)).sample().gpu == GroupMemory(10, 5)
    assert Probes().sample().gpu is None
