"""The contract every embedding provider keeps; a new module in the folder is picked up by itself."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import numpy as np
import pytest
from embedding_api import serving
from msgspec.structs import replace
from worker_told import embed_settings

from importer.errors import UsageError
from importer.worker import embedders
from importer.worker.embedders import Embedder

TEXTS = ["hello world", "Grüße, 世界 🌍", "one two three " * 700]


@pytest.fixture(scope="module", params=embedders.names())
def embedder(request: pytest.FixtureRequest, model_dir: str) -> Iterator[Embedder]:
    """Each provider in turn: the local one with the real model, the others against a scripted service."""
    model = "sentence-transformers/all-MiniLM-L6-v2" if request.param == "fastembed" else "some-model"
    with pytest.MonkeyPatch.context() as patch, serving() as service:
        patch.setenv("NO_PROXY", "127.0.0.1")
        settings = embed_settings(provider=request.param, model=model, directory=model_dir, window_tokens=200)
        opened = embedders.load(replace(settings, base_url=service.url, api_key="k"))
        yield opened
        opened.close()


def test_it_says_what_it_is(embedder: Embedder) -> None:
    """The model's name and the length of its vectors are known before anything is embedded."""
    assert embedder.model
    assert embedder.dimension > 0


def test_windows_are_the_whole_text(embedder: Embedder) -> None:
    """At least one window, together the text again; a long text has several."""
    windows = embedder.split(TEXTS)
    assert ["".join(window.text for window in row) for row in windows] == TEXTS
    assert all(window.tokens > 0 for row in windows for window in row)
    assert len(windows[0]) == 1 < len(windows[2])


def test_groups_hold_every_window_once(embedder: Embedder) -> None:
    """A provider may group as it likes, but loses and repeats no window."""
    groups = embedder.group([5, 900, 3, 200], 256)
    assert sorted(i for members in groups for i in members) == [0, 1, 2, 3]


def test_vectors_have_unit_length(embedder: Embedder) -> None:
    """One row a window, float32, finite, ready to be stored."""
    windows = [window for row in embedder.split(TEXTS) for window in row]
    vectors = embedder.embed(windows)
    assert vectors.shape == (len(windows), embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(windows)), abs=1e-5)


def test_a_vector_belongs_to_its_window(embedder: Embedder) -> None:
    """Neighbours and order do not matter."""
    windows = [row[0] for row in embedder.split(TEXTS)]
    together = embedder.embed(windows)
    assert embedder.embed(windows[::-1])[::-1] == pytest.approx(together, abs=1e-5)
    assert embedder.embed(windows[1:2])[0] == pytest.approx(together[1], abs=1e-5)
    assert not np.allclose(together[0], together[1])


def test_a_query_has_a_vector_of_the_same_kind(embedder: Embedder) -> None:
    """A long one too: its windows are averaged."""
    for text in ("where is it?", TEXTS[2]):
        vector = embedder.query(text)
        assert vector.shape == (embedder.dimension,)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_the_folder_holds_what_the_settings_offer() -> None:
    """Names are those of the modules that can open an embedder; shared code is not one of them."""
    assert {"fastembed", "openai", "voyage", "cohere"} <= set(embedders.names())
    assert "remote" not in embedders.names()


def test_a_dotted_name_loads_from_anywhere(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider of one's own needs no change here."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "vectors.py").write_text("def open_embedder(settings): return settings.model\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert embedders.load(embed_settings(provider="mine.vectors", model="own")) == "own"


@pytest.mark.parametrize("provider", ["unknown", "no.such.module", "http", "importer.errors"])
def test_an_unknown_provider_is_a_usage_error(provider: str) -> None:
    """With those there are in the hint."""
    with pytest.raises(UsageError) as refused:
        embedders.load(embed_settings(provider=provider))
    assert "fastembed" in refused.value.hint
