"""Generated models of other kinds: prompts, pooling by the files beside the model, static ones, nothing cut off."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np
import onnxruntime
import pytest
import tiny_models
from hypothesis import given, settings
from hypothesis import strategies as st
from worker_told import embed_settings

from importer.worker.embedders.fastembed import FastEmbedder, open_embedder

PROMPTS = {"config_sentence_transformers.json": {"prompts": {"query": "ask: ", "document": "told: "}}}
TEXT = "why did the build fail? because of the cache"


def opened(folder: pathlib.Path, **files: Any) -> FastEmbedder:
    directory = tiny_models.make(folder, positions=64, **files)
    return open_embedder(embed_settings(model=directory, directory=directory, engine="onnxruntime"))


@pytest.fixture(scope="module")
def prompted(tmp_path_factory: pytest.TempPathFactory) -> FastEmbedder:
    return opened(tmp_path_factory.mktemp("prompted"), **PROMPTS)


def ids(embedder: FastEmbedder, text: str, *, special: bool = False) -> list[int]:
    return embedder._tokenizer.encode(text, add_special_tokens=special).ids


def rows_of(folder: pathlib.Path, tokens: list[int]) -> Any:
    """What the graph itself gives for one text: (tokens, dimension)."""
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    one = np.array([tokens], np.int64)
    inputs = {"input_ids": one, "attention_mask": np.ones_like(one), "token_type_ids": np.zeros_like(one)}
    return session.run(None, inputs)[0][0]


def unit(vector: Any) -> Any:
    return vector / np.linalg.norm(vector)


def test_a_passage_is_read_behind_its_prompt(prompted: FastEmbedder) -> None:
    """As if the text had been written so, and its own text stays without."""
    [[window]] = prompted.split([TEXT])
    assert window.ids.tolist() == ids(prompted, "told: " + TEXT, special=True)
    assert (window.text, window.tokens) == (TEXT, len(window.ids))


def test_a_question_has_another_prompt(prompted: FastEmbedder, tmp_path: pathlib.Path) -> None:
    """Its vector is that of the question behind the prompt, by a model without prompts."""
    plain = opened(tmp_path)
    [[window]] = plain.split(["ask: " + TEXT])
    assert np.allclose(prompted.query(TEXT), plain.embed([window])[0], atol=1e-6)
    assert not np.allclose(prompted.query(TEXT), plain.query(TEXT), atol=1e-3)


@settings(max_examples=40, deadline=None)
@given(text=st.text("abc .,", max_size=400))
def test_no_token_is_lost_behind_prompts(prompted: FastEmbedder, text: str) -> None:
    """Every window begins with the prompt and fits; together they have each token of the text once."""
    [windows] = prompted.split([text])
    lead = len(ids(prompted, "told:"))
    assert all(window.tokens <= prompted.window_tokens for window in windows)
    assert [i for window in windows for i in window.ids.tolist()[1 + lead : -1]] == ids(prompted, text)
    assert "".join(window.text for window in windows) == text


@pytest.mark.parametrize(
    ("told", "pooled"),
    [
        ({"pooling_mode_cls_token": True}, lambda rows: rows[0]),
        ({"pooling_mode_mean_tokens": True}, lambda rows: rows.mean(axis=0)),
        ({"pooling_mode_lasttoken": True}, lambda rows: rows[-1]),
        ({}, lambda rows: rows.mean(axis=0)),
    ],
)
def test_pooling_is_what_stands_beside_the_model(tmp_path: pathlib.Path, told: dict[str, bool], pooled: Any) -> None:
    """First token, last token or mean, at unit length, also for one that is padded beside a longer one."""
    embedder = opened(tmp_path, **{"1_Pooling/config.json": told})
    short, long = (row[0] for row in embedder.split(["a b c", TEXT]))
    expected = [unit(pooled(rows_of(tmp_path, window.ids.tolist()))) for window in (short, long)]
    assert np.allclose(embedder.embed([short, long]), expected, atol=1e-5)


def test_a_long_context_is_used_up_to_what_costs_little(tmp_path: pathlib.Path) -> None:
    """A model of 8,192 tokens gets windows of 512 unless it is asked otherwise, and a long text several of them."""
    from importer.worker.models import locate

    directory = tiny_models.make(tmp_path, positions=1024)
    wish = embed_settings(model=directory)
    found = locate.locate(wish)
    assert found is not None and found.window_tokens == 512
    wide = locate.locate(embed_settings(model=directory, window_tokens=1000))
    assert wide is not None and wide.window_tokens == 1000


def test_a_static_model(tmp_path: pathlib.Path) -> None:
    """potion: the mean of its tokens' rows; a text beyond 512 tokens counts to its end, in windows."""
    name = "minishlab/potion-base-8M"
    tiny_models.make(tmp_path, **{"config.json": {"model_type": "model2vec"}})
    rows = np.random.default_rng(3).standard_normal((200, 256)).astype(np.float32)
    head = json.dumps({"embeddings": {"dtype": "F32", "shape": [200, 256], "data_offsets": [0, rows.nbytes]}}).encode()
    (tmp_path / "model.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + rows.tobytes())
    embedder = open_embedder(embed_settings(model=name, directory=str(tmp_path)))
    assert embedder.dimension == 256
    [[window], long] = embedder.split([TEXT, "a" * 1500])
    assert np.allclose(embedder.embed([window])[0], unit(rows[ids(embedder, TEXT)].mean(axis=0)), atol=1e-5)
    assert len(long) > 1 and "".join(one.text for one in long) == "a" * 1500
    assert np.allclose(embedder.query(TEXT), embedder.embed([window])[0], atol=1e-6)
