"""OpenVINO gives the vectors of ONNX Runtime, from several threads at once, and its telemetry is never loaded."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from worker_told import embed_settings

from importer.protocol import engines
from importer.worker.embedders import _openvino
from importer.worker.embedders._fastembed_engine import MINILM
from importer.worker.embedders._openvino import OpenVinoModel
from importer.worker.embedders.fastembed import FastEmbedder, open_embedder

needs_openvino = pytest.mark.skipif(not engines.has_openvino(), reason="OpenVINO is not installed: the extra [fast]")
TEXTS = [
    "the pods are killed every night",
    "x",
    "déjà vu; 東京の天気; def main() -> None: ...",
    "A long text of many words goes over several windows. " * 60,
    *(f"text number {n} " + "about memory and queues " * (n % 17) for n in range(60)),
]


def opened(model_dir: str, engine: str, threads: int = 2) -> FastEmbedder:
    return open_embedder(embed_settings(model=MINILM, directory=model_dir, engine=engine, threads=threads))


def vectors(embedder: FastEmbedder) -> np.ndarray:
    windows = [window for parts in embedder.split(TEXTS) for window in parts]
    found = np.zeros((len(windows), embedder.dimension), np.float32)
    groups = embedder.group([window.tokens for window in windows], 512)
    with ThreadPoolExecutor(embedder.lanes) as pool:
        for members, rows in zip(
            groups, pool.map(lambda g: embedder.embed([windows[i] for i in g]), groups), strict=True
        ):
            found[members] = rows
    return found


@needs_openvino
def test_the_vectors_are_those_of_onnx_runtime(model_dir: str) -> None:
    one, other = vectors(opened(model_dir, "onnxruntime")), vectors(opened(model_dir, "openvino"))
    cosines = (one * other).sum(axis=1)
    assert cosines.min() >= 0.9999
    asked = [opened(model_dir, engine).query("who killed the pods?") for engine in ("onnxruntime", "openvino")]
    assert float(asked[0] @ asked[1]) >= 0.9999


@needs_openvino
def test_a_run_gives_the_same_whatever_ran_before(model_dir: str) -> None:
    embedder = opened(model_dir, "openvino", threads=1)
    windows = [parts[0] for parts in embedder.split(["one", "another text", "a third one of more words"])]
    before = embedder.embed(windows).copy()
    for count in (1, 2, 3):
        embedder.embed(windows[:count])
    assert np.array_equal(embedder.embed(windows), before)


@needs_openvino
def test_runs_have_few_widths(model_dir: str) -> None:
    """Each new width costs memory that is never given back; padding changes no vector."""
    embedder = opened(model_dir, "openvino", threads=1)
    windows = [parts[0] for parts in embedder.split(["word " * count for count in (1, 9, 10, 14, 252)])]
    widths = {rows[0].ids.shape[0] for rows in (embedder._documents([window]) for window in windows)}
    assert all(width % OpenVinoModel.step == 0 for width in widths)
    assert max(widths) == embedder.window_tokens


@needs_openvino
def test_runs_compute_few_numbers_of_tokens(model_dir: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code is prepared for each number of tokens that a run computes; the repeats change nothing."""
    counts: list[int] = []
    place = _openvino.places_of
    monkeypatch.setattr(_openvino, "places_of", lambda mask: counts.append(len(found := place(mask))) or found)
    one, other = opened(model_dir, "onnxruntime"), opened(model_dir, "openvino", threads=1)
    counts.clear()  # of the run that is made while it is loaded
    for least in range(20, 32):
        texts = ["word " * count for count in range(least, least + 40, 13)]
        windows = [[parts[0] for parts in embedder.split(texts)] for embedder in (one, other)]
        assert len({window.tokens for window in windows[0]}) == len(texts), "padded unless all are of one length"
        cosines = (one.embed(windows[0]) * other.embed(windows[1])).sum(axis=1)
        assert cosines.min() >= 0.9999
    assert len(counts) == 12
    assert all(count % OpenVinoModel.step == 0 for count in counts)
    assert len(set(counts)) <= 5


MEETING = """
import os, sys, threading
import numpy as np
from importer.worker.embedders._openvino import OpenVinoModel

model = OpenVinoModel(sys.argv[1], threads=1, lanes=2, arithmetic="fp32")
ids = np.full((1, 16), 101)
inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
meeting = threading.Barrier(2)
lanes = [threading.Thread(target=lambda: (meeting.wait(), model.run(None, inputs))) for _ in range(2)]
for lane in lanes:
    lane.start()
for lane in lanes:
    lane.join()
os._exit(0)
"""


@needs_openvino
def test_first_runs_that_meet_do_not_wait_for_each_other(model_dir: str) -> None:
    """The binding prepares itself at the first run; two at once waited for ever in every fourth process."""
    for _ in range(4):
        subprocess.run([sys.executable, "-c", MEETING, f"{model_dir}/model.onnx"], timeout=60, check=True)


@needs_openvino
@pytest.mark.parametrize("looked_at", ["nothing", "the ids", "the mask as it is"])
def test_other_graphs_are_left_alone(looked_at: str) -> None:
    """Only a graph that takes its rows from the mask, as one row, is given the places as an input."""
    import openvino
    from openvino import opset13 as ops

    mask = ops.parameter([-1, -1], openvino.Type.i64, name="attention_mask")
    ids = ops.parameter([-1, -1], openvino.Type.i64, name="input_ids")
    for parameter, name in ((mask, "attention_mask"), (ids, "input_ids")):
        parameter.output(0).set_names({name})
    row = ops.constant(np.array([-1]))
    result = {
        "nothing": lambda: ops.add(mask, ids),
        "the ids": lambda: ops.add(ops.non_zero(ops.reshape(ids, row, False)), ops.reshape(mask, row, False)),
        "the mask as it is": lambda: ops.add(ops.non_zero(mask), ops.reshape(ids, row, False)),
    }[looked_at]()
    model = openvino.Model([result], [mask, ids])
    assert not _openvino._with_places(openvino, model)
    assert [node.get_any_name() for node in model.inputs] == ["attention_mask", "input_ids"]


@needs_openvino
def test_its_telemetry_is_never_imported(model_dir: str) -> None:
    code = """
from worker_told import embed_settings
from importer.worker.embedders._openvino import OpenVinoModel
from importer.worker.embedders.fastembed import open_embedder
open_embedder(embed_settings(model=sys.argv[1], directory=sys.argv[2], engine="openvino")).query("a")
print(sys.modules["openvino_telemetry"], "openvino" in sys.modules)
"""
    begun = f"import sys; sys.path[:0] = {[entry for entry in sys.path if entry]!r}\n"
    arguments = [sys.executable, "-c", begun + code, MINILM, model_dir]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["None", "True"]


def test_an_engine_that_fails_gives_way(model_dir: str, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """Where OpenVINO cannot load a model that `auto` chose it for, ONNX Runtime does; by name, it is an error."""
    from importer.errors import ModelError
    from importer.worker.embedders import _fastembed_engine

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("no such operation")

    monkeypatch.setattr(engines, "has_openvino", lambda: True)
    monkeypatch.setattr(_fastembed_engine, "OpenVinoModel", refuse)
    assert opened(model_dir, "auto").query("a").shape == (384,)
    assert "no such operation" in capsys.readouterr().err
    with pytest.raises(ModelError, match="no such operation"):
        opened(model_dir, "openvino")
