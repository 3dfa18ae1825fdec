"""An embedder that leaks: every model run keeps `LEAKY_MB` (20) more, touched, so that it is resident.

Named by `IMPORTER_EMBED_PROVIDER=plugins.leaky_embedder`; its variables begin with `IMPORTER_PLUGIN_`. `LEAKY_MS` slows
each run down, so that there is an import to disturb; `LEAKY_LOG` names a file that gets a line for each text embedded,
so that what is embedded twice stands there twice. `LEAKY_RUNS` names one that gets the process and the tokens of each
run. `LEAKY_BALLOON_KB` are taken for each token, held for `LEAKY_HOLD_MS` and given back, as a model does that needs
more for larger runs.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from importer.plugin.embedders import EmbedSettings, Window
from plugins.fake_embedder import DIMENSION, FakeEmbedder

MB = 1024 * 1024


class LeakyEmbedder(FakeEmbedder):
    """See the module."""

    def __init__(self, model: str, dimension: int, environ: Mapping[str, str] = os.environ) -> None:
        super().__init__(model, dimension)
        self._leak_bytes = int(environ.get("IMPORTER_PLUGIN_LEAKY_MB", "20")) * MB
        self._slow_s = int(environ.get("IMPORTER_PLUGIN_LEAKY_MS", "0")) / 1000
        self._log = environ.get("IMPORTER_PLUGIN_LEAKY_LOG", "")
        self._runs = environ.get("IMPORTER_PLUGIN_LEAKY_RUNS", "")
        self._balloon_bytes = int(environ.get("IMPORTER_PLUGIN_LEAKY_BALLOON_KB", "0")) * 1024
        self._hold_s = int(environ.get("IMPORTER_PLUGIN_LEAKY_HOLD_MS", "0")) / 1000
        self._kept: list[bytes] = []

    def embed(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """Vectors (n, dimension), and a leak."""
        self._kept.append(b"\1" * self._leak_bytes)
        time.sleep(self._slow_s)
        tokens = max(window.tokens for window in windows) * len(windows)
        if self._runs:
            with open(self._runs, "a", encoding="utf-8") as file:
                file.write(f"{os.getpid()} {tokens}\n")
        if self._balloon_bytes:
            balloon = b"\1" * (self._balloon_bytes * tokens)
            time.sleep(self._hold_s)
            del balloon
        if self._log:
            with open(self._log, "a", encoding="utf-8") as file:
                file.writelines(hashlib.sha256(one.text.encode()).hexdigest() + "\n" for one in windows)
        return super().embed(windows)


def open_embedder(settings: EmbedSettings) -> LeakyEmbedder:
    """What the worker calls."""
    return LeakyEmbedder(settings.model, settings.dimension or DIMENSION)
