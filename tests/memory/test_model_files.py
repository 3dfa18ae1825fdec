"""The least that a model needs, by its files, before it was ever loaded."""

from __future__ import annotations

import pathlib
from dataclasses import replace

import pytest

from importer.errors import UsageError
from importer.memory import profiles
from importer.memory.model_files import floor_of
from importer.memory.profiles import FLOOR_BYTES
from importer.protocol.units import MB
from importer.settings.load import Settings


def settings(model: str, **more: str) -> Settings:
    base = Settings(state_dir="/nowhere")
    return replace(base, embed=replace(base.embed, model=model, **more))


def write(path: pathlib.Path, megabytes: int) -> None:
    """Write a file of that size that takes no room."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(megabytes * MB)


def test_a_large_graph_needs_more_than_the_default(tmp_path: pathlib.Path) -> None:
    """Of several graphs the smallest is the least; weights beside a graph count half, for part of them is mapped."""
    write(tmp_path / "model.onnx", 1300)
    assert floor_of(settings(str(tmp_path))) == 1385 * MB
    write(tmp_path / "onnx" / "model.onnx", 2)
    write(tmp_path / "onnx" / "model.onnx_data", 600)
    assert floor_of(settings(str(tmp_path))) == 387 * MB


def test_a_model_by_its_name_is_found_below_the_models(tmp_path: pathlib.Path) -> None:
    """And what is not here yet, or runs elsewhere, is taken for the default."""
    write(tmp_path / "org--large" / "model.onnx", 500)
    assert floor_of(settings("org/large", model_dir=str(tmp_path))) == 585 * MB
    assert floor_of(settings("org/other", model_dir=str(tmp_path))) == FLOOR_BYTES
    assert floor_of(settings("org/large", model_dir=str(tmp_path), provider="openai")) == FLOOR_BYTES


def test_a_profile_that_cannot_hold_it_is_refused(tmp_path: pathlib.Path) -> None:
    """With both numbers, before anything is loaded."""
    write(tmp_path / "model.onnx", 1300)
    found = settings(str(tmp_path))
    with pytest.raises(UsageError, match=r"900 MB; the worker needs more than 1385 MB"):
        profiles.resolve(found, 16 << 30, floor_bytes=floor_of(found))
