"""fastembed itself, made to take what `fastembed.py` gives it: token ids, a directory of any model, session options.

It stays the engine: it loads the model, knows how each one pools, and tells documents from queries. Replaced in
`_Windowed`: its tokenising step passes on the ids it is given, and of ONNX Runtime's session options, of which it
offers `enable_cpu_mem_arena` alone, `spinning` is added, and memory patterns are off: ONNX Runtime keeps one for every
shape it has seen and takes a block of another size for each, so that its arena grows as long as new shapes come (16 MB
more after 20 batches, and still growing; without them 137 MB and flat, 1 % less processor time).
A model it does not know is registered from the files beside it.

fastembed, imported without the packages that only its downloads and its image models use.

The hub's client, an HTTP client and an imaging library are 0.2 of the 0.26 seconds of processor and 22 of the 30 MB
that its import takes, in every worker. A progress bar and a logger that brings asyncio are 4 MB more, and 0.1 s on a
slower processor. Here a model comes from a directory, so placeholders stand for those packages while fastembed is
imported, and Python's own logger for the other one. They are gone afterwards: who imports the packages then gets them.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import msgspec
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from importer.errors import ModelError
from importer.protocol import engines
from importer.protocol.engines import EmbeddingEngine
from importer.protocol.worker_settings import EmbedSettings
from importer.worker.embedders._gpu import check_loaded, providers
from importer.worker.embedders._openvino import OpenVinoModel

__all__ = ["ModelSource", "OnnxTextModel", "PoolingType", "TextEmbedding"]

UNUSED = {"huggingface_hub": ("file_download", "hf_api", "utils"), "requests": (), "PIL": ("Image",), "tqdm": ()}
LOGGER = "loguru"  # fastembed takes `logger` from it, and nothing else


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
    """Import fastembed, unless it is there. A version that fails with placeholders is imported whole later."""
    if "fastembed" in sys.modules:
        return
    with _placeholders():
        try:
            importlib.import_module("fastembed")
        except Exception:  # a version to come may fail in any way with placeholders
            for name in [name for name in sys.modules if name.partition(".")[0] == "fastembed"]:
                del sys.modules[name]


@contextlib.contextmanager
def _placeholders() -> Iterator[None]:
    """Put placeholders in place of packages that are not imported yet, and take them away at the end."""
    placed: list[str] = []
    if LOGGER not in sys.modules:
        sys.modules[LOGGER] = ModuleType(LOGGER)
        sys.modules[LOGGER].__dict__["logger"] = logging.getLogger("fastembed")
        placed.append(LOGGER)
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
    """Return a class by that name. Raises AttributeError for Python's own special names, as in any module."""
    if name.startswith("__"):
        raise AttributeError(name)
    return _Nothing(name, (Exception,), {})


_bring()

from fastembed import TextEmbedding  # noqa: E402
from fastembed.common.model_description import ModelSource, PoolingType  # noqa: E402
from fastembed.text.onnx_text_model import OnnxTextModel  # noqa: E402

MINILM = "sentence-transformers/all-MiniLM-L6-v2"


class PaddedWindow(NamedTuple):
    """A window padded to its run: what fastembed reads of an encoding."""

    ids: NDArray[np.int64]
    attention_mask: NDArray[np.int64]


class _Windowed:
    """Mixed into fastembed's ONNX model classes: documents arrive as rows of ids, and spinning can be switched off."""

    # fastembed hands on no other keyword arguments than these, and drops the rest without a word.
    EXPOSED_SESSION_OPTIONS = ("enable_cpu_mem_arena", "spinning", "engine", "lanes")

    @classmethod
    def add_extra_session_options(cls, session_options: Any, extra_options: Mapping[str, Any]) -> None:
        """Set the options named above: fastembed calls this before it makes the session."""
        session_options.enable_cpu_mem_arena = extra_options["enable_cpu_mem_arena"]
        session_options.enable_mem_pattern = False  # see the module's text
        spinning = str(int(extra_options["spinning"]))
        session_options.add_session_config_entry("session.intra_op.allow_spinning", spinning)

    def _load_onnx_model(
        self, model_dir: Path, model_file: str, threads: int, *, extra_session_options: Mapping[str, Any], **more: Any
    ) -> None:
        """Load the graph with the engine chosen: fastembed calls this when it is made."""
        engine: EmbeddingEngine = extra_session_options["engine"]
        if engine.name == "onnxruntime":
            given = {"model_dir": model_dir, "model_file": model_file, "threads": threads, **more}
            super()._load_onnx_model(**given, extra_session_options=extra_session_options)  # type: ignore[misc]
            return
        lanes = extra_session_options["lanes"]
        graph = str(model_dir / model_file)
        self.model = OpenVinoModel(graph, threads=threads, lanes=lanes, arithmetic=engine.arithmetic)
        self._load_tokenizer(model_dir=model_dir)  # type: ignore[attr-defined]  # of the class it is mixed into

    def tokenize(self, documents: list[PaddedWindow], **_: Any) -> list[PaddedWindow]:
        """Return the rows as they are: they are tokenised already."""
        return documents


