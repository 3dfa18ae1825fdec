"""OpenVINO in place of ONNX Runtime beneath fastembed: the same model file, asked through the same two methods.

fastembed makes the inputs of a run and pools its output; what it calls its model needs `get_inputs` and `run` for that.
Threads are not bound to cores: two lanes bound to one core had half the speed.

OpenVINO prepares code for each shape of run that it meets, 5 ms in each lane, and keeps some of it for good. So there
are few shapes: widths are multiples of STEP, and so is the number of tokens that a run computes. That number hangs on
the attention mask where a graph takes its rows from `NonZero(mask)`, as the ones that `model fetch` writes do: padding
costs them nothing, but hardly any two runs are alike. Here such a graph is given those places as an input, the last one
repeated up to a multiple of STEP: nothing reads the rows of the repeats. 1,000 chunks of the benchmark took 170 MB of
anonymous memory in place of 264 MB (AVX-512 BF16, two lanes), and an import 0.95 of what the engine does alone in place
of 0.905. With AMX 800 runs took 133 MB in place of 254 MB and growing. SHAPES bounds what is kept ready beside that:
after 3,000 random shapes 217 MB in place of 308 MB.

Its binding prepares what it needs of NumPy at the first run, behind a lock that it waits for while it holds the
interpreter's: two lanes that began their first runs together waited for each other for ever, 4 of 16 times where they
met on purpose, and the daemon ended such a worker only after minutes. So the thread that loads makes the first run,
alone; it is as small as a question, whose code is prepared with it.

What a run of any size costs is much beside bf16's products: 768 tokens a run in place of 384 gave 9,400 tokens a
second of processor time in place of 7,000 (AMX, one lane, long windows, interleaved). A token takes half of the bytes,
so a run has twice as many in the same memory.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SHAPES = 64  # prepared shapes kept for each lane
STEP = 16  # tokens
PLACES = "places"  # the input that stands in for `NonZero(mask)`
FORBIDDEN = ("openvino_telemetry", "openvino.tools.ovc")
"""What OpenVINO imports where it can, and works the same without: one could call home, the other converts models of
other kinds, for 5 MB and two thirds of the time that its import takes."""
HINTS = {"fp32": "f32", "bf16": "bf16"}


class InputName(NamedTuple):
    """An input of the graph, as ONNX Runtime describes one."""

    name: str


class OpenVinoModel:
    """A compiled model. `run` may be called by as many threads at once as there are lanes.

    Runs are best a multiple of `step` tokens wide, and may have `run_factor` times the tokens of one in fp32.
    """

    step = STEP

    def __init__(self, graph: str, *, threads: int, lanes: int, arithmetic: str) -> None:
        for name in FORBIDDEN:
            sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # None forbids the import
        import openvino  # noqa: PLC0415  # an extra that need not be installed

        settings = {
            "INFERENCE_PRECISION_HINT": HINTS[arithmetic],
            "INFERENCE_NUM_THREADS": threads * lanes,
            "NUM_STREAMS": lanes,
            "ENABLE_CPU_PINNING": False,
            "CPU_RUNTIME_CACHE_CAPACITY": SHAPES,
        }
        core: Any = openvino.Core()
        model = core.read_model(graph)
        self._takes_places = _with_places(openvino, model)
        self._compiled: Any = core.compile_model(model, "CPU", settings)
        self._requests = threading.local()
        self.run_factor = 2 if arithmetic == "bf16" else 1
        self._run_alone()

    def _run_alone(self) -> None:
        """Make a first run, of one text that is as short as can be, before any other thread can."""
        ids = np.zeros((1, STEP), dtype=np.int64)
        given = {"attention_mask": np.ones_like(ids)}
        self.run(None, {one.name: given.get(one.name, ids) for one in self.get_inputs()})

    def get_inputs(self) -> list[InputName]:
        """Return the names of the graph's inputs."""
        names = (node.get_any_name() for node in self._compiled.inputs)
        return [InputName(name) for name in names if name != PLACES]

    def run(self, _outputs: Sequence[str] | None, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Run the model once and return its outputs in the graph's order; the next run of this thread reuses them."""
        request = getattr(self._requests, "one", None)
        if request is None:
            request = self._requests.one = self._compiled.create_infer_request()
        given = dict(inputs)
        if self._takes_places:
            given[PLACES] = places_of(inputs["attention_mask"])
        results = request.infer(given, share_inputs=True, share_outputs=True)
        return [results[index] for index in range(len(self._compiled.outputs))]


def places_of(mask: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where the mask (windows, tokens), as one row, is not zero, and the last place up to a multiple of STEP."""
    places = np.flatnonzero(mask)
    return np.pad(places, (0, -len(places) % STEP), mode="edge")


def _with_places(openvino: Any, model: Any) -> bool:
    """Make what the graph takes from `NonZero(mask)` an input, and return True; leave any other graph as it is."""
    found = [node for node in model.get_ops() if node.get_type_name() == "NonZero"]
    if len(found) != 1 or not _is_of_mask(found[0]):
        return False
    places = openvino.opset13.parameter([-1], openvino.Type.i64, name=PLACES)
    places.output(0).set_names({PLACES})
    row = openvino.opset13.unsqueeze(places, 0)  # NonZero has a row for each dimension of what it looks at
    for user in found[0].output(0).get_target_inputs():
        user.replace_source_output(row.output(0))
    model.add_parameters([places])
    model.validate_nodes_and_infer_types()
    return True


def _is_of_mask(node: Any) -> bool:
    """Return True if the node looks at nothing but the attention mask, laid out as one row."""
    shape = node.input_value(0).get_partial_shape()
    while node.get_type_name() in {"NonZero", "Reshape", "Convert"}:
        node = node.input_value(0).get_node()
    is_mask = node.get_type_name() == "Parameter" and "attention_mask" in node.output(0).get_names()
    return bool(is_mask and shape.rank.is_static and shape.rank.get_length() == 1)
