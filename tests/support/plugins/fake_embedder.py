"""An embedder for tests: vectors from hashes, the same for the same words, without a model.

Named by `IMPORTER_EMBED_PROVIDER=plugins.fake_embedder` with `tests` on PYTHONPATH. Texts that share words are near
each other, a window holds 64 words, and a text cut into windows loses none of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from importer.plugin.embedders import EmbedSettings, Window, group, normalised

WINDOW_WORDS = 64
DIMENSION = 384


class FakeEmbedder:
    """See the module. `model` and `dimension` are what the settings say."""

    def __init__(self, model: str, dimension: int) -> None:
        self.model = model
        self.dimension = dimension

    def split(self, texts: Sequence[str]) -> list[list[Window]]:
        """Windows of 64 words; two tokens more, as a model adds them."""
        return [[Window(" ".join(part), len(part) + 2) for part in _parts(text.split())] for text in texts]

    def group(self, lengths: Sequence[int], budget_tokens: int) -> list[list[int]]:
        """As for a local model."""
        return group(lengths, budget_tokens)

    def embed(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """Vectors (n, dimension) at unit length."""
        return normalised(np.stack([self._sum(window.text) for window in windows]))

    def query(self, text: str) -> NDArray[np.float32]:
        """The vector (dimension,) of a question."""
        vector: NDArray[np.float32] = normalised(self._sum(text)[np.newaxis])[0]
        return vector

    def close(self) -> None:
        """There is nothing to let go of."""

    def _sum(self, text: str) -> NDArray[np.float64]:
        """Plus and minus one at places that the words' hashes choose; never the zero vector."""
        vector = np.full(self.dimension, 1e-3)
        for word in text.lower().split():
            digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=16).digest()
            for at in range(0, 16, 4):
                place = int.from_bytes(digest[at : at + 3], "big") % self.dimension
                vector[place] += 1.0 if digest[at + 3] & 1 else -1.0
        return vector


def _parts(words: list[str]) -> list[list[str]]:
    return [words[at : at + WINDOW_WORDS] for at in range(0, len(words), WINDOW_WORDS)] or [[]]


def open_embedder(settings: EmbedSettings) -> FakeEmbedder:
    """What the worker calls."""
    return FakeEmbedder(settings.model, settings.dimension or DIMENSION)
