"""The local provider against fastembed itself and the real model: same vectors, and no token ever lost."""

from __future__ import annotations

import pathlib
import shutil
from typing import Any

import numpy as np
import pytest
from fastembed import TextEmbedding
from hypothesis import given, settings
from hypothesis import strategies as st
from worker_told import embed_settings

from importer.errors import EmbedError, ModelError, UsageError
from importer.worker.embedders import Window
from importer.worker.embedders._fastembed_engine import MINILM
from importer.worker.embedders.fastembed import FastEmbedder, open_embedder

LINE = "def read(path): return open(path).read()  # é 世界 한국어 naïve 🌍🏽 e\u0301 "
ALPHABETS = [st.characters(exclude_categories=["Cs"]), st.sampled_from("ab .,\n\tÉ世한🌍\u0301_#[]"), st.just("x")]
HARD = st.one_of(*(st.text(alphabet, max_size=700) for alphabet in ALPHABETS), st.text("aB3+/=", max_size=3000))


@pytest.fixture(scope="module")
def embedder(model_dir: str) -> FastEmbedder:
    return opened(model_dir)


@pytest.fixture(scope="module")
def narrow(model_dir: str) -> FastEmbedder:
    """The same model with windows of 16 tokens, so that short texts are cut."""
    return opened(model_dir, window_tokens=16)


def opened(model_dir: str, **more: Any) -> FastEmbedder:
    return open_embedder(embed_settings(**{"model": MINILM, "directory": model_dir, "engine": "onnxruntime", **more}))


def own_ids(embedder: FastEmbedder, text: str) -> list[int]:
    """The text's tokens, all of them, without special ones."""
    return embedder._tokenizer.encode(text, add_special_tokens=False).ids


def test_hello_world(embedder: FastEmbedder) -> None:
    """The published model's vector for it."""
    [[window]] = embedder.split(["hello world"])
    assert embedder.embed([window])[0][:5] == pytest.approx([-0.0345, 0.0310, 0.0067, 0.0261, -0.0394], abs=1e-4)
    assert window.tokens == 4  # [CLS] hello world [SEP]


