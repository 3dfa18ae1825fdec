"""fastembed, imported without the packages that only its downloads and its image models use.

The hub's client, an HTTP client and an imaging library are 0.2 of the 0.26 seconds of processor and 22 of the 30 MB
that its import takes, in every worker. Here a model comes from a directory, so placeholders stand for those packages
while fastembed is imported. They are gone afterwards: who imports the packages then gets the packages.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

__all__ = ["ModelSource", "OnnxTextModel", "PoolingType", "TextEmbedding"]

UNUSED = {
    "huggingface_hub": ("file_download", "hf_api", "utils"),
    "requests": (),
    "PIL": ("Image",),
}


class _Nothing(type):
    """The class of everything in a placeholder: does for annotations, unions, base classes and `except`."""

    def __getattr__(cls, name: str) -> type:
        return _nothing(name)

    def __call__(cls, *_: object, **__: object) -> object:
        raise RuntimeError(f"fastembed wants {cls.__name__}, without which it was imported; see {__name__}")


class _Placeholder(ModuleType):
    """A module in which every name is there."""

    def __getattr__(self, name: str) -> type:
        return _nothing(name)


def _bring() -> None:
    """Imports fastembed, unless it is there. A version that does not put up with placeholders is left to be imported
    whole, as anything is.
    """
    if "fastembed" in sys.modules:
        return
    with _placeholders():
        try:
            importlib.import_module("fastembed")
        except Exception:  # whatever a version to come may do with what is nothing
            for name in [name for name in sys.modules if name.partition(".")[0] == "fastembed"]:
                del sys.modules[name]


@contextlib.contextmanager
def _placeholders() -> Iterator[None]:
    """In place of packages that nobody has imported yet; taken away at the end."""
    placed: list[str] = []
    for package, modules in UNUSED.items():
        if package not in sys.modules:
            parent = sys.modules[package] = _Placeholder(package)
            placed.append(package)
            for module in modules:
                child = sys.modules[f"{package}.{module}"] = _Placeholder(f"{package}.{module}")
                setattr(parent, module, child)
                placed.append(f"{package}.{module}")
    try:
        yield
    finally:
        for name in placed:
            del sys.modules[name]


def _nothing(name: str) -> type:
    """A class by that name. Python's own special names are not there, as in any module."""
    if name.startswith("__"):
        raise AttributeError(name)
    return _Nothing(name, (Exception,), {})


_bring()

from fastembed import TextEmbedding  # noqa: E402
from fastembed.common.model_description import ModelSource, PoolingType  # noqa: E402
from fastembed.text.onnx_text_model import OnnxTextModel  # noqa: E402
