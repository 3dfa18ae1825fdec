"""OpenVINO in place of ONNX Runtime beneath fastembed: the same model file, asked through the same two methods.

fastembed makes the inputs of a run and pools its output; what it calls its model needs `get_inputs` and `run` for that.
Threads are not bound to cores: two lanes bound to one core had half the speed.

OpenVINO prepares code for each shape of run that it meets. SHAPES bounds what it keeps ready of that: after 3,000
random shapes 217 MB of anonymous memory in place of 308 MB. With AMX that does not suffice, for each shape leaves
memory behind: after 800 runs in one lane 254 MB and growing, against 133 MB and flat where widths are multiples of
STEP, which are few shapes (2 % more tokens are padding; no slower).

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
        self._compiled: Any = openvino.Core().compile_model(graph, "CPU", settings)
        self._requests = threading.local()
        self.run_factor = 2 if arithmetic == "bf16" else 1

    def get_inputs(self) -> list[InputName]:
        """Return the names of the graph's inputs."""
        return [InputName(node.get_any_name()) for node in self._compiled.inputs]

    def run(self, _outputs: Sequence[str] | None, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Run the model once and return its outputs in the graph's order; the next run of this thread reuses them."""
        request = getattr(self._requests, "one", None)
        if request is None:
            request = self._requests.one = self._compiled.create_infer_request()
        results = request.infer(dict(inputs), share_inputs=True, share_outputs=True)
        return [results[index] for index in range(len(self._compiled.outputs))]
