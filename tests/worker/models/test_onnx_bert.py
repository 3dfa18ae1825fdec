"""The graph built here computes what BERT computes for real tokens, in any company."""

from __future__ import annotations

import json
import math
import os
from collections import Counter

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from importer.worker.models import onnx_bert
from importer.worker.models.onnx_bert import Shape

TINY = Shape(layers=2, heads=2, hidden=8)
RNG = np.random.default_rng(7)


def tiny_weights():
    """Random weights under the published names: 20 words, 12 places, 8 wide, 16 inside."""
    sizes = {"word": 20, "position": 12, "token_type": 2}
    shapes = {f"embeddings.{name}_embeddings.weight": (rows, 8) for name, rows in sizes.items()}
    norms, dense = ["embeddings.LayerNorm"], {}
    for layer in (f"encoder.layer.{i}" for i in range(2)):
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
        dense |= {
            f"{layer}.attention.{part}": (8, 8) for part in ("self.query", "self.key", "self.value", "output.dense")
        }
        dense |= {f"{layer}.intermediate.dense": (16, 8), f"{layer}.output.dense": (8, 16)}
    for name, shape in {**dict.fromkeys(norms, (8,)), **dense}.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return {name: RNG.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def reference(weights, ids, types):
    """BERT as its paper writes it, for one text without padding: (tokens, hidden)."""

    def dense(x, name):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def normalised(x, name):
        centred = x - x.mean(-1, keepdims=True)
        return (
            centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12) * weights[f"{name}.weight"]
            + weights[f"{name}.bias"]
        )

    def attention(x, name):
        parts = [dense(x, f"{name}.{part}").reshape(len(x), 2, 4).swapaxes(0, 1) for part in ("query", "key", "value")]
        scores = np.exp(parts[0] @ parts[1].swapaxes(1, 2) / 2)
        return (scores / scores.sum(-1, keepdims=True) @ parts[2]).swapaxes(0, 1).reshape(len(x), 8)

    tables = {name: weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")}
    x = tables["word"][ids] + tables["token_type"][types] + tables["position"][: len(ids)]
    x = normalised(x, "embeddings.LayerNorm")
    for layer in (f"encoder.layer.{i}" for i in range(2)):
        mixed = dense(attention(x, f"{layer}.attention.self"), f"{layer}.attention.output.dense")
        x = normalised(x + mixed, f"{layer}.attention.output.LayerNorm")
        inner = dense(x, f"{layer}.intermediate.dense")
        raised = inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
        x = normalised(x + dense(raised, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    return x


def session_of(model, **options):
    chosen = ort.SessionOptions()
    for name, value in options.items():
        setattr(chosen, name, value)
    return ort.InferenceSession(model, chosen, providers=["CPUExecutionProvider"])


def padded(lengths, words):
    """Random texts of these lengths in one batch, padded on the right with word 0."""
    ids = np.zeros((len(lengths), max(lengths)), dtype=np.int64)
    mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(np.int64)
    ids[mask == 1] = RNG.integers(1, words, size=sum(lengths))
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


@pytest.mark.parametrize("lengths", [(5,), (1, 12, 7), (3, 3), (12,) * 4])
def test_it_computes_what_the_paper_says(lengths):
    """A tiny model with random weights against a plain implementation, padded and not, with both token types."""
    weights = tiny_weights()
    inputs = padded(lengths, 20)
    inputs["token_type_ids"] = RNG.integers(0, 2, size=inputs["input_ids"].shape)
    found = session_of(onnx_bert.build(weights, TINY).encoded()).run(None, inputs)[0]
    for row, length in enumerate(lengths):
        expected = reference(weights, inputs["input_ids"][row, :length], inputs["token_type_ids"][row, :length])
        np.testing.assert_allclose(found[row, :length], expected, atol=2e-5)


def test_it_is_valid_onnx():
    """By the checker of the standard, with all shapes inferred."""
    onnx.checker.check_model(onnx_bert.build(tiny_weights(), TINY).encoded(), full_check=True)


def test_a_text_gets_the_same_numbers_in_any_company(model_dir):
    """Bit for bit: neither padding nor neighbours change a real token's row."""
    session = session_of(os.path.join(model_dir, "model.onnx"))
    inputs = padded((9, 120, 64, 31), 30_000)
    together = session.run(None, inputs)[0]
    for row, length in enumerate((9, 120, 64, 31)):
        alone = session.run(None, {name: value[row : row + 1, :length] for name, value in inputs.items()})[0]
        assert np.array_equal(together[row, :length], alone[0])


def test_onnx_runtime_fuses_the_graph_as_meant(model_dir, tmp_path):
    """24 Gemm with their biases, scores without a transposed copy: what the speed was measured with."""
    seen = str(tmp_path / "seen.onnx")
    session_of(os.path.join(model_dir, "model.onnx"), optimized_model_filepath=seen, log_severity_level=3)
    ops = Counter(node.op_type for node in onnx.load(seen, load_external_data=False).graph.node)
    assert (ops["Gemm"], ops["FusedMatMul"], ops["MatMul"], ops["Gelu"], ops["Transpose"]) == (24, 6, 6, 6, 0)


def test_other_architectures_are_refused():
    """The graph would compute nonsense from their weights."""
    with pytest.raises(ValueError, match="not a BERT"):
        Shape.of(json.loads('{"model_type": "roberta", "hidden_act": "gelu"}'))
