"""Weights: arrays by name, and a ValueError for anything that is not what its header says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from importer.worker.models.safetensors import load_file


def packed(header: dict, numbers: bytes) -> bytes:
    said = json.dumps(header).encode()
    return len(said).to_bytes(8, "little") + said + numbers


def test_arrays_by_name(tmp_path):
    """In the form that the format's own description gives; its remarks are no array."""
    wide, narrow = np.arange(6, dtype=np.float32).reshape(2, 3), np.array([2.5, -1], dtype=np.float16)
    header = {
        "__metadata__": {"format": "pt"},
        "wide": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "narrow": {"dtype": "F16", "shape": [2], "data_offsets": [24, 28]},
    }
    (tmp_path / "w").write_bytes(packed(header, wide.tobytes() + narrow.tobytes()))
    found = load_file(str(tmp_path / "w"))
    assert found.keys() == {"wide", "narrow"}
    assert np.array_equal(found["wide"], wide) and np.array_equal(found["narrow"], narrow)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"short",
        b"\xff" * 16,
        packed({"a": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}, b"xx"),
        packed({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, b"cut"),
        packed({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, b"8 bytes!"),
    ],
)
def test_damage_is_a_value_error(tmp_path, raw):
    """Never numbers that are not there."""
    (tmp_path / "w").write_bytes(raw)
    with pytest.raises(ValueError):
        load_file(str(tmp_path / "w"))
