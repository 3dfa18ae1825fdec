"""NVML where there is one; elsewhere a GPU's memory is not known, which is no trouble."""

from __future__ import annotations

import pathlib
import sys
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from idle_engine import parts

from importer.memory import gpu
from importer.memory.probes import GroupMemory


@pytest.fixture(autouse=True)
def fresh() -> None:
    gpu._library.cache_clear()


def test_without_the_package_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is it tried again at every look."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert gpu.gpu_memory() is None


def test_the_first_gpu_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it, and what is taken by any program; one that was lost is not known."""
    told = SimpleNamespace(total=8 << 30, used=3 << 30)
    library = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda _: "first",
        nvmlDeviceGetMemoryInfo=lambda _: told,
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)
    assert gpu.gpu_memory() == GroupMemory(8 << 30, 3 << 30)
    library.nvmlDeviceGetMemoryInfo = lambda _: 1 / 0
    assert gpu.gpu_memory() is None
    gpu._library.cache_clear()


@pytest.mark.parametrize(("device", "free"), [("cuda", 0.25), ("cpu", None)])
def test_a_model_on_a_gpu_is_governed_by_its_memory(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, device: str, free: float | None
) -> None:
    """The governor's own look sees how full it is; where the processor embeds, a GPU says nothing."""
    library = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda _: "first",
        nvmlDeviceGetMemoryInfo=lambda _: SimpleNamespace(total=8 << 30, used=6 << 30),
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)
    with ExitStack() as stack:
        guard = parts(str(tmp_path), stack, **{"embed.device": device}).guard
        guard.look()
    assert guard.sample is not None
    assert (guard.sample.gpu is not None) == (free is not None)
    assert free is None or guard.sample.free_fraction == pytest.approx(free)
