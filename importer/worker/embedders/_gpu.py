"""The provider of ONNX Runtime that a model runs on: the processor, or a GPU by CUDA with a limit on its memory.

fastembed would take a GPU wherever ONNX Runtime's build for one is installed, without a limit; here it is asked for by
name. Its memory is bounded twice: by the token budget, which bounds a run, and by `gpu_mem_limit` of the arena, which
grows by what is asked for (the default doubles it).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from importer.errors import ModelError
from importer.protocol.units import MB
from importer.protocol.worker_settings import EmbedSettings

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
HINT = "pip install 'conversation-importer[gpu]' where an NVIDIA driver is, or embed.device = cpu"


def providers(chosen: EmbedSettings, available: Sequence[str]) -> list[Any]:
    """Return ONNX Runtime's providers for these settings. Raises ModelError where there is no GPU to run on."""
    if chosen.device == "cpu":
        return [CPU]
    if CUDA not in available:
        raise ModelError(f"embed.device is cuda, but this ONNX Runtime runs on {', '.join(available)}", hint=HINT)
    if chosen.engine == "openvino" or chosen.precision != "fp32":
        raise ModelError("embed.device is cuda, which takes ONNX Runtime and fp32", hint="embed.engine = auto")
    limit = {"gpu_mem_limit": str(chosen.gpu_memory_mb * MB)} if chosen.gpu_memory_mb else {}
    return [(CUDA, {"device_id": "0", "arena_extend_strategy": "kSameAsRequested", **limit}), CPU]


def check_loaded(chosen: EmbedSettings, session: Any) -> None:
    """Raise ModelError where a model was to run on a GPU and ONNX Runtime fell back to the processor.

    It does so without an error when a library of CUDA is missing.
    """
    if chosen.device == "cuda" and CUDA not in session.get_providers():
        raise ModelError("embed.device is cuda, but CUDA cannot be loaded: the processor would run it", hint=HINT)
