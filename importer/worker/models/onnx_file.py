"""Write and read ONNX files: their nodes and their constants, large ones in a file beside the graph.

The onnx package does it, too, and weighs 33 MB. Numbers of fields are those of onnx.proto; a node stays as it is, in
bytes, unless it is asked for. Weights in a file of their own are mapped by ONNX Runtime, not read: 45 MB less anonymous
memory in every worker (measured).
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from importer.protocol.system.plain import plain
from importer.worker.models.protobuf import Value, fields, message

Array = NDArray[Any]
Fields = tuple[tuple[int, Value], ...]
FLOAT, UINT8, INT8, INT32, INT64, FLOAT16, DOUBLE = 1, 2, 3, 6, 7, 10, 11  # TensorProto.DataType
TYPES: Mapping[int, type[np.generic]] = {
    **{FLOAT: np.float32, UINT8: np.uint8, INT8: np.int8, INT32: np.int32, INT64: np.int64},
    **{FLOAT16: np.float16, DOUBLE: np.float64},
}
CODES = {np.dtype(kind): code for code, kind in TYPES.items()}
ATTRIBUTE_TYPES = {float: 1, int: 2, list: 7}
IR_VERSION, GRAPH, OPSET_IMPORT = 1, 7, 8  # of a ModelProto
NODE, GRAPH_NAME, INITIALIZER, INPUT, OUTPUT = 1, 2, 5, 11, 12  # of a GraphProto
EXTERNAL = 1  # TensorProto.DataLocation
OUTSIDE_BYTES = 1 << 20  # smaller constants stay in the graph


def outside(graph: str) -> str:
    """Return the name of the file beside a graph that holds its large constants."""
    return os.path.basename(graph) + "_data"


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node as far as it is asked for."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    name: str = ""

    @classmethod
    def read(cls, raw: Value) -> GraphNode:
        """Read a node from its bytes. Raises ValueError."""
        found: dict[int, list[str]] = {1: [], 2: [], 3: [], 4: []}
        for number, value in fields(memoryview(raw)):  # type: ignore[arg-type]
            if number in found:
                found[number].append(_text(value))
        return cls("".join(found[4]), tuple(found[1]), tuple(found[2]), "".join(found[3]))


def node(kind: str, inputs: Iterable[str], outputs: Iterable[str], name: str, **attributes: Any) -> bytes:
    """Return a node; an attribute is an int, a float or a list of ints."""
    named = [(5, _attribute(key, value)) for key, value in sorted(attributes.items())]
    return message([*((1, one) for one in inputs), *((2, one) for one in outputs), (3, name), (4, kind), *named])


def _attribute(name: str, value: float | Sequence[int]) -> bytes:
    """Return an attribute of a node."""
    kind = ATTRIBUTE_TYPES[type(value)]
    said = [(8, one) for one in value] if isinstance(value, list) else [(2 if kind == 1 else 3, value)]
    return message([(1, name), *said, (20, kind)])


def sized(name: str, kind: int, sizes: Iterable[str | int]) -> bytes:
    """Return the description of an input or output: its type, and its sizes by number or by name."""
    sides = [(1, message([(1 if isinstance(size, int) else 2, size)])) for size in sizes]
    return message([(1, name), (2, message([(1, message([(1, kind), (2, message(sides))]))]))])


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """A model: its nodes in bytes, its constants by name, and what else its graph and the file hold."""

    nodes: tuple[Value, ...]
    constants: Mapping[str, Array]
    graph: Fields
    file: Fields = field(default=())

    def encoded(self, beside: BinaryIO | None = None, location: str = "") -> bytes:
        """Return the file's bytes; large constants are written to `beside`, the file `location`, if there is one."""
        held = [(INITIALIZER, _tensor(name, one, beside, location)) for name, one in self.constants.items()]
        graph = sorted([*((NODE, one) for one in self.nodes), *held, *self.graph], key=lambda pair: pair[0])
        return message(sorted([*self.file, (GRAPH, message(graph))], key=lambda pair: pair[0]))

    def save(self, path: str) -> None:
        """Write the file, and the file beside it. Raises OSError."""
        location = outside(path)
        with open(path, "wb") as file, open(os.path.join(os.path.dirname(path), location), "wb") as beside:
            file.write(self.encoded(beside, location))

    @property
    def opset(self) -> int:
        """The version of the standard operators; 0 if it is not told."""
        for number, raw in self.file:
            found = dict(fields(memoryview(raw))) if number == OPSET_IMPORT else {}  # type: ignore[arg-type]
            if found and not bytes(found.get(1, b"")):
                return int(found.get(2, 0))
        return 0


