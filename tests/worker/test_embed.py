"""Chunks to vectors over a model that is a pure function of letters: every chunk once, whole, checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from importer.errors import EmbedError
from importer.worker import token_budget
from importer.worker.embed import Embedded, embed_chunks
from importer.worker.embedders import Window

TEXTS = st.lists(st.text("abcdefgh", min_size=1, max_size=25), max_size=20)
ROOM = 4


class Letters:
    """An embedder of four letters a window, one token each; a vector counts the letters. `spoil` may damage a run."""

    model = "letters"
    dimension = 8

    def __init__(
        self, spoil: Callable[[list[str], NDArray[np.float32]], NDArray[np.float32]] | None = None, lanes: int = 1
    ) -> None:
        self.lanes = lanes
        self.runs: list[list[str]] = []
        self._spoil = spoil or (lambda texts, vectors: vectors)

    def split(self, texts: Sequence[str]) -> list[list[Window]]:
        parts = [[text[i : i + ROOM] for i in range(0, len(text), ROOM)] for text in texts]
        return [[Window(part, len(part)) for part in row] for row in parts]

    def group(self, lengths: Sequence[int], budget_tokens: int) -> list[list[int]]:
        return token_budget.group(lengths, budget_tokens)

    def embed(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        texts = [window.text for window in windows]
        self.runs.append(texts)
        return self._spoil(texts, token_budget.normalised(np.array([count(window.text) for window in windows])))


def count(text: str) -> list[int]:
    return [text.count(letter) for letter in "abcdefgh"]


def embedded(texts: Sequence[str], budget: int = 8, embedder: Letters | None = None) -> list[Embedded]:
    return list(embed_chunks(embedder or Letters(), texts, budget, between=lambda indexes: None))


@given(TEXTS, st.integers(1, 64), st.integers(1, 3))
def test_every_chunk_comes_out_once(texts: list[str], budget: int, lanes: int) -> None:
    """For any runs, and any number of them at once, each position has exactly one vector."""
    parts = embedded(texts, budget, Letters(lanes=lanes))
    assert sorted(i for part in parts for i in part.indexes) == list(range(len(texts)))
    assert all(part.vectors.shape == (len(part.indexes), 8) for part in parts)


@given(TEXTS, st.integers(1, 64), st.integers(1, 3))
def test_a_chunk_is_the_weighted_mean_of_its_windows(texts: list[str], budget: int, lanes: int) -> None:
    """Also when they were run apart or at once: no window counts for another chunk, none is lost."""
    for part in embedded(texts, budget, Letters(lanes=lanes)):
        for index, vector in zip(part.indexes, part.vectors, strict=True):
            windows = [texts[index][i : i + ROOM] for i in range(0, len(texts[index]), ROOM)]
            rows = token_budget.normalised(np.array([count(window) for window in windows]))
            assert vector == pytest.approx(token_budget.average(rows, [len(window) for window in windows]), abs=1e-6)


@given(TEXTS, st.integers(1, 64))
def test_tokens_and_windows_are_counted_once(texts: list[str], budget: int) -> None:
    """The real tokens of all runs add up to the texts'."""
    parts = embedded(texts, budget)
    assert sum(part.tokens for part in parts) == sum(map(len, texts))
    assert sum(part.windows for part in parts) == sum(-(-len(text) // ROOM) for text in texts)


def test_between_names_the_chunks_of_the_next_run() -> None:
    """They are told before the model sees them, once each, and only they."""
    embedder, told = Letters(), []
    texts = ["aaaa", "bb", "ccccc"]
    for _ in embed_chunks(embedder, texts, 4, between=lambda indexes: told.append((len(embedder.runs), indexes))):
        pass
    assert [runs for runs, _ in told] == list(range(len(embedder.runs)))
    assert [{"abc".index(text[0]) for text in run} for run in embedder.runs] == [set(indexes) for _, indexes in told]


def test_between_names_all_that_are_in_the_model() -> None:
    """With two lanes, the runs under way share what they may take, and both are to blame for a death."""
    told: list[Sequence[int]] = []
    list(embed_chunks(Letters(lanes=2), ["aaaa", "bbbb", "cccc"], 8, between=told.append))
    assert [len(one) for one in told[:2]] == [1, 2]
    assert set(told[0]) < set(told[1])
    assert (len(told), {index for one in told for index in one}) == (3, {0, 1, 2})


def test_a_chunk_waits_for_its_last_window() -> None:
    """A chunk spread over runs is completed by the last; a run may complete none."""
    parts = embedded(["aaaabbbbcc"], budget=4)
    assert [part.indexes for part in parts] == [(), (), (0,)]


def test_it_is_a_stream() -> None:
    """A run's vectors are handed over before the next run starts, so that storing can go on beside it."""
    embedder = Letters()
    stream = embed_chunks(embedder, ["aaaa", "bbbb"], 4, between=lambda indexes: None)
    next(stream)
    assert len(embedder.runs) == 1


def test_nothing_to_embed_runs_nothing() -> None:
    """An empty batch is no call of the model."""
    embedder = Letters()
    assert embedded([], embedder=embedder) == []
    assert embedder.runs == []


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, 0.5])
def test_a_bad_vector_is_blamed_on_its_chunk(value: float) -> None:
    """NaN, infinity, zero or a wrong length never comes out, and the neighbours are not accused."""

    def spoil(texts: list[str], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        vectors[[text == "poi" for text in texts]] = value
        return vectors

    with pytest.raises(token_budget.VectorsRefused) as refused:
        embedded(["abc", "def", "poi", "gha"], 64, Letters(spoil))
    assert refused.value.rows == (2,)


def test_windows_that_cancel_out_are_refused() -> None:
    """An average without a direction is not stored either."""

    def opposite(texts: list[str], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.array([[1 if text == "aaaa" else -1, *[0] * 7] for text in texts], np.float32)

    with pytest.raises(token_budget.VectorsRefused) as refused:
        embedded(["cccc", "aaaabbbb"], 64, Letters(opposite))
    assert refused.value.rows == (1,)


@pytest.mark.parametrize("shape", [(1, 8), (3, 8), (2, 7)])
def test_a_wrong_number_or_dimension_is_refused(shape: tuple[int, int]) -> None:
    """Vectors that cannot be told apart blame no chunk in particular."""
    embedder = Letters(lambda texts, vectors: np.ones(shape, np.float32))
    with pytest.raises(EmbedError, match="shape") as refused:
        embedded(["aa", "bb"], 64, embedder)
    assert refused.value.rows == ()


def test_what_was_done_before_a_failure_is_kept() -> None:
    """The longest run came out before the bad one: its chunk need not be embedded again."""

    def spoil(texts: list[str], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        return vectors * (np.nan if "b" in texts else 1)

    stream = embed_chunks(Letters(spoil), ["aaaa", "b"], 4, between=lambda indexes: None)
    assert next(stream).indexes == (0,)
    with pytest.raises(token_budget.VectorsRefused):
        next(stream)