class _Engine(TextEmbedding):  # type: ignore[misc]  # fastembed is untyped here
    """fastembed's own engine over model classes that have `_Windowed` mixed in; classes that are not ONNX stay."""

    EMBEDDINGS_REGISTRY = [  # noqa: RUF012  # fastembed's own class attribute
        type(f"Windowed{known.__name__}", (_Windowed, known), {}) if issubclass(known, OnnxTextModel) else known
        for known in TextEmbedding.EMBEDDINGS_REGISTRY
    ]


def load(chosen: EmbedSettings, threads: int, lanes: int) -> TextEmbedding:
    """Load the model in `chosen.directory`: that many threads for each run, and `lanes` runs at once.

    An engine that was not asked for by name and fails gives way to ONNX Runtime. Raises ModelError.
    """
    if not Path(chosen.directory, "tokenizer.json").is_file():
        raise ModelError(f"no model in {chosen.directory!r}: it has no tokenizer.json", hint="importer model fetch")
    usable = providers(chosen, onnxruntime.get_available_providers())
    engine = engines.choose(chosen.engine if chosen.device == "cpu" else "onnxruntime", chosen.precision)
    try:
        _register(chosen)
        loaded = _loaded(chosen, threads, lanes, engine, usable)
    except Exception as error:
        if chosen.engine == "auto" and engine.name != "onnxruntime":
            sys.stderr.write(f"{engine.name} cannot load {chosen.model}, so ONNX Runtime does: {error}\n")
            return load(msgspec.structs.replace(chosen, engine="onnxruntime"), threads, lanes)
        raise ModelError(f"cannot load {chosen.model} from {chosen.directory}: {error}") from error
    check_loaded(chosen, getattr(loaded.model, "model", None))
    return loaded


def _loaded(
    chosen: EmbedSettings, threads: int, lanes: int, engine: EmbeddingEngine, usable: Sequence[Any]
) -> TextEmbedding:
    """Load the model with this engine. Raises what fastembed and the engine raise."""
    with warnings.catch_warnings():
        # A static model has no threads and no arena, and needs none.
        warnings.filterwarnings("ignore", message=".* is a static model", category=UserWarning)
        return _Engine(
            chosen.model,
            cache_dir=chosen.directory,  # unused with a path, but fastembed would create its default in /tmp
            specific_model_path=chosen.directory,
            threads=threads,
            providers=usable,
            enable_cpu_mem_arena=chosen.arena,
            spinning=chosen.spinning,
            engine=engine,
            lanes=lanes,
        )


def _register(chosen: EmbedSettings) -> None:
    """Register a model that fastembed does not know, from the files beside it."""
    known = {description["model"].lower() for description in TextEmbedding.list_supported_models()}
    # Its registry lives as long as the process, and refuses a name that it has.
    if chosen.model.lower() in known:
        return
    files = [name for name in ("model.onnx", "onnx/model.onnx") if Path(chosen.directory, name).is_file()]
    if not files:
        raise FileNotFoundError("neither model.onnx nor onnx/model.onnx is there")
    TextEmbedding.add_custom_model(
        chosen.model,
        pooling=_pooling(chosen),
        normalization=True,
        sources=ModelSource(url=Path(chosen.directory).as_uri()),
        dim=chosen.dimension or int(beside(chosen, "config.json")["hidden_size"]),
        model_file=files[0],
    )


def _pooling(chosen: EmbedSettings) -> PoolingType:
    """Return the pooling that sentence-transformers wrote beside the model, else the mean."""
    said = beside(chosen, "1_Pooling/config.json")
    kinds = {"pooling_mode_cls_token": "cls", "pooling_mode_lasttoken": "last_token"}
    found = next((kind for key, kind in kinds.items() if said.get(key)), "mean")
    return PoolingType(found.upper())


def beside(chosen: EmbedSettings, name: str) -> dict[str, Any]:
    """Return the JSON of a file beside the model, {} where there is none."""
    path = Path(chosen.directory, name)
    found: dict[str, Any] = json.loads(path.read_bytes()) if path.is_file() else {}
    return found