def test_vectors_are_those_of_fastembed(embedder: FastEmbedder, model_dir: str) -> None:
    """Passing on ids instead of texts changes nothing, for documents and for queries."""
    plain = TextEmbedding(MINILM, specific_model_path=model_dir, cache_dir=model_dir)
    texts = ["hello world", LINE, "a" * 50]
    windows = [row[0] for row in embedder.split(texts)]
    assert embedder.embed(windows) == pytest.approx(np.stack(list(plain.passage_embed(texts))), abs=1e-6)
    assert embedder.query(LINE) == pytest.approx(next(iter(plain.query_embed(LINE))), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(text=HARD)
def test_no_token_is_lost(narrow: FastEmbedder, text: str) -> None:
    """The windows' tokens, special ones aside, are exactly the text's, in order, and each window fits."""
    [windows] = narrow.split([text])
    ids = [window.ids.tolist() for window in windows]
    assert [i for row in ids for i in row[1:-1]] == own_ids(narrow, text)
    assert all(
        (row[0], row[-1]) == (101, 102) and len(row) == window.tokens <= 16
        for row, window in zip(ids, windows, strict=True)
    )
    assert "".join(window.text for window in windows) == text


@settings(max_examples=60, deadline=None)
@given(words=st.lists(st.text("abcdeé世", min_size=1, max_size=4), max_size=80))
def test_windows_of_words_read_alone_are_the_same(narrow: FastEmbedder, words: list[str]) -> None:
    """Cut between words, a window's text has the tokens the window has."""
    [windows] = narrow.split([" ".join(words)])
    assert [own_ids(narrow, window.text) for window in windows] == [window.ids.tolist()[1:-1] for window in windows]


def test_the_end_of_a_long_text_counts(embedder: FastEmbedder) -> None:
    """Two texts that differ only far beyond the window have different vectors (fastembed alone gives the same)."""
    first, second = (LINE * 40 + end for end in ("the cat sat on the mat", "quarterly revenue fell sharply"))
    assert not np.allclose(embedder.query(first), embedder.query(second), atol=1e-3)


@pytest.mark.parametrize("length", [253, 254, 255, 508, 509])
def test_a_text_is_cut_only_where_it_must_be(embedder: FastEmbedder, length: int) -> None:
    """256 tokens a window, two of them special; the parts are about equal."""
    [windows] = embedder.split(["x " * length])
    assert len(windows) == -(-length // 254)
    assert max(window.tokens for window in windows) - min(window.tokens for window in windows) <= 1


def test_padding_does_not_change_a_vector(embedder: FastEmbedder) -> None:
    """A short window beside a long one has the vector it has alone."""
    [[short], [long]] = embedder.split(["hello", "word " * 200])
    assert embedder.embed([short, long])[0] == pytest.approx(embedder.embed([short])[0], abs=1e-6)


def test_the_window_is_the_models_own_not_the_tokenizers(model_dir: str, tmp_path: pathlib.Path) -> None:
    """The hub's export says 128 (fastembed #689); all-MiniLM-L6-v2 takes 256, another model what its tokenizer says."""
    copy = shutil.copytree(model_dir, tmp_path / "model")
    config = copy / "tokenizer_config.json"
    config.write_text(config.read_text().replace("256", "128"))
    assert opened(str(copy)).window_tokens == 256
    assert opened(str(copy), model="acme/other").window_tokens == 128


@pytest.mark.parametrize("window", [2, 513])
def test_a_window_the_model_cannot_take_is_refused(model_dir: str, window: int) -> None:
    """Shorter than its special tokens or longer than its positions: said at once, with both numbers."""
    with pytest.raises(UsageError, match="takes 3 to 512 tokens"):
        opened(model_dir, window_tokens=window)


def test_a_model_fastembed_does_not_know(embedder: FastEmbedder, model_dir: str) -> None:
    """A directory is enough: mean pooling unless told otherwise, the dimension from its config.json."""
    other = opened(model_dir, model="acme/unknown")
    assert other.dimension == 384
    assert other.query("hello") == pytest.approx(embedder.query("hello"), abs=1e-6)


def test_pooling_is_read_beside_the_model(embedder: FastEmbedder, model_dir: str, tmp_path: pathlib.Path) -> None:
    """sentence-transformers says there which token counts; without its word it is the mean of all."""
    copy = shutil.copytree(model_dir, tmp_path / "model")
    (copy / "1_Pooling").mkdir(exist_ok=True)
    (copy / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    first, mean = opened(str(copy), model="acme/first"), opened(model_dir, model="acme/mean")
    assert not np.allclose(first.query("hello"), embedder.query("hello"), atol=1e-2)
    assert mean.query("hello") == pytest.approx(embedder.query("hello"), abs=1e-6)


@pytest.mark.parametrize("options", [{"arena": False}, {"spinning": True}, {"threads": 2}])
def test_session_options_do_not_change_vectors(embedder: FastEmbedder, model_dir: str, options: dict) -> None:
    """They are about speed and memory alone."""
    assert opened(model_dir, **options).query("hello") == pytest.approx(embedder.query("hello"), abs=1e-6)


def test_session_options_arrive(model_dir: str) -> None:
    """Spinning, which fastembed does not offer, reaches ONNX Runtime, and so does the arena."""
    chosen = opened(model_dir, spinning=False, arena=False)._engine.model.model.get_session_options()
    assert chosen.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert not chosen.enable_cpu_mem_arena


def test_a_missing_or_damaged_model_is_a_model_error(model_dir: str, tmp_path: pathlib.Path) -> None:
    """With the directory in the message, whichever way the engine puts it."""
    with pytest.raises(ModelError, match="no model in"):
        opened(str(tmp_path))
    shutil.copytree(model_dir, tmp_path / "model")
    (tmp_path / "model" / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="cannot load"):
        opened(str(tmp_path / "model"))


def test_what_it_cannot_read_or_run_is_an_embed_error(embedder: FastEmbedder) -> None:
    """A lone surrogate, and a window another embedder made."""
    with pytest.raises(EmbedError, match="cannot read"):
        embedder.split(["\ud800"])
    with pytest.raises(EmbedError, match="another embedder"):
        embedder.embed([Window("hello", 3)])


def test_loading_writes_nothing(model_dir: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """fastembed would create a cache folder; the container's file system is read-only."""
    monkeypatch.setenv("FASTEMBED_CACHE_PATH", str(tmp_path / "cache"))
    opened(model_dir)
    assert list(tmp_path.iterdir()) == []
