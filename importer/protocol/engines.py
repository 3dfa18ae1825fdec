"""Choose what runs a local model: ONNX Runtime or OpenVINO, and in which arithmetic.

OpenVINO in bf16 gives the vectors of fp32 (cosine >= 0.9999) at about half the processor time, where the processor
is fast at it: with AMX, and AMD's with AVX-512 BF16. Intel's AVX-512 BF16 without AMX, as a virtual machine can have
it, is a third slower in bf16. In fp32 OpenVINO is a few percent faster than ONNX Runtime with AVX-512, and as fast
with AVX2 alone.
Nothing is imported to decide, so that the daemon, `status` and `doctor` can say what a worker will do.

    tokens a second of one core, one thread    8 x 128   4 x 256   16 x 32
    ONNX Runtime 1.32, fp32                      3,960     3,400     4,300   (AMD EPYC with AVX-512 BF16)
    OpenVINO 2026.4, fp32                        4,230     3,930     4,540
    OpenVINO 2026.4, bf16                        7,770     6,920     8,150

    ONNX Runtime 1.32, fp32                      3,480     3,260     4,520   (Intel Xeon with AMX, other loads beside)
    OpenVINO 2026.4, fp32                        3,620     3,310     3,900
    OpenVINO 2026.4, bf16                       11,370    11,400    14,180
    ONNX Runtime 1.32, int8                      8,620     6,960    12,270
    OpenVINO 2026.4, the same int8 graph         2,590     2,740     3,050   (it does not fuse its products)

    ONNX Runtime 1.32, fp32                      4,770     4,360     5,270   (Intel Xeon, AVX-512 BF16 and no AMX)
    OpenVINO 2026.4, fp32                        4,960     4,160     5,570
    OpenVINO 2026.4, bf16                        3,310     2,900     3,450
    ONNX Runtime 1.32, int8                     10,720     8,120    12,780

    ONNX Runtime 1.32, fp32                      1,360     1,220     1,500   (AMD EPYC with AVX2 alone, other loads)
    OpenVINO 2026.4, fp32                        1,400     1,280     1,470
    ONNX Runtime 1.32, int8                      1,400     1,270     1,470

So int8 stays with ONNX Runtime; with AMX bf16 is the faster one and the more exact one, and without VNNI int8 gains
nothing.
"""

from __future__ import annotations

import importlib.util
import platform
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

AMX_FLAG, AVX512_FLAG = "amx_bf16", "avx512_bf16"  # names of /proc/cpuinfo for products of bf16
INTEL = "GenuineIntel"  # a vendor_id of /proc/cpuinfo
X86_FLAG = "sse2"  # of every x86 processor of 64 bits, and of no other
X86_MACHINES = {"x86_64", "AMD64"}


@dataclass(frozen=True, slots=True)
class EmbeddingEngine:
    """What runs the model: `name`, `arithmetic` (fp32, bf16, int8), and `reason`, why it is not a faster one or ""."""

    name: str
    arithmetic: str
    reason: str = ""

    def __str__(self) -> str:
        """Return it as people are shown it."""
        return f"{self.name} {self.arithmetic}" + (f" ({self.reason})" if self.reason else "")


def choose(wanted: str, precision: str) -> EmbeddingEngine:
    """Return the engine for `embed.engine` on this machine: the fastest that is installed and keeps the vectors."""
    if precision == "int8":
        reasons = ["OpenVINO is for fp32 models"] if wanted == "openvino" else []
        reasons += [] if has_vnni() else ["this processor has no VNNI, so fp32 is as fast and more exact"]
        return EmbeddingEngine("onnxruntime", "int8", "; ".join(reasons))
    if wanted == "onnxruntime":
        return EmbeddingEngine("onnxruntime", "fp32")
    if not has_openvino():
        return EmbeddingEngine(
            "onnxruntime", "fp32", "OpenVINO is not installed: pip install 'conversation-importer[fast]'"
        )
    if not has_fast_bf16():
        return EmbeddingEngine("openvino", "fp32", "bf16 is no faster on this processor")
    return EmbeddingEngine("openvino", "bf16")


def described(provider: str, wanted: str, precision: str) -> str:
    """Return the engine of a provider as people are shown it, "" for one that runs elsewhere."""
    return str(choose(wanted, precision)) if provider == "fastembed" else ""


@cache
def has_openvino() -> bool:
    """Return True if the package is installed; it is not imported."""
    return importlib.util.find_spec("openvino") is not None


@cache
def has_fast_bf16(cpuinfo: str = "/proc/cpuinfo") -> bool:
    """Return True if the processor multiplies bf16 matrices faster than fp32; False where that cannot be read."""
    flags = _flags(cpuinfo)
    return AMX_FLAG in flags or (AVX512_FLAG in flags and _vendor(cpuinfo) != INTEL)


@cache
def has_vnni(cpuinfo: str = "/proc/cpuinfo", machine: str = "") -> bool:
    """Return True if the processor adds up int8 products at once and exactly: with VNNI, or where it is no x86.

    `machine` is what `platform.machine` says, by which an x86 is known whose flags cannot be read.
    """
    flags = _flags(cpuinfo)
    is_x86 = X86_FLAG in flags or (not flags and (machine or platform.machine()) in X86_MACHINES)
    return not is_x86 or any("vnni" in flag for flag in flags)


def _flags(cpuinfo: str) -> frozenset[str]:
    """Return what the first core can, by the kernel's names; none where that cannot be read."""
    return frozenset(_first_core(cpuinfo, "flags|Features").split())


def _vendor(cpuinfo: str) -> str:
    """Return who made the first core, "" where that cannot be read."""
    return _first_core(cpuinfo, "vendor_id")


def _first_core(cpuinfo: str, names: str) -> str:
    """Return what the file says of the first core under one of the names, "" where that cannot be read."""
    try:
        text = Path(cpuinfo).read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    line = re.search(rf"^(?:{names})[ \t]*:[ \t]*(.*)$", text, re.MULTILINE)
    return line.group(1) if line else ""
