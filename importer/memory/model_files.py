"""Estimate what a worker takes at least, by the size of its model's files, before any worker has measured it.

    least = libraries and store + graph + rest of a first small batch

A graph's weights are in anonymous memory once: ONNX Runtime copies them, or packs them anew where it maps the file.
Measured with ONNX Runtime 1.32: 35 MB for Python and its libraries, 131 MB with a graph of 86 MB in one file, 87 MB
with the same graph whose table of words is mapped from a file beside it; the open store is 18 MB more.
"""

from __future__ import annotations

import glob
import os

from importer.memory.profiles import FLOOR_BYTES
from importer.protocol.units import MB
from importer.settings.schema import LOCAL, Settings

LIBRARIES_BYTES = 65 * MB  # with tokenizer and open store
FIRST_BATCH_BYTES = 20 * MB


def folder_of(settings: Settings) -> str:
    """Return the directory in which the files of a local model are, or will be."""
    named = os.path.expanduser(settings.embed.model)
    if named.startswith(("/", "./", "../")) or named in {".", ".."}:
        return named
    suffix = "" if settings.embed.precision == "fp32" else f".{settings.embed.precision}"
    models = settings.embed.model_dir or os.path.join(settings.state_dir, "models")
    return os.path.join(models, named.replace("/", "--") + suffix)


def floor_of(settings: Settings) -> int:
    """Return the least that a worker needs with the model of the settings; FLOOR_BYTES where its files are not here."""
    if settings.embed.provider != LOCAL:
        return FLOOR_BYTES
    folder = glob.escape(folder_of(settings))
    graphs = [*glob.glob(os.path.join(folder, "*.onnx")), *glob.glob(os.path.join(folder, "onnx", "*.onnx"))]
    # Of several (fp32, int8, …) one is loaded: the smallest is the least. Weights beside a graph are packed anew.
    sizes = [_bytes(path) + max(_bytes(path + "_data"), _bytes(path + ".data")) // 2 for path in graphs]
    return max(FLOOR_BYTES, LIBRARIES_BYTES + FIRST_BATCH_BYTES + min(sizes, default=0))


def _bytes(path: str) -> int:
    """Return a file's size, 0 where it is not there."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
