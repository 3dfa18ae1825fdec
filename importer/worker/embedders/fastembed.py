"""Local embedding with fastembed, from a directory that holds the model's files; it never touches a network.

fastembed cuts texts at the tokenizer's `max_length` (128 in the hub's export of all-MiniLM-L6-v2) without a word. Here
a text is tokenised once, whole, in `split`, and its token ids travel in the windows; `fastembed_engine` makes fastembed
take them. So nothing is cut, nothing is tokenised twice, and a window cut inside a word keeps its exact tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from importer.errors import EmbedError, UsageError
from importer.protocol.system.capabilities import cores
from importer.protocol.worker_settings import EmbedSettings
from importer.worker import token_budget
from importer.worker.embedders import Window
from importer.worker.embedders._fastembed_engine import MINILM, OnnxTextModel, PaddedWindow, TextEmbedding, beside, load
from importer.worker.models import footprint
from importer.worker.models.catalog import LONGEST_WINDOW
from importer.worker.models.prompts import prompts_of

WINDOWS = {MINILM.lower(): 256}  # its max_seq_length; the hub's ONNX export says 128 (fastembed #689)
MOST_LANES = 4  # each holds the tensors of a run of its own
SPLIT_TEXTS = 64  # texts tokenised at once: an Encoding takes some hundred bytes a token until its ids are copied


@dataclass(frozen=True, slots=True, eq=False)
class Encoded(Window):
    """A window with its token ids (tokens,), special tokens included."""

    ids: NDArray[np.int32]


def open_embedder(settings: EmbedSettings) -> FastEmbedder:
    """Load the model in `settings.directory`; 0 threads are one for each core. Raises ModelError."""
    threads = settings.threads or cores()
    # One thread for each, as long as there are few: a run's small operations use one core of any number.
    lanes = min(threads, MOST_LANES) if settings.device == "cpu" else 1  # a GPU has one run at a time
    return FastEmbedder(load(settings, max(1, threads // lanes), lanes), settings, lanes)


class FastEmbedder:
    """One fastembed model. See `Embedder`."""

    def __init__(self, engine: TextEmbedding, chosen: EmbedSettings, lanes: int) -> None:
        self.lanes = lanes
        self.model = chosen.model
        self.dimension: int = engine.embedding_size
        self.run_bytes = footprint.run_bytes(beside(chosen, "config.json"))
        self._engine = engine
        self._takes_ids = isinstance(engine.model, OnnxTextModel)
        runtime = getattr(engine.model, "model", None)
        self._step, self._run_factor = (int(getattr(runtime, name, 1)) for name in ("step", "run_factor"))
        self._tokenizer = engine.model.tokenizer
        # Both are read off the tokenizer before the two lines below switch them off; `split` cuts, `_row` pads.
        self.window_tokens = _window_tokens(self._tokenizer, chosen)
        self._padding = self._tokenizer.padding or {"pad_id": 0, "direction": "right"}
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._before, self._after = _special_ids(self._tokenizer)
        wanted = prompts_of(chosen.model, beside(chosen, "config_sentence_transformers.json"))
        self._passage, self._question = self._prompt(wanted.passage), self._prompt(wanted.query)

    def split(self, texts: Sequence[str]) -> list[list[Window]]:
        """Return windows for each text: itself when it fits, else equal parts cut between words if it can be."""
        blocks = (texts[start : start + SPLIT_TEXTS] for start in range(0, len(texts), SPLIT_TEXTS))
        return [windows for block in blocks for windows in self._split(list(block), self._passage)]

    def _prompt(self, text: str) -> list[int]:
        """Return the tokens of what the model wants before a text; they stand before each window of it.

        White space at its end is the beginning of the next word to every tokenizer, so it is not in its own tokens.
        """
        return list(self._tokenizer.encode(text.rstrip(" "), add_special_tokens=False).ids) if text else []

    def _split(self, texts: list[str], prompt: list[int]) -> list[list[Window]]:
        """Tokenise one block together. Raises EmbedError for the whole block when one text cannot be read."""
        try:
            encodings = self._tokenizer.encode_batch(texts, add_special_tokens=False)
        except Exception as error:  # a lone surrogate, for one
            raise EmbedError(f"{self.model} cannot read the text: {type(error).__name__}: {error}") from error
        return [self._windows(text, encoding, prompt) for text, encoding in zip(texts, encodings, strict=True)]

    def _windows(self, text: str, encoding: Any, prompt: list[int]) -> list[Window]:
        """Return the windows of one text; their texts are cut at the characters where their first tokens begin."""
        room = max(1, self.window_tokens - len(self._before) - len(prompt) - len(self._after))
        ids = encoding.ids
        if len(ids) <= room:
            return [self._window(text, [*prompt, *ids])]
        words = encoding.word_ids
        breaks = [i == 0 or word is None or word != words[i - 1] for i, word in enumerate(words)]
        spans = token_budget.cut(len(ids), room, breaks)
        offsets = encoding.offsets
        # White space between two windows goes to the first, so that the texts together are the whole text.
        edges = [0, *(offsets[start][0] for start, _ in spans[1:]), len(text)]
        parts = zip(edges, edges[1:], spans, strict=False)
        return [self._window(text[a:b], [*prompt, *ids[slice(*span)]]) for a, b, span in parts]

    def _window(self, text: str, ids: list[int]) -> Encoded:
        """Return a window of own tokens with the special ones around them, which make it a text of its own."""
        whole = np.array([*self._before, *ids, *self._after], dtype=np.int32)
        return Encoded(text, len(whole), whole)

    def group(self, lengths: Sequence[int], budget_tokens: int) -> list[list[int]]:
        """Group windows of like length: see `token_budget.group`."""
        return token_budget.group([self._width(length) for length in lengths], budget_tokens * self._run_factor)

    def _width(self, tokens: int) -> int:
        """Return how wide a run is that has a window of so many tokens."""
        return max(tokens, min(-(-tokens // self._step) * self._step, self.window_tokens))

    def embed(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """Run the model once over the windows, padded to the longest: (n, dimension) at unit length."""
        documents = self._documents(windows)
        # One run for any count: fastembed would cut at 256 and run the parts one after the other.
        return self._collected(self._engine.passage_embed(documents, batch_size=len(documents)))

    def query(self, text: str) -> NDArray[np.float32]:
        """Return the question's vector (dimension,); windows of a long one are averaged."""
        windows = self._split([text], self._question)[0]
        rows = [self._collected(self._engine.query_embed(self._documents([window])))[0] for window in windows]
        return token_budget.average(np.stack(rows), [window.tokens for window in windows])

    def _documents(self, windows: Sequence[Window]) -> list[Any]:
        """Return rows as wide as the longest window, or texts where fastembed's class tokenises by itself."""
        if not self._takes_ids:
            return [window.text for window in windows]
        longest = self._width(max(window.tokens for window in windows))
        return [self._row(window, longest) for window in windows]

    def _row(self, window: Window, longest: int) -> PaddedWindow:
        """Return ids and mask, each (longest,), with the padding on the side where the tokenizer has it."""
        if not isinstance(window, Encoded):
            raise EmbedError("the window was split by another embedder")
        ids = np.full(longest, self._padding["pad_id"], dtype=np.int64)
        mask = np.zeros(longest, dtype=np.int64)
        start = longest - window.tokens if self._padding["direction"] == "left" else 0
        ids[start : start + window.tokens] = window.ids
        mask[start : start + window.tokens] = 1
        return PaddedWindow(ids, mask)

    def _collected(self, vectors: Any) -> NDArray[np.float32]:
        """Foreign exceptions end here; not every model normalises by itself, so it is done for all."""
        try:
            return token_budget.normalised(np.stack(list(vectors)))
        except Exception as error:
            raise EmbedError(f"{self.model} failed: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Do nothing: the model goes with the process."""


def _window_tokens(tokenizer: Any, chosen: EmbedSettings) -> int:
    """Return the longest window: as set, as known, or the tokenizer's. Raises UsageError beyond the model's positions.

    Call it before truncation is switched off, for that is what it looks at.
    """
    said = (tokenizer.truncation or {}).get("max_length", LONGEST_WINDOW)
    window = chosen.window_tokens or WINDOWS.get(chosen.model.lower(), min(said, LONGEST_WINDOW))
    positions = beside(chosen, "config.json").get("max_position_embeddings", window)
    least = tokenizer.num_special_tokens_to_add(is_pair=False) + 1
    if not least <= window <= positions:
        raise UsageError(f"window_tokens = {window}: {chosen.model} takes {least} to {positions} tokens")
    return window


def _special_ids(tokenizer: Any) -> tuple[list[int], list[int]]:
    """Return the ids the model wants before and after a text, read off a text encoded with and without them."""
    bare = tokenizer.encode("a", add_special_tokens=False).ids
    full = tokenizer.encode("a", add_special_tokens=True).ids
    starts = (i for i in range(len(full)) if full[i : i + len(bare)] == bare)  # special tokens may stand on both sides
    at = next(starts, 0)
    return full[:at], full[at + len(bare) :]
