"""ONNX files: what is written is what the standard's own package writes, and what is read is what it reads."""

from __future__ import annotations

import io
import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from importer.worker.models import onnx_file
from importer.worker.models.onnx_file import FLOAT, INT64, GraphNode, OnnxModel
from importer.worker.models.protobuf import fields, message

LARGE = np.arange(1 << 18, dtype=np.float32).reshape(512, 512)  # just large enough to lie outside
SMALL = np.array([-1, 0, 7], dtype=np.int64)


def ours() -> OnnxModel:
    """Two nodes, with each kind of attribute, and two constants."""
    nodes = (
        onnx_file.node("Gather", ["large", "ids"], ["rows"], "first", axis=0),
        onnx_file.node("LayerNormalization", ["rows", "x"], ["y"], "second", epsilon=1e-12, axis=-1),
        onnx_file.node("Transpose", ["y"], ["z"], "third", perm=[0, 2, 1]),
    )
    inputs = (onnx_file.INPUT, onnx_file.sized("ids", INT64, ("batch", 3)))
    output = (onnx_file.OUTPUT, onnx_file.sized("z", FLOAT, ("batch", 3, 512)))
    file = ((onnx_file.IR_VERSION, 9), (onnx_file.OPSET_IMPORT, message([(1, ""), (2, 20)])))
    return OnnxModel(nodes, {"large": LARGE, "small": SMALL}, ((onnx_file.GRAPH_NAME, "g"), inputs, output), file)


def theirs() -> onnx.ModelProto:
    """The same, by the standard's own package."""
    nodes = [
        helper.make_node("Gather", ["large", "ids"], ["rows"], name="first", axis=0),
        helper.make_node("LayerNormalization", ["rows", "x"], ["y"], name="second", epsilon=1e-12, axis=-1),
        helper.make_node("Transpose", ["y"], ["z"], name="third", perm=[0, 2, 1]),
    ]
    inputs = [helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", 3])]
    output = [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["batch", 3, 512])]
    constants = [numpy_helper.from_array(LARGE, "large"), numpy_helper.from_array(SMALL, "small")]
    graph = helper.make_graph(nodes, "g", inputs, output, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def test_the_bytes_are_those_of_the_standard_s_package() -> None:
    """All in one file: nodes, attributes, negative numbers, sizes by name and by number."""
    assert ours().encoded() == theirs().SerializeToString()


def test_so_are_the_files_with_large_constants_outside(tmp_path) -> None:
    """The graph and the file beside it."""
    (tmp_path / "theirs").mkdir()
    outside = {"save_as_external_data": True, "location": "model.onnx_data", "size_threshold": 1 << 20}
    onnx.save(theirs(), tmp_path / "theirs" / "model.onnx", **outside)
    ours().save(str(tmp_path / "model.onnx"))
    for name in ("model.onnx", "model.onnx_data"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "theirs" / name).read_bytes()


@pytest.mark.parametrize("outside", [False, True])
def test_what_others_wrote_is_read(tmp_path, outside) -> None:
    """Constants by value, nodes by name, and written again it is the same file."""
    path = str(tmp_path / "model.onnx")
    onnx.save(theirs(), path, **({"save_as_external_data": True, "location": "model.onnx_data"} if outside else {}))
    found = onnx_file.load(path)
    assert found.opset == 20
    assert np.array_equal(found.constants["large"], LARGE) and np.array_equal(found.constants["small"], SMALL)
    assert GraphNode.read(found.nodes[0]) == GraphNode("Gather", ("large", "ids"), ("rows",), "first")
    assert onnx_file.kinds(path) == {"Gather", "LayerNormalization", "Transpose"}
    assert found.encoded() == theirs().SerializeToString()


def test_a_constant_in_another_form_stays_as_it_is(tmp_path) -> None:
    """Numbers may be listed, and texts are no numbers: neither is dropped."""
    model = theirs()
    model.graph.initializer.append(helper.make_tensor("listed", TensorProto.FLOAT, [2], [0.5, 1.5]))
    model.graph.initializer.append(helper.make_tensor("words", TensorProto.STRING, [1], [b"tern"]))
    onnx.save(model, tmp_path / "model.onnx")
    found = onnx_file.load(str(tmp_path / "model.onnx"))
    assert set(found.constants) == {"large", "small"}
    again = onnx.load_from_string(found.encoded())
    assert {one.name for one in again.graph.initializer} == {"large", "small", "listed", "words"}


def test_weights_outside_the_folder_are_not_read(tmp_path) -> None:
    """A model from elsewhere could name any file."""
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "model.onnx"
    onnx.save(theirs(), path, save_as_external_data=True, location="in-secret")
    os.rename(tmp_path / "in" / "in-secret", tmp_path / "secret")
    path.write_bytes(path.read_bytes().replace(b"in-secret", b"../secret"))
    with pytest.raises(ValueError, match="lie elsewhere"):
        onnx_file.load(str(path))


@pytest.mark.parametrize("raw", [b"", b"{}", b"\x0a", b"\x08\xff", b"\x0a\xff\x01x", b"\x08\x01", b"\xff" * 20])
def test_another_file_is_refused(tmp_path, raw) -> None:
    """Cut off, empty, another kind, or without a graph: a ValueError, never a wrong model."""
    (tmp_path / "x").write_bytes(raw)
    with pytest.raises(ValueError):
        onnx_file.load(str(tmp_path / "x"))


def test_numbers_of_any_size_and_sign() -> None:
    """As the format has them: negative ones are the same as the positive ones beyond 63 bits."""
    values = [0, 1, 127, 128, 2**32, 2**63 - 1, -1, -(2**63)]
    raw = memoryview(message([(n + 1, value) for n, value in enumerate(values)]))
    assert [value for _, value in fields(raw)] == [value & (2**64 - 1) for value in values]


def test_a_large_constant_without_a_file_beside_stays_inside() -> None:
    """As for rivals' graphs, which are one file."""
    beside = io.BytesIO()
    assert len(ours().encoded()) > LARGE.nbytes > len(ours().encoded(beside, "beside"))
    assert beside.getvalue() == LARGE.tobytes()
