"""Raw files become a model: int8 is close to fp32, damage and other processors are noticed."""

from __future__ import annotations

import inspect
import os
import pydoc
import shutil

import numpy as np
import onnx
import pytest
from tokenizers import Tokenizer
from worker_told import embed_settings

from importer.errors import ModelError
from importer.worker.models import build, cache, locate
from importer.worker.models.catalog import MINILM

MODULES = (
    "argparse ast asyncio collections csv datetime decimal difflib email.message enum functools heapq http.client "
    "inspect json logging os pathlib queue re shutil socket sqlite3 statistics string subprocess tarfile threading "
    "traceback types unittest urllib.request weakref zipfile"
)
PUBLISHED = (-0.0345, 0.0310, 0.0067, 0.0261, -0.0394)


@pytest.fixture(scope="module")
def int8_dir(model_dir):
    """The same model in int8, made beside it once."""
    return locate.fetch(embed_settings(model_dir=os.path.dirname(model_dir), precision="int8", offline=True)).directory


def test_hello_world_is_the_published_vector(model_dir):
    """Mean of the tokens, at unit length; and fastembed, given the directory, says the same."""
    from fastembed import TextEmbedding

    engine = TextEmbedding(MINILM.name, specific_model_path=model_dir)
    (by_fastembed,) = engine.embed(["hello world"])
    ours = build.hello_world(os.path.join(model_dir, "model.onnx"))
    np.testing.assert_allclose(ours[:5], PUBLISHED, atol=1e-4)
    np.testing.assert_allclose(by_fastembed, ours, atol=1e-6)


@pytest.mark.slow
def test_int8_stays_close_to_fp32(model_dir, int8_dir, capsys):
    """Mean cosine over some 300 varied texts; printed."""
    texts = varied_texts()
    whole, quantised = (vectors(folder, texts) for folder in (model_dir, int8_dir))
    cosines = (whole * quantised).sum(axis=1)
    with capsys.disabled():
        print(f" int8, {len(texts)} texts: cosine {cosines.mean():.4f}, least {cosines.min():.4f} ", end="")
    assert len(texts) >= 300
    assert cosines.mean() > 0.985


def varied_texts():
    """What the standard library says about itself: prose, code, lists, some words to a hundred."""
    found = set()
    for name in MODULES.split():
        module = pydoc.locate(name)
        for member in dict(inspect.getmembers(module)).values():
            said = inspect.getdoc(member) if inspect.getmodule(member) is module else None
            found.add((said or "")[:200])
    return sorted(text for text in found if len(text) > 30)[:320]


def vectors(folder, texts):
    options = build.onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = build.onnxruntime.InferenceSession(os.path.join(folder, "model.onnx"), options)
    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()
    rows = [batch_vectors(session, tokenizer.encode_batch(texts[i : i + 8])) for i in range(0, len(texts), 8)]
    return np.concatenate(rows)


def batch_vectors(session, encodings):
    ids, mask = (np.array([getattr(e, name) for e in encodings]) for name in ("ids", "attention_mask"))
    rows = session.run(None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})[0]
    means = (rows * mask[..., None]).sum(axis=1)
    return means / np.linalg.norm(means, axis=1, keepdims=True)


@pytest.mark.slow
def test_int8_is_made_once(model_dir, tmp_path):
    """What is noted of the whole model's files is none of the int8 one's: it was made anew at every start."""
    shutil.copytree(model_dir, tmp_path / os.path.basename(model_dir))
    wish = embed_settings(model_dir=str(tmp_path), precision="int8", offline=True)
    starts = [os.stat(os.path.join(locate.fetch(wish, trusting=True).directory, "model.onnx")) for _ in range(3)]
    assert len({(graph.st_ino, graph.st_ctime_ns) for graph in starts}) == 1
    folder = locate.locate(wish).directory
    assert os.path.isfile(os.path.join(folder, cache.VERIFIED))
    assert cache.VERIFIED not in cache.read(folder).files


def test_a_model_that_computes_otherwise_is_refused(model_dir, int8_dir):
    """int8 is like the whole model, but does not pass for it; another model passes for neither."""
    build.prove(int8_dir, MINILM, base=model_dir)
    with pytest.raises(ModelError, match="hello world"):
        build.prove(int8_dir, MINILM)


@pytest.mark.slow
def test_an_int8_model_unlike_the_whole_one_is_refused(model_dir, tmp_path):
    """As on a processor where its sums saturate: here a model whose weights are reversed."""
    graph = onnx.load(os.path.join(model_dir, "model.onnx"))
    for weight in graph.graph.initializer:
        if weight.name.endswith("intermediate.dense.matrix"):
            weight.raw_data = np.flip(onnx.numpy_helper.to_array(weight)).tobytes()
    onnx.save(graph, tmp_path / "model.onnx")
    with pytest.raises(ModelError, match="cosine"):
        build.prove(str(tmp_path), MINILM, base=model_dir)


def test_int8_is_recognised(model_dir, int8_dir):
    """By the graph's own ops; a file that is no graph is an error."""
    assert build.is_quantised(os.path.join(int8_dir, "model.onnx"))
    assert not build.is_quantised(os.path.join(model_dir, "model.onnx"))
    with pytest.raises(ModelError, match="not an ONNX model"):
        build.is_quantised(os.path.join(model_dir, "tokenizer.json"))


def test_an_fp32_directory_is_not_taken_for_int8(model_dir, int8_dir):
    """A directory is used as it is, so the wish must fit; an int8 one says so by itself."""
    with pytest.raises(ModelError, match="is not int8"):
        locate.locate(embed_settings(model_dir="/nowhere", model=model_dir, precision="int8"))
    assert locate.locate(embed_settings(model_dir="/nowhere", model=int8_dir)).precision == "int8"


def test_damaged_weights_are_refused(tmp_path):
    """Every fault in them is a ModelError that names the file."""
    (tmp_path / "config.json").write_text('{"model_type": "bert", "hidden_act": "relu"}')
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        build.build_graph(str(tmp_path / "model.safetensors"), str(tmp_path), "model.onnx")
