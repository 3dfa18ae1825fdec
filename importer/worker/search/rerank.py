"""Read the question together with the best passages and order the first conversations by that: a cross-encoder.

Off unless `search.rerank` names a model of fastembed's cross-encoders, or a directory with the files of one (laid out
as on the hub: `onnx/model.onnx`, `tokenizer.json` and the three JSON files beside it). Ten pairs a question at most, so
a small model adds some ten milliseconds. How much it gains has to be measured with the model: `importer bench recall`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from importer.errors import ModelError
from importer.protocol.worker_settings import EmbedSettings

MOST_CONVERSATIONS = 10
MOST_CHARS = 1_500  # of a passage: about what such models read
LAYOUT = "Xenova/ms-marco-MiniLM-L-6-v2"  # whose files a directory is expected to have


class Reranker(Protocol):
    """A model that reads a question and a passage together."""

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """Return a score for each passage; a higher one answers better."""


class CrossEncoder:
    """One of fastembed's cross-encoders, loaded."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """Return the model's own scores."""
        cut = [text[:MOST_CHARS] for text in passages]
        return [float(score) for score in self._encoder.rerank(question, cut)] if cut else []


def load(name: str, embed: EmbedSettings) -> CrossEncoder:
    """Load a cross-encoder by name (from the cache or the hub) or directory. Raises ModelError if it cannot be had."""
    from fastembed.rerank.cross_encoder import TextCrossEncoder  # noqa: PLC0415  most workers rerank nothing

    directory = os.path.isdir(name)
    more = {"specific_model_path": name} if directory else {"local_files_only": embed.offline}
    try:
        encoder = TextCrossEncoder(
            LAYOUT if directory else name, cache_dir=embed.model_dir or None, threads=embed.threads or None, **more
        )
    except Exception as error:  # fastembed, the hub and ONNX Runtime raise what they like
        hint = "check search.rerank, or leave it empty to search without it"
        raise ModelError(f"the cross-encoder {name!r} cannot be loaded: {error}", hint=hint) from error
    return CrossEncoder(encoder)


def order(scores: Iterable[float]) -> list[int]:
    """Return places by score, the best first; equal ones stay as they were."""
    return [place for place, _ in sorted(enumerate(scores), key=lambda found: -found[1])]