def load(path: str) -> OnnxModel:
    """Return the model in a file; its constants are mapped, not read. Raises ValueError for another file, OSError."""
    nodes, constants, rest, file = list[Value](), dict[str, Array](), list[tuple[int, Value]](), []
    for number, value in _parts(path):
        if number != GRAPH:
            file.append((number, value))
            continue
        for part, raw in fields(value):  # type: ignore[arg-type]
            found = _constant(raw, os.path.dirname(path)) if part == INITIALIZER else None  # type: ignore[arg-type]
            if found is not None:
                constants[found[0]] = found[1]
            elif part == NODE:
                nodes.append(raw)
            else:
                rest.append((part, raw))
    return OnnxModel(tuple(nodes), constants, tuple(rest), tuple(file))


def kinds(path: str) -> frozenset[str]:
    """Return the operators of a graph, without a look at its constants. Raises ValueError for another file, OSError."""
    graphs = [value for number, value in _parts(path) if number == GRAPH]
    return frozenset(GraphNode.read(raw).kind for graph in graphs for part, raw in fields(graph) if part == NODE)  # type: ignore[arg-type]


def _parts(path: str) -> Iterator[tuple[int, int | memoryview]]:
    """Yield the fields of a file. Raises ValueError if it has no graph."""
    found = list(fields(_mapped(path)))
    if not any(number == GRAPH and not isinstance(value, int) for number, value in found):
        raise ValueError("it has no graph")
    yield from found


def _mapped(path: str) -> memoryview:
    """Return a file's bytes without reading them. Raises ValueError for an empty file, OSError."""
    with open(path, "rb", opener=plain) as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _tensor(name: str, value: Array, beside: BinaryIO | None, location: str) -> bytes:
    """Return a constant, with its numbers in it or, of a large one, with the place where they are written."""
    head: list[tuple[int, Value]] = [*((1, size) for size in value.shape), (2, CODES[value.dtype]), (8, name)]
    if beside is None or value.nbytes < OUTSIDE_BYTES:
        return message([*head, (9, value.tobytes())])
    told = {"location": location, "offset": str(beside.tell()), "length": str(value.nbytes)}
    beside.write(np.ascontiguousarray(value).data)
    return message([*head, *((13, message([(1, key), (2, said)])) for key, said in told.items()), (14, EXTERNAL)])


def _constant(raw: memoryview, folder: str) -> tuple[str, Array] | None:
    """Return name and value of a constant; None for one that is kept in a form of its own. Raises ValueError."""
    found = list(fields(raw))
    one: dict[int, Any] = dict(found)
    kind, sizes = TYPES.get(one.get(2, 0)), [value for number, value in found if number == 1 and isinstance(value, int)]
    data = _data(folder, [value for number, value in found if number == 13]) if one.get(14) else one.get(9)
    if kind is None or data is None:
        return None
    return _text(one[8]), np.frombuffer(data, dtype=kind).reshape(sizes)


def _data(folder: str, entries: Sequence[Any]) -> memoryview:
    """Return the bytes of a constant that are in a file beside the graph. Raises ValueError, OSError."""
    told = {_text(pair[1]): _text(pair[2]) for pair in (dict(fields(entry)) for entry in entries)}
    name = told.get("location", "")
    if not name or os.path.basename(name) != name:
        raise ValueError(f"its weights lie elsewhere: {name!r}")
    whole, offset = _mapped(os.path.join(folder, name)), int(told.get("offset", 0))
    return whole[offset : offset + int(told.get("length", len(whole)))]


def _text(value: Any) -> str:
    """Return the text of a field. Raises ValueError."""
    return bytes(value).decode() if not isinstance(value, int) else ""
