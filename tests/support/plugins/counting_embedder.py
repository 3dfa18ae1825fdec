"""The fake embedder, with a note of every text it embeds in the file named by IMPORTER_PLUGIN_COUNTED_TEXTS."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from importer.plugin.embedders import EmbedSettings, Window
from plugins.fake_embedder import DIMENSION, FakeEmbedder


class CountingEmbedder(FakeEmbedder):
    """A line for each window, before it is embedded."""

    def embed(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """See `FakeEmbedder`."""
        with open(os.environ["IMPORTER_PLUGIN_COUNTED_TEXTS"], "a", encoding="ascii") as file:
            file.writelines(f"{hashlib.sha256(window.text.encode()).hexdigest()}\n" for window in windows)
        return super().embed(windows)


def open_embedder(settings: EmbedSettings) -> CountingEmbedder:
    """What the worker calls."""
    return CountingEmbedder(settings.model, settings.dimension or DIMENSION)
