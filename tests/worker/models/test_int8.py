"""Quantised models: the numbers are those of ONNX Runtime's own quantisation, and nothing else of the graph changes."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from importer.worker.models import int8, onnx_file

RNG = np.random.default_rng(11)


def graph_of(*nodes, opset=20, **constants):
    """A model of these nodes, from `x` (3 x 8) to `y`."""
    held = [numpy_helper.from_array(np.asarray(value, dtype=np.float32), name) for name, value in constants.items()]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["texts", "width"]) for name in ("x", "y")]
    graph = helper.make_graph(list(nodes), "g", ends[:1], ends[1:], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def ran(raw: bytes, x) -> np.ndarray:
    return ort.InferenceSession(raw, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


@pytest.mark.parametrize(("reduced", "largest"), [(False, int8.EXACT), (True, int8.REDUCED)])
def test_the_numbers_are_those_of_onnx_runtime_s_own_quantisation(tmp_path, reduced, largest):
    """Two products with one input, one of them with a column of zeros."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    first = RNG.normal(size=(8, 5))
    first[:, 2] = 0
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["xa"], name="first"),
        helper.make_node("MatMul", ["x", "b"], ["xb"], name="second"),
        helper.make_node("Add", ["xa", "xb"], ["y"], name="sum"),
    ]
    onnx.save(graph_of(*nodes, a=first, b=RNG.normal(size=(8, 5))), tmp_path / "m.onnx")
    quantize_dynamic(
        str(tmp_path / "m.onnx"), str(tmp_path / "theirs.onnx"), per_channel=True, reduce_range=reduced,
        weight_type=QuantType.QInt8, extra_options={"DefaultTensorType": TensorProto.FLOAT},
    )  # fmt: skip
    found = int8.quantised(onnx_file.load(str(tmp_path / "m.onnx")), largest).encoded()
    onnx.checker.check_model(found)
    x = RNG.normal(size=(3, 8)).astype(np.float32)
    np.testing.assert_allclose(ran(found, x), ran((tmp_path / "theirs.onnx").read_bytes(), x), rtol=1e-5, atol=1e-6)
    kinds = [one.op_type for one in onnx.load_from_string(found).graph.node]
    assert (kinds.count("DynamicQuantizeLinear"), kinds.count("MatMulInteger"), kinds.count("MatMul")) == (1, 2, 0)


def test_a_matrix_that_is_used_elsewhere_stays(tmp_path):
    """As the words' table that also makes the output; the product is in 8 bits all the same."""
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["xa"], name="first"),
        helper.make_node("Add", ["xa", "a"], ["y"], name="sum"),
    ]
    onnx.save(graph_of(*nodes, a=RNG.normal(size=(8, 8))), tmp_path / "m.onnx")
    found = int8.quantised(onnx_file.load(str(tmp_path / "m.onnx")), int8.EXACT)
    assert {"a", "a_int8", "a_scale", "a_zero"} == set(found.constants)


def test_what_has_no_constant_matrix_is_refused(tmp_path):
    """Products of two computed values stay; a graph with none of the other kind is no smaller in 8 bits."""
    onnx.save(graph_of(helper.make_node("MatMul", ["x", "x"], ["y"], name="square")), tmp_path / "m.onnx")
    with pytest.raises(ValueError, match="no MatMul weights"):
        int8.quantised(onnx_file.load(str(tmp_path / "m.onnx")), int8.EXACT)


def test_an_old_opset_is_refused(tmp_path):
    """It has no such operator."""
    onnx.save(graph_of(helper.make_node("MatMul", ["x", "a"], ["y"]), opset=9, a=np.eye(8)), tmp_path / "m.onnx")
    with pytest.raises(ValueError, match="opset is 9"):
        int8.quantised(onnx_file.load(str(tmp_path / "m.onnx")), int8.EXACT)
