"""Build an ONNX graph that ONNX Runtime runs fast from published BERT weights, without a deep-learning framework.

The graph computes what `transformers.BertModel` computes (post-layer-norm encoder, absolute positions, erf GELU), with
one difference in how: **padding is not computed**. The real tokens of all texts stand in one packed matrix (tokens,
hidden); the dense layers, 95 % of the work, see only that, and just the attention of each layer is done on the padded
(batch, sequence) form. Getting from one form to the other is a gather of rows, which also splits and transposes the
heads. At padded positions the output repeats a real row; pooling masks it.

Ops are standard (opset 20) and chosen by measurement on ONNX Runtime 1.31, one thread, AVX-512: `Gemm` with its bias is
nearly as fast as the processor multiplies; `Gelu` takes half of what a fused BiasGelu takes; `Add` and
`LayerNormalization` a fifth of SkipLayerNormalization; plain attention four fifths of MultiHeadAttention.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from importer.worker.models import onnx_file
from importer.worker.models.onnx_file import FLOAT, INT64, Array, OnnxModel
from importer.worker.models.protobuf import message

Weights = Mapping[str, Array]

OPSET = 20  # the first with Gelu; ONNX Runtime has it since 1.17
IR_VERSION = 9  # what that opset came with
MASKED = -10_000.0  # added to the scores of padding: exp() of it is 0 in float32, for any score


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a BERT encoder, as its config.json names them. `hidden` is the dimension of the vectors."""

    layers: int
    heads: int
    hidden: int
    epsilon: float = 1e-12

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Shape:
        """Return the sizes in a parsed config.json. Raises ValueError for another architecture."""
        if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
            raise ValueError(f"not a BERT encoder with GELU: {config.get('model_type')}, {config.get('hidden_act')}")
        return cls(
            layers=int(config["num_hidden_layers"]),
            heads=int(config["num_attention_heads"]),
            hidden=int(config["hidden_size"]),
            epsilon=float(config["layer_norm_eps"]),
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """The names of the index tensors that lead from the packed form to the padded one and back, computed once per run.

    `kept` (tokens,): position of each real token in the flattened batch. `column` (tokens,): its place in its text.
    `spread` (batch, sequence): the packed row of each position. `heads` 3 x (batch, heads, sequence): rows of the
    projections cut by head, for query, key and value. `context` (tokens, heads): rows of the attention's result.
    `bias` (batch, 1, 1, sequence): 0 for real tokens, MASKED for padding.
    """

    kept: str
    column: str
    spread: str
    heads: tuple[str, str, str]
    context: str
    bias: str


class Graph:
    """The nodes and constants of a graph under construction."""

    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self.constants: dict[str, Array] = {}

    def op(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node of this kind and return the name of its result."""
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(onnx_file.node(kind, inputs, [output or name], name, **attributes))
        return output or name

    def weight(self, name: str, value: Array) -> str:
        """Add a constant under its own name and return the name."""
        self.constants[name] = np.asarray(value, order="C")
        return name

    def ints(self, *values: int) -> str:
        """Add a constant vector of int64 and return its name."""
        return self.weight("ints_" + "_".join(map(str, values)), np.array(values, dtype=np.int64))


def build(weights: Weights, shape: Shape) -> OnnxModel:
    """Build the whole model: input_ids, attention_mask, token_type_ids (int64, batch x sequence) -> last_hidden_state.

    `weights` are named as in the published `model.safetensors`. Raises KeyError when one is missing.
    """
    graph = Graph()
    encoder = Encoder(graph, weights, shape, lay_out(graph, shape))
    hidden = encoder.embeddings()
    for layer in range(shape.layers):
        hidden = encoder.layer(hidden, f"encoder.layer.{layer}")
    graph.op("Gather", hidden, encoder.layout.spread, output="last_hidden_state", axis=0)
    return finished(graph, shape)


def lay_out(graph: Graph, shape: Shape) -> Layout:
    """Add the nodes that compute the indices from the mask."""
    sequence = graph.op("Shape", "input_ids", start=1, end=2)
    mask = graph.op("Reshape", "attention_mask", graph.ints(-1))
    kept = graph.op("Reshape", graph.op("NonZero", mask), graph.ints(-1))
    column = graph.op("Mod", kept, sequence)  # of positions in the flattened batch
    # The packed row of each position, counted over the flattened batch. Padding repeats the row before it; padding at
    # the very beginning would have -1.
    ordinal = graph.op("Sub", graph.op("CumSum", mask, graph.weight("axis", np.array(0))), graph.ints(1))
    spread = graph.op("Reshape", graph.op("Max", ordinal, graph.ints(0)), graph.op("Shape", "input_ids"))
    padding = graph.op("Cast", graph.op("Sub", graph.ints(1), "attention_mask"), to=FLOAT)
    bias = graph.op("Mul", padding, graph.weight("masked", np.array(MASKED, dtype=np.float32)))
    return Layout(
        kept=kept,
        column=column,
        spread=spread,
        heads=_head_rows(graph, shape, spread),
        context=_context_rows(graph, shape, kept, column, sequence),
        bias=graph.op("Unsqueeze", bias, graph.ints(1, 2)),
    )


def _head_rows(graph: Graph, shape: Shape, spread: str) -> tuple[str, str, str]:
    """Add the row numbers of query, key and value: packed row r has 3 x heads short rows, at 3 x heads x r."""
    first = graph.op("Mul", graph.op("Unsqueeze", spread, graph.ints(1)), graph.ints(3 * shape.heads))
    steps = np.arange(3 * shape.heads).reshape(3, shape.heads, 1)
    query, key, value = (graph.op("Add", first, graph.weight(f"steps_{part}", steps[part])) for part in range(3))
    return query, key, value


def _context_rows(graph: Graph, shape: Shape, kept: str, column: str, sequence: str) -> str:
    """Add the row numbers of attention's result: head h of token (b, s) is short row (b x heads + h) x S + s."""
    heads = graph.weight("heads", np.arange(shape.heads))
    text = graph.op("Mul", graph.op("Div", kept, sequence), graph.op("Mul", sequence, graph.ints(shape.heads)))
    first = graph.op("Unsqueeze", graph.op("Add", text, column), graph.ints(1))
    return graph.op("Add", first, graph.op("Mul", heads, sequence))


@dataclass(frozen=True, slots=True)
class PartWriter:
    """A writer of an encoder's parts into a graph."""

    graph: Graph
    weights: Weights
    shape: Shape

    def _rows(self, table: str, index: str) -> str:
        """Add the look-up of one row for each index in a published table of embeddings."""
        return self.graph.op("Gather", self._published(f"embeddings.{table}_embeddings.weight"), index)

    def _published(self, name: str) -> str:
        """Add a constant under its published name."""
        return self.graph.weight(name, self.weights[name])


@dataclass(frozen=True, slots=True)
class Encoder(PartWriter):
    """Hidden states are names of packed (tokens, hidden) tensors, and so are rows of tables."""

    layout: Layout

    def embeddings(self) -> str:
        """Add the embeddings: words, types and positions, summed and normalised."""
        words = self._rows("word", self._kept("input_ids"))
        types = self._rows("token_type", self._kept("token_type_ids"))
        places = self._rows("position", self.layout.column)
        return self._normalised("embeddings.LayerNorm", self.graph.op("Add", words, types), places)

    def layer(self, hidden: str, prefix: str) -> str:
        """Add one layer: attention, then the two-step network, each summed with its input and normalised."""
        attended = self._dense(self._attention(hidden, f"{prefix}.attention.self"), f"{prefix}.attention.output.dense")
        hidden = self._normalised(f"{prefix}.attention.output.LayerNorm", attended, hidden)
        raised = self.graph.op("Gelu", self._dense(hidden, f"{prefix}.intermediate.dense"))
        return self._normalised(f"{prefix}.output.LayerNorm", self._dense(raised, f"{prefix}.output.dense"), hidden)

    def _kept(self, ids: str) -> str:
        """Add the selection of an input's real tokens, in one row."""
        return self.graph.op("Gather", self.graph.op("Reshape", ids, self.graph.ints(-1)), self.layout.kept)

    def _attention(self, hidden: str, prefix: str) -> str:
        """Add the attention: softmax of scaled scores times values, per text and head."""
        op, ints, width = self.graph.op, self.graph.ints, self.shape.hidden // self.shape.heads
        projected = self._multiplied(hidden, f"{prefix}.projection", *_projection(self.weights, prefix, width))
        short_rows = op("Reshape", projected, ints(-1, width))  # (tokens x 3 x heads, width)
        # Each (batch, heads, sequence, width).
        query, key, value = (op("Gather", short_rows, index, axis=0) for index in self.layout.heads)
        scores = op("MatMul", query, op("Transpose", key, perm=[0, 1, 3, 2]))
        shares = op("Softmax", op("Add", scores, self.layout.bias), axis=-1)
        # Back to short rows, (batch x heads x sequence, width).
        context = op("Reshape", op("MatMul", shares, value), ints(-1, width))
        return op("Reshape", op("Gather", context, self.layout.context, axis=0), ints(-1, self.shape.hidden))

    def _dense(self, hidden: str, prefix: str) -> str:
        """Add a published linear layer; its weights are stored as (out, in), hence transposed."""
        return self._multiplied(hidden, prefix, self.weights[f"{prefix}.weight"].T, self.weights[f"{prefix}.bias"])

    def _multiplied(self, hidden: str, prefix: str, matrix: Array, bias: Array) -> str:
        """Add a product and a bias as two nodes: MatMul can be quantised, and ONNX Runtime makes one Gemm of both."""
        product = self.graph.op("MatMul", hidden, self.graph.weight(f"{prefix}.matrix", matrix))
        return self.graph.op("Add", product, self.graph.weight(f"{prefix}.bias", bias))

    def _normalised(self, prefix: str, left: str, right: str) -> str:
        """Add the layer normalisation of a sum of two, with the published scale and bias."""
        scale, bias = self._published(f"{prefix}.weight"), self._published(f"{prefix}.bias")
        both = self.graph.op("Add", left, right)
        return self.graph.op("LayerNormalization", both, scale, bias, axis=-1, epsilon=self.shape.epsilon)


def _projection(weights: Weights, prefix: str, width: int) -> tuple[Array, Array]:
    """Join query, key and value in a matrix (hidden, 3 x hidden) and a bias; the query is scaled by 1/sqrt(width)."""
    scales = {"query": np.float32(width**-0.5), "key": np.float32(1), "value": np.float32(1)}
    matrices = [weights[f"{prefix}.{part}.weight"].T * scale for part, scale in scales.items()]
    biases = [weights[f"{prefix}.{part}.bias"] * scale for part, scale in scales.items()]
    return np.concatenate(matrices, axis=1), np.concatenate(biases)


def finished(graph: Graph, shape: Shape, opset: int = OPSET) -> OnnxModel:
    """Make a model of the graph, with inputs and output named as in `transformers`, which is how fastembed feeds it."""
    sizes = ("batch", "sequence")
    names = ("input_ids", "attention_mask", "token_type_ids")
    inputs = [(onnx_file.INPUT, onnx_file.sized(name, INT64, sizes)) for name in names]
    output = (onnx_file.OUTPUT, onnx_file.sized("last_hidden_state", FLOAT, (*sizes, shape.hidden)))
    file = ((onnx_file.IR_VERSION, IR_VERSION), (onnx_file.OPSET_IMPORT, message([(1, ""), (2, opset)])))
    return OnnxModel(tuple(graph.nodes), graph.constants, ((onnx_file.GRAPH_NAME, "bert"), *inputs, output), file)
