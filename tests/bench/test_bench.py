"""`importer bench` computes its figures rightly, and the rivals do what their descriptions say."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from importer.bench import contest, endtoend, material, picture, report
from importer.bench import report as slope
from importer.bench.contest import RIVAL, Contest, Results, Times
from importer.bench.endtoend import DAEMON, WORKER, MeasuredImport
from importer.bench.rivals.orders import Order
from importer.bench.watching import JsonEvent, ProcessSample, Watched, watch
from importer.chunking.fold import Cutting
from importer.errors import UsageError

MB = 1024 * 1024
HEAVY = ("numpy", "onnxruntime", "fastembed", "qdrant_client", "qdrant_edge", "grpc", "pydantic", "tokenizers")


def grown(bytes_per_file: float, files: int = 100) -> list[tuple[float, float]]:
    return [(float(n), 200 * MB + bytes_per_file * n) for n in range(files)]


@pytest.mark.parametrize("bytes_per_file", [0, 50_000, -1000])
def test_a_slope_is_found(bytes_per_file: int) -> None:
    """Bytes per 1,000 files are those that were put in."""
    assert slope.per_thousand_files(grown(bytes_per_file)) == pytest.approx(1000 * bytes_per_file)


def test_what_fills_up_at_first_is_no_slope() -> None:
    """Caches that are filled in the first half count as little as a peak in the second."""
    points = [(float(n), min(n, 40) * MB + 900 * MB * (n == 90)) for n in range(100)]
    assert slope.per_thousand_files(points) == 0
    assert slope.flatness(points) == pytest.approx(40 / 12)


@pytest.mark.parametrize("few", [[], [(1.0, 2.0)], [(1.0, 2.0)] * 20])
def test_nothing_is_made_of_nothing(few: list[tuple[float, float]]) -> None:
    """Too few samples, or samples of one moment only, give no slope."""
    assert (slope.per_thousand_files(few), slope.flatness(few)) == (0.0, 1.0)


def test_samples_are_placed_between_receipts() -> None:
    """Halfway between two receipts half of the files of the later one are in; before the first nothing counts."""
    samples = [ProcessSample(at, WORKER, size, 0) for at, size in ((0.5, 1), (1.0, 2), (2.0, 3), (3.0, 4))]
    assert endtoend.along(samples, [(1.0, 10), (3.0, 20)]) == [(10.0, 2.0), (20.0, 3.0)]


def watched_of(*events: tuple[float, dict[str, object]], samples: tuple[ProcessSample, ...] = ()) -> Watched:
    return Watched(events=[JsonEvent(at, facts) for at, facts in events], samples=list(samples), seconds=10.0, code=0)


@pytest.mark.parametrize(
    ("at_s", "rss_mb", "marks", "ended"),
    [
        (10, 100, 1, ""),
        (40, 100, 1, "its time was over"),
        (40, 100, 0, ""),
        (400, 100, 0, "its time was over"),
        (5, 4000, 0, "more than 3,072 MB"),
    ],
)
def test_when_a_rival_has_done_enough(at_s: int, rss_mb: int, marks: int, ended: str) -> None:
    """A rival is ended after its time if it reported, else after ten times that, and above its memory bound at once."""
    events = [(1.0, {"ready": True}), *[(2.0, {"tokens": 1})] * marks]
    seen = watched_of(*events, samples=(ProcessSample(float(at_s), RIVAL, rss_mb * MB, 0),))
    assert contest.reason_to_end(seen, 30.0, 3072 * MB) == ended


def test_a_process_is_watched() -> None:
    """Its JSON lines come as events, the other ones do not; its memory is sampled; its output is kept."""
    code = "import json, time; x = b'1' * (64 << 20); print('noise'); print(json.dumps({'a': 1}), flush=True)"
    seen = watch([sys.executable, "-c", code + "; time.sleep(0.5)"], name="it")
    assert [event.facts for event in seen.events] == [{"a": 1}]
    assert (seen.code, seen.ended, seen.out.splitlines()[0]) == (0, "", b"noise")
    assert 64 * MB < seen.peak("it", anon=True) <= seen.peak("it") < 256 * MB


def test_a_process_is_ended() -> None:
    """A process is ended as soon as there is a reason, which is kept."""
    seen = watch([sys.executable, "-c", "import time; time.sleep(600)"], name="it", stop=lambda _seen: "enough")
    assert (seen.ended, seen.code) == ("enough", -9)


def test_chunks_are_the_importers(tmp_path: pathlib.Path) -> None:
    """What the rivals embed is what the importer stores for the same files."""
    import oracle

    made = material.make(str(tmp_path), files=6, seed=2, mix="ent", cutting=Cutting(1000, 200))
    texts = json.loads(pathlib.Path(made.texts).read_bytes())
    expected = oracle.expect(made.manifest.folder).chunks.values()
    assert sorted(texts) == sorted(forms[0].text for forms in expected)
    assert (made.chunks, len(made.files)) == (len(texts), 6)


def test_the_ceiling_runs_each_window_once_and_unpadded(model_dir: str, tmp_path: pathlib.Path) -> None:
    """In each shape all tokens are run over, none twice, in runs of equal length within the bound."""
    from importer.bench.rivals import ceiling

    texts = tmp_path / "texts"
    texts.write_text(json.dumps(["a word or two " * n for n in (1, 2, 2, 3, 9, 80, 80, 400)]))
    windows = ceiling.windows_of(Order("sentence-transformers/all-MiniLM-L6-v2", model_dir, texts=str(texts)))
    for most in ceiling.SHAPES.values():
        runs = ceiling.runs(windows, most, {"input_ids", "attention_mask"})
        assert sum(tokens for _, tokens in runs) == sum(window.tokens for window in windows)
        assert all(tokens <= most or len(inputs["input_ids"]) == 1 for inputs, tokens in runs)
        assert all(inputs["attention_mask"].all() and len(inputs) == 2 for inputs, _ in runs)


def test_rivals_get_the_model_as_exporters_write_it(model_dir: str, tmp_path: pathlib.Path) -> None:
    """Both graphs compute the same function; a graph that is not ours is left as it is."""
    import numpy as np
    import onnxruntime

    from importer.bench.rivals import exported

    target = exported.directory(model_dir, str(tmp_path / "exported"))
    ids = np.random.default_rng(1).integers(1000, 20_000, (3, 40))
    mask = np.array([[1] * length + [0] * (40 - length) for length in (40, 7, 23)])
    inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    ours, theirs = (
        onnxruntime.InferenceSession(f"{folder}/model.onnx").run(None, inputs)[0] for folder in (model_dir, target)
    )
    assert np.abs((ours - theirs) * mask[..., None]).max() < 1e-4
    assert exported.directory(target, str(tmp_path / "more")) == target


def test_the_cli_stays_light() -> None:
    """The command that measures imports none of the libraries that are measured."""
    code = f"import sys, importer.cli.commands.bench; print(sorted({set(HEAVY)!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.fixture(scope="module")
def contested(model_dir: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Results]:
    """A whole contest, as short as can be."""
    folder = str(tmp_path_factory.mktemp("bench"))
    made = material.make(folder, files=4, seed=2, mix="fsm", cutting=Cutting(1000, 200))
    model = "sentence-transformers/all-MiniLM-L6-v2"
    order = Order(model, model_dir, texts=made.texts, files=made.files, folder=folder, threads=1)
    own = {"IMPORTER_WORKER_NICE": "0", "IMPORTER_EMBED_MODEL_DIR": os.path.dirname(model_dir), "HF_HUB_OFFLINE": "1"}
    results = Contest(made, order, Times(0.2, 1.0, 1.0), {**os.environ, **own}).run()
    return report.figures(results, made, {}), results


@pytest.fixture(scope="module")
def found(contested: tuple[dict[str, Any], Results]) -> dict[str, Any]:
    return contested[0]


def test_a_whole_contest(found: dict[str, Any]) -> None:
    """All contenders were measured, the importer did all files once, and a second import embedded nothing."""
    assert not found["raw"]["problem"] and not found["inprocess"]["problem"]
    assert all(found[name]["tokens_per_s"] > 0 for name in ("ceiling", "importer", "raw", "inprocess"))
    assert (found["importer"]["files"], found["noop"]["embedded"], found["noop"]["lines"]) == (4, 0, 0)
    assert found["importer"][WORKER]["peak_rss_bytes"] > found["importer"][DAEMON]["peak_rss_bytes"] > 8 * MB
    ours = found["importer"]["tokens_per_s"] / found["ceiling"]["tokens_per_s"]
    assert found["ratios"]["to_ceiling"] == pytest.approx(ours, abs=0.001)


def test_it_can_be_read(found: dict[str, Any]) -> None:
    """There is a table of equal columns, and a sentence for what does not fit into one."""
    lines = report.text(found)
    assert lines[0].split()[:2] == ["tokens/s", "chunks/s"]
    assert all(name in "\n".join(lines) for name in ("ceiling", "worker", "daemon", "raw fastembed", "in-process"))
    assert json.loads(json.dumps(found)) == found


def test_a_fresh_worker_is_compared_with_a_warm_one() -> None:
    """Its first batch is compared per token with the usual one, and the time until it was ready is told."""
    stored = {"event": "batch.stored", "files": 1, "tokens": 100, "embed_s": 1.0}
    start = {"event": "worker.started", "pid": 1, "seconds": 0.7}
    first = {**stored, "embed_s": 1.5}
    seen = watched_of(*enumerate([start, first, stored, stored]))
    assert MeasuredImport({}, seen).recycling() == {"ready_s": 0.7, "first_batch_ratio": 1.5, "workers": 1}
    assert MeasuredImport({}, seen).steady_tokens_per_s == 100.0


def test_a_picture_needs_a_known_ending() -> None:
    """A file that cannot be drawn is refused before anything is measured."""
    with pytest.raises(UsageError, match="neither"):
        picture.check("bench.pdf")


def test_it_can_be_drawn(contested: tuple[dict[str, Any], Results], tmp_path: pathlib.Path) -> None:
    """There is a bar for each contender and a curve for each process that was sampled."""
    pytest.importorskip("matplotlib")
    picture.draw(*contested, str(tmp_path / "bench.svg"))
    drawn = (tmp_path / "bench.svg").read_text()
    assert all(f'id="{name}"' in drawn for name in ("importer: worker", "importer: daemon", "raw fastembed"))
