"""Read how much of a GPU's memory is taken, by NVIDIA's management library (NVML); None where there is none.

All of the GPU counts: what other programs take is missing to the model, too.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

from importer.memory.probes import GroupMemory, Probes
from importer.settings.schema import Settings


@functools.cache
def _library() -> Any:
    """Return NVML, opened once, and None without package, driver or GPU."""
    try:
        found: Any = importlib.import_module("pynvml")
        found.nvmlInit()
    except Exception:  # of the package's own kinds, which are known only where it is installed
        return None
    return found


def gpu_memory() -> GroupMemory | None:
    """Return the memory of the first GPU and what of it is used; None where it cannot be told."""
    library = _library()
    if library is None:
        return None
    try:
        told = library.nvmlDeviceGetMemoryInfo(library.nvmlDeviceGetHandleByIndex(0))
    except Exception:  # a GPU that was lost meanwhile
        return None
    return GroupMemory(int(told.total), int(told.used))


def probes_of(settings: Settings) -> Probes:
    """Return what reads the memory that the settings' model lives in: the GPU's besides where it embeds on one."""
    return Probes(gpu=gpu_memory) if settings.embed.device == "cuda" else Probes()
