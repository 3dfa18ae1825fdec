"""The library that unpacks Zstandard: Python's own from 3.14 on, its backport before; loaded when it is needed."""

from __future__ import annotations

import importlib
from typing import Any


def library() -> Any:
    """Return the module `compression.zstd`, or its backport, which has the same names."""
    try:
        return importlib.import_module("compression.zstd")
    except ImportError:
        return importlib.import_module("backports.zstd")


def unpacker(window_log: int) -> Any:
    """Return what unpacks one frame, whose window may have 2 to the power of `window_log` bytes."""
    zstd = library()
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: window_log})
