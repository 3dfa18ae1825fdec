"""The model as exporters write it, for rivals that know nothing of ours.

The model directory made by this importer has a graph of its own that computes no padding; fastembed by itself
downloads the graph that tracing `transformers.BertModel` gives. Here the same weights are put into that graph: padded
throughout, queries, keys and values apart, GELU out of its parts. (LayerNormalization stays whole; ONNX Runtime
would fuse it.)
"""

from __future__ import annotations

import json
import math
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from importer.worker.models import onnx_file
from importer.worker.models.onnx_bert import Graph, PartWriter, Shape, Weights, finished
from importer.worker.models.onnx_file import FLOAT, OnnxModel

OPSET = 17  # the first with LayerNormalization
GRAPH = "model.onnx"
LEAST = float(np.finfo(np.float32).min)  # what transformers adds to the scores of padding
PARTS = ("query", "key", "value")
OURS = "encoder.layer.0.attention.self.projection.matrix"


def directory(source: str, target: str) -> str:
    """Make a directory that fastembed loads, with the exported graph; return `source` where its graph is not ours."""
    weights = onnx_file.load(os.path.join(source, GRAPH)).constants
    if OURS not in weights:
        return source
    os.makedirs(target, exist_ok=True)
    with open(os.path.join(source, "config.json"), "rb") as file:
        shape = Shape.of(json.load(file))
    with open(os.path.join(target, GRAPH), "wb") as graph:
        graph.write(build(weights, shape).encoded())
    for name in os.listdir(source):
        if name.endswith((".json", ".txt")) and not os.path.lexists(os.path.join(target, name)):
            os.symlink(os.path.abspath(os.path.join(source, name)), os.path.join(target, name))  # the same tokenizer
    return target


def build(weights: Weights, shape: Shape) -> OnnxModel:
    """Build the same function of the same inputs as `onnx_bert.build`, from the weights of such a graph."""
    graph = Graph()
    encoder = TracedEncoder(graph, weights, shape)
    hidden, bias = encoder.embeddings(), encoder.bias()
    for layer in range(shape.layers):
        hidden = encoder.layer(hidden, bias, f"encoder.layer.{layer}")
    graph.op("Identity", hidden, output="last_hidden_state")
    return finished(graph, shape, OPSET)


class TracedEncoder(PartWriter):
    """Values name tensors, hidden states of (batch, sequence, hidden)."""

    def embeddings(self) -> str:
        """Add words, types and positions, summed and normalised; positions are cut from a constant, as in tracing."""
        op, ints = self.graph.op, self.graph.ints
        count = len(self.weights["embeddings.position_embeddings.weight"])
        every = self.graph.weight("positions", np.arange(count)[None])
        places = op("Slice", every, ints(0), op("Shape", "input_ids", start=1, end=2), ints(1))
        words = op("Add", self._rows("word", "input_ids"), self._rows("token_type", "token_type_ids"))
        return self._normalised("embeddings", op("Add", words, self._rows("position", places)))

    def bias(self) -> str:
        """Add the mask's bias: 0 for real tokens and the least number for padding, (batch, 1, 1, sequence)."""
        op = self.graph.op
        mask = op("Cast", op("Unsqueeze", "attention_mask", self.graph.ints(1, 2)), to=FLOAT)
        return op("Mul", op("Sub", self._number("one", 1.0), mask), self._number("least", LEAST))

    def layer(self, hidden: str, bias: str, prefix: str) -> str:
        """Add attention and the two-step network, each summed with its input and normalised."""
        attended = self._attention(hidden, bias, f"{prefix}.attention.self")
        hidden = self._added(f"{prefix}.attention.output", attended, hidden)
        return self._added(f"{prefix}.output", self._gelu(self._dense(f"{prefix}.intermediate.dense", hidden)), hidden)

    def _attention(self, hidden: str, bias: str, prefix: str) -> str:
        """Add the softmax of scaled scores times values, on padding, too."""
        op, width = self.graph.op, self.shape.hidden // self.shape.heads
        root = math.sqrt(width)  # ours has the scores' scale in the query already
        query, key, value = (
            self._heads(hidden, f"{prefix}.{part}", piece * np.float32(scale))
            for part, piece, scale in zip(PARTS, self._projections(prefix), (root, 1, 1), strict=True)
        )
        scores = op("MatMul", op("Transpose", query, perm=[0, 2, 1, 3]), op("Transpose", key, perm=[0, 2, 3, 1]))
        shares = op("Softmax", op("Add", op("Div", scores, self._number("root", root)), bias), axis=-1)
        context = op("MatMul", shares, op("Transpose", value, perm=[0, 2, 1, 3]))
        whole = self.graph.ints(0, 0, self.shape.hidden)
        return op("Reshape", op("Transpose", context, perm=[0, 2, 1, 3]), whole)

    def _projections(self, prefix: str) -> list[NDArray[Any]]:
        """Return the matrix and, as last row, the bias of query, key and value."""
        matrix, bias = (self.weights[f"{prefix}.projection.{part}"] for part in ("matrix", "bias"))
        return np.split(np.concatenate([matrix, bias[None]]), 3, axis=1)

    def _heads(self, hidden: str, name: str, projection: NDArray[Any]) -> str:
        """Add one projection of the three, (batch, sequence, heads, width)."""
        op, shape = self.graph.op, self.shape
        product = op("MatMul", hidden, self.graph.weight(f"{name}.matrix", projection[:-1]))
        whole = op("Add", self.graph.weight(f"{name}.bias", projection[-1]), product)
        return op("Reshape", whole, self.graph.ints(0, 0, shape.heads, shape.hidden // shape.heads))

    def _added(self, prefix: str, value: str, hidden: str) -> str:
        """Add a dense layer's result to its layer's input, normalised."""
        return self._normalised(prefix, self.graph.op("Add", self._dense(f"{prefix}.dense", value), hidden))

    def _dense(self, prefix: str, value: str) -> str:
        """Add a dense layer as tracing leaves it: a product and its bias, added from the left."""
        product = self.graph.op("MatMul", value, self._published(f"{prefix}.matrix"))
        return self.graph.op("Add", self._published(f"{prefix}.bias"), product)

    def _gelu(self, value: str) -> str:
        """Add x (1 + erf(x / sqrt 2)) / 2, as tracing writes it."""
        op = self.graph.op
        error = op("Erf", op("Div", value, self._number("root_two", math.sqrt(2.0))))
        return op("Mul", op("Mul", value, op("Add", error, self._number("one", 1.0))), self._number("half", 0.5))

    def _normalised(self, prefix: str, value: str) -> str:
        """Add a layer normalisation with the published scale and bias."""
        scale, bias = (self._published(f"{prefix}.LayerNorm.{part}") for part in ("weight", "bias"))
        return self.graph.op("LayerNormalization", value, scale, bias, axis=-1, epsilon=self.shape.epsilon)

    def _number(self, name: str, value: float) -> str:
        """Add a constant of one float32, as tracing leaves Python's numbers."""
        return self.graph.weight(name, np.array(value, dtype=np.float32))
