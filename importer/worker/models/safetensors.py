"""Read weights in the form of safetensors: a header of JSON, and the numbers behind it, which are mapped, not read."""

from __future__ import annotations

import json
import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from importer.protocol.system.plain import plain

TYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32, "U8": np.uint8}


def load_file(path: str) -> dict[str, NDArray[Any]]:
    """Return the arrays in a file by name. Raises ValueError for another file or another type of numbers, OSError."""
    with open(path, "rb", opener=plain) as file:
        raw = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    begin = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(bytes(raw[8:begin]))
    return {name: _array(raw[begin:], told) for name, told in header.items() if name != "__metadata__"}


def _array(raw: memoryview, told: dict[str, Any]) -> NDArray[Any]:
    """Return the array that a row of the header describes. Raises ValueError."""
    if told["dtype"] not in TYPES:
        raise ValueError(f"numbers of the type {told['dtype']} are not read")
    begin, end = told["data_offsets"]
    return np.frombuffer(raw[begin:end], dtype=TYPES[told["dtype"]]).reshape(told["shape"])
