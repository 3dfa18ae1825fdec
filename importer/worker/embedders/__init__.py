"""What embeds: a provider is one module of this folder, found by its name, or any `package.module`.

A provider offers `open_embedder(settings: EmbedSettings) -> Embedder`.

An embedder raises `EmbedError` for texts it refuses or cannot do, `EmbedUnreachable` when trying later can help, and
`ModelError` when the model itself is not to be had (unknown, damaged, wrong key).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from importer.errors import UsageError
from importer.protocol.worker_settings import EmbedSettings


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of a text that fits the model at once. `tokens` is what the model runs over, special tokens included."""

    text: str
    tokens: int


class Embedder(Protocol):
    """One model, ready to run. One whose `embed` may be called by several threads at once says how many as `lanes`;
    its `split` is then called while they run, too. One that costs may have `reserve(tokens)`, called before the first
    of a batch's runs, which raises what `embed` raises: what a batch cost that is given up half-way is lost.
    """

    @property
    def model(self) -> str:
        """Its name, from which the vector's name in the store is made."""

    @property
    def dimension(self) -> int:
        """Length of its vectors."""

    def split(self, texts: Sequence[str]) -> list[list[Window]]:
        """Return windows for each text: at least one, none longer than the model takes, together the whole text."""

    def group(self, lengths: Sequence[int], budget_tokens: int) -> list[list[int]]:
        """Return the positions of windows to embed in one run each, given their tokens and what a run may take."""

    def embed(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """Make one run: vectors (n, dimension) at unit length, for windows that came from `split`."""

    def query(self, text: str) -> NDArray[np.float32]:
        """Return the vector (dimension,) at unit length to search with; a long question is averaged, never cut."""

    def close(self) -> None:
        """Close connections."""


def names() -> tuple[str, ...]:
    """Return the names of the providers in this folder. Imports each of them."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(name for name in found if hasattr(importlib.import_module(f"{__name__}.{name}"), "open_embedder"))


def load(settings: EmbedSettings) -> Embedder:
    """Return the embedder of `settings.provider`. Raises UsageError for a provider that does not exist."""
    embedder: Embedder = module_of(settings.provider).open_embedder(settings)
    return embedder


def module_of(provider: str) -> ModuleType:
    """Import and return the module of a provider. Raises UsageError for one that does not exist."""
    path = provider if "." in provider else f"{__name__}.{provider}"
    try:
        module = importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not path.startswith(error.name):
            raise  # the provider exists; what it needs does not
        raise UsageError(f"no embedding provider {provider!r}", hint=f"there are {', '.join(names())}") from error
    if not hasattr(module, "open_embedder"):
        raise UsageError(f"{path} offers no open_embedder(settings)", hint=f"there are {', '.join(names())}")
    return module
