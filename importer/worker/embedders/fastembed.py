"""Local embedding with fastembed, from a directory that holds the model's files; it never touches a network.

fastembed stays the engine: it loads the model, knows how each one pools, and tells documents from queries. Two of its
steps are replaced, both in `_Windowed`:

- it cuts texts at the tokenizer's `max_length` (128 in the hub's export of all-MiniLM-L6-v2) without a word. Here a
  text is tokenised once, whole, in `split`, and its token ids travel in the windows; fastembed's own tokenising step
  passes them on. So nothing is cut, nothing is tokenised twice, and a window cut inside a word keeps its exact tokens.
- of ONNX Runtime's session options it offers `enable_cpu_mem_arena` alone; `spinning` is added.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from fastembed import TextEmbedding
from fastembed.common.model_description import ModelSource, PoolingType
from fastembed.text.onnx_text_model import OnnxTextModel
from numpy.typing import NDArray

from importer.errors import EmbedError, ModelError, UsageError
from importer.worker import tokens
from importer.worker.embedders import Window, options

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
WINDOWS = {MINILM.lower(): 256}  # its max_seq_length; the hub's ONNX export says 128 (fastembed #689)
LONGEST_WINDOW = 512  # of models that take more: attention costs the square, and chunks are about 250 tokens
SPLIT_TEXTS = 64  # texts tokenised at once: an Encoding takes some hundred bytes a token until its ids are copied


class Settings(msgspec.Struct, frozen=True):
    """What this provider reads of the embedding settings."""

    model: str = MINILM
    directory: str = ""
    dimension: int = 0
    window_tokens: int = 0
    threads: int = 0
    arena: bool = True
    spinning: bool = False
    pooling: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Encoded(Window):
    """A window with its token ids (tokens,), special tokens included."""

    ids: NDArray[np.int32]


class Row(NamedTuple):
    """A window padded to its run: what fastembed reads of an encoding."""

    ids: NDArray[np.int64]
    attention_mask: NDArray[np.int64]


class _Windowed:
    """Mixed into fastembed's ONNX model classes: documents arrive as rows of ids, and spinning can be switched off."""

    EXPOSED_SESSION_OPTIONS = ("enable_cpu_mem_arena", "spinning")

    @classmethod
    def add_extra_session_options(cls, session_options: Any, extra_options: Mapping[str, Any]) -> None:
        """Called by fastembed with the options named above, before it makes the session."""
        session_options.enable_cpu_mem_arena = extra_options["enable_cpu_mem_arena"]
        spinning = str(int(extra_options["spinning"]))
        session_options.add_session_config_entry("session.intra_op.allow_spinning", spinning)

    def tokenize(self, documents: list[Row], **_: Any) -> list[Row]:
        """They are tokenised already."""
        return documents


class _Engine(TextEmbedding):  # type: ignore[misc]  # fastembed is untyped here
    EMBEDDINGS_REGISTRY = [  # noqa: RUF012  # fastembed's own class attribute
        type(f"Windowed{known.__name__}", (_Windowed, known), {}) if issubclass(known, OnnxTextModel) else known
        for known in TextEmbedding.EMBEDDINGS_REGISTRY
    ]


def open_embedder(settings: Mapping[str, Any]) -> FastEmbedder:
    """The model in `settings["directory"]`. Raises ModelError when it cannot be loaded."""
    chosen = options(settings, Settings)
    if not Path(chosen.directory, "tokenizer.json").is_file():
        raise ModelError(f"no model in {chosen.directory!r}: it has no tokenizer.json", hint="importer model fetch")
    try:
        _register(chosen)
        engine = _Engine(
            chosen.model,
            cache_dir=chosen.directory,  # unused with a path, but fastembed would create its default in /tmp
            specific_model_path=chosen.directory,
            threads=chosen.threads or None,
            enable_cpu_mem_arena=chosen.arena,
            spinning=chosen.spinning,
        )
    except Exception as error:
        raise ModelError(f"cannot load {chosen.model} from {chosen.directory}: {error}") from error
    return FastEmbedder(engine, chosen)


def _register(chosen: Settings) -> None:
    """Tells fastembed about a model it does not know, from the files beside it."""
    known = {description["model"].lower() for description in TextEmbedding.list_supported_models()}
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
        dim=chosen.dimension or int(_json(chosen, "config.json")["hidden_size"]),
        model_file=files[0],
    )


def _pooling(chosen: Settings) -> PoolingType:
    """As set, else as sentence-transformers wrote it beside the model, else the mean."""
    said = _json(chosen, "1_Pooling/config.json")
    kinds = {"pooling_mode_cls_token": "cls", "pooling_mode_lasttoken": "last_token"}
    found = next((kind for key, kind in kinds.items() if said.get(key)), "mean")
    return PoolingType((chosen.pooling or found).upper())


def _json(chosen: Settings, name: str) -> dict[str, Any]:
    """A file beside the model, {} where there is none."""
    path = Path(chosen.directory, name)
    found: dict[str, Any] = json.loads(path.read_bytes()) if path.is_file() else {}
    return found


