"""glibc's allocator: thresholds at the start, freed memory back to the system now and then. A quiet no-op elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from importer.protocol.system.capabilities import has, libc

KIB = 1024
# What each name of the environment is to mallopt(3), and what it is set to where the environment does not say. Measured
# on 400 chunks with ONNX Runtime's arena on, budgets of 512 to 8,192: as fast as glibc's own (moving) thresholds and
# 10 to 30 MB less. With its arena off the same values cost 40 % of the speed: every tensor becomes a fresh mapping.
PARAMETERS: Mapping[str, tuple[int, int]] = {
    "MALLOC_TRIM_THRESHOLD_": (-1, 128 * KIB),
    "MALLOC_MMAP_THRESHOLD_": (-3, 128 * KIB),
    "MALLOC_ARENA_MAX": (-8, 2),
}


def glibc(name: str) -> Callable[..., int] | None:
    """Return a function of glibc's allocator, None where the C library has another one (musl, macOS)."""
    return libc(name) if has("glibc-malloc") else None


def settle(environ: Mapping[str, str] = os.environ, mallopt: Callable[[int, int], int] | None = None) -> dict[str, int]:
    """Set what the environment leaves open (glibc has read it before) and return what was set. Call it early.

    Arenas that exist already stay, so it comes before threads are started.
    """
    call = mallopt or glibc("mallopt")
    missing = {name: pair for name, pair in PARAMETERS.items() if name not in environ}
    return {name: value for name, (number, value) in missing.items() if call is not None and call(number, value)}


def trim(malloc_trim: Callable[[int], int] | None = None) -> bool:
    """Give free heap pages back to the system, with no slack left (malloc_trim(3)); return True if there were any."""
    call = malloc_trim or glibc("malloc_trim")
    return bool(call is not None and call(0))