class FastEmbedder:
    """One fastembed model. See `Embedder`."""

    def __init__(self, engine: TextEmbedding, chosen: Settings) -> None:
        self.model = chosen.model
        self.dimension: int = engine.embedding_size
        self._engine = engine
        self._takes_ids = isinstance(engine.model, OnnxTextModel)
        self._tokenizer = engine.model.tokenizer
        self.window_tokens = _window_tokens(self._tokenizer, chosen)
        self._padding = self._tokenizer.padding or {"pad_id": 0, "direction": "right"}
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._before, self._after = _special_ids(self._tokenizer)

    def split(self, texts: Sequence[str]) -> list[list[Window]]:
        """Windows for each text: itself when it fits, else equal parts cut between words (inside one if need be)."""
        blocks = (texts[start : start + SPLIT_TEXTS] for start in range(0, len(texts), SPLIT_TEXTS))
        return [windows for block in blocks for windows in self._split(list(block))]

    def _split(self, texts: list[str]) -> list[list[Window]]:
        try:
            encodings = self._tokenizer.encode_batch(texts, add_special_tokens=False)
        except Exception as error:  # a lone surrogate, for one
            raise EmbedError(f"{self.model} cannot read the text: {type(error).__name__}: {error}") from error
        return [self._windows(text, encoding) for text, encoding in zip(texts, encodings, strict=True)]

    def _windows(self, text: str, encoding: Any) -> list[Window]:
        room = self.window_tokens - len(self._before) - len(self._after)
        ids = encoding.ids
        if len(ids) <= room:
            return [self._window(text, ids)]
        words = encoding.word_ids
        breaks = [i == 0 or word is None or word != words[i - 1] for i, word in enumerate(words)]
        spans = tokens.cut(len(ids), room, breaks)
        offsets = encoding.offsets
        edges = [0, *(offsets[start][0] for start, _ in spans[1:]), len(text)]
        return [self._window(text[a:b], ids[slice(*span)]) for a, b, span in zip(edges, edges[1:], spans, strict=False)]

    def _window(self, text: str, ids: list[int]) -> Encoded:
        whole = np.array([*self._before, *ids, *self._after], dtype=np.int32)
        return Encoded(text, len(whole), whole)

    def group(self, lengths: Sequence[int], budget_tokens: int) -> list[list[int]]:
        """Windows of like length together: see `tokens.group`."""
        return tokens.group(lengths, budget_tokens)

    def embed(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """One model run over the windows, padded to the longest: (n, dimension) at unit length."""
        documents = self._documents(windows)
        return self._collected(self._engine.passage_embed(documents, batch_size=len(documents)))

    def query(self, text: str) -> NDArray[np.float32]:
        """The question's vector (dimension,); windows of a long one are averaged."""
        windows = self.split([text])[0]
        rows = [self._collected(self._engine.query_embed(self._documents([window])))[0] for window in windows]
        return tokens.average(np.stack(rows), [window.tokens for window in windows])

    def _documents(self, windows: Sequence[Window]) -> list[Any]:
        if not self._takes_ids:
            return [window.text for window in windows]
        longest = max(window.tokens for window in windows)
        return [self._row(window, longest) for window in windows]

    def _row(self, window: Window, longest: int) -> Row:
        if not isinstance(window, Encoded):
            raise EmbedError("the window was split by another embedder")
        ids = np.full(longest, self._padding["pad_id"], dtype=np.int64)
        mask = np.zeros(longest, dtype=np.int64)
        start = longest - window.tokens if self._padding["direction"] == "left" else 0
        ids[start : start + window.tokens] = window.ids
        mask[start : start + window.tokens] = 1
        return Row(ids, mask)

    def _collected(self, vectors: Any) -> NDArray[np.float32]:
        """Foreign exceptions end here; not every model normalises by itself, so it is done for all."""
        try:
            return tokens.normalised(np.stack(list(vectors)))
        except Exception as error:
            raise EmbedError(f"{self.model} failed: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        """The model goes with the process."""


def _window_tokens(tokenizer: Any, chosen: Settings) -> int:
    """The longest window: as set, as known, or the tokenizer's. Raises UsageError beyond the model's positions."""
    said = (tokenizer.truncation or {}).get("max_length", LONGEST_WINDOW)
    window = chosen.window_tokens or WINDOWS.get(chosen.model.lower(), min(said, LONGEST_WINDOW))
    positions = _json(chosen, "config.json").get("max_position_embeddings", window)
    least = tokenizer.num_special_tokens_to_add(is_pair=False) + 1
    if not least <= window <= positions:
        raise UsageError(f"window_tokens = {window}: {chosen.model} takes {least} to {positions} tokens")
    return window


def _special_ids(tokenizer: Any) -> tuple[list[int], list[int]]:
    """Ids the model wants before and after a text, read off a text encoded with and without them."""
    bare = tokenizer.encode("a", add_special_tokens=False).ids
    full = tokenizer.encode("a", add_special_tokens=True).ids
    starts = (i for i in range(len(full)) if full[i : i + len(bare)] == bare)
    at = next(starts, 0)
    return full[:at], full[at + len(bare) :]
