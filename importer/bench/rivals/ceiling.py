"""The ceiling: an engine alone, on the very windows the importer would run; ONNX Runtime with its own default options.

Nothing is tokenised, averaged or stored while the clock runs. Nor is anything padded, but that OpenVINO's runs are as
wide as it wants them (`OpenVinoModel.step`), for it prepares code anew for each width. Three shapes of run (windows one
by one, and windows of equal width together in runs of up to 512 or 1,024 tokens) take turns with three uses of the same
number of threads: all of them on one run, spinning while they wait (the default) or not, and each on a run of its own.
Every turn is a slice of half a second, so that a noisy machine is noisy to all. The best of the nine is the ceiling.
OpenVINO runs in a process of its own, for spinning threads of another engine take a third of its speed.
"""

from __future__ import annotations

import itertools
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from importer.bench.rivals.orders import Order, RivalProgress, read_order, read_texts
from importer.protocol import engines
from importer.protocol.worker_settings import EmbedSettings
from importer.worker.embedders import Window, fastembed
from importer.worker.embedders._openvino import OpenVinoModel

SHAPES = {"single": 1, "equal 512": 512, "equal 1024": 1024}  # most tokens in a run of more than one window
SLICE_S = 0.5
Run = tuple[dict[str, NDArray[np.int64]], int]  # inputs, each (windows, tokens); and how many tokens that is


class LoadedModel(NamedTuple):
    """A loaded model and how many runs go on in it at once."""

    runtime: Any
    lanes: int = 1


def main() -> None:
    """Report every slice: its shape, tokens, seconds and processor time."""
    given, progress = read_order(), RivalProgress()
    windows = windows_of(given)
    sessions = models_of(given)
    names = {node.name for node in next(iter(sessions.values())).runtime.get_inputs()}
    step = max(getattr(model.runtime, "step", 1) for model in sessions.values())
    circles = {shape: itertools.cycle(runs(windows, most, names, step)) for shape, most in SHAPES.items()}
    kinds = list(itertools.product(circles, sessions))
    for shape, threads in kinds:  # a first slice of each warms its shapes
        _slice(sessions[threads], circles[shape], SLICE_S / 4)
    progress.write(ready=True, windows=len(windows))
    end_s = time.monotonic() + given.seconds
    while time.monotonic() < end_s:
        for shape, threads in kinds:
            cpu_s = time.process_time()
            tokens, seconds = _slice(sessions[threads], circles[shape], SLICE_S)
            cpu_s = time.process_time() - cpu_s
            progress.write(shape=f"{shape}, {threads}", tokens=tokens, seconds=seconds, cpu_s=cpu_s)


def models_of(given: Order) -> dict[str, LoadedModel]:
    """Load the model for each use of the threads. Raises what the engine raises."""
    if given.engine == "openvino":
        engine = engines.choose(given.engine, "fp32")
        graph = f"{given.directory}/{given.graph}"
        model = OpenVinoModel(graph, threads=1, lanes=given.threads, arithmetic=engine.arithmetic)
        return {str(engine): LoadedModel(model, given.threads)}
    return {
        "spinning": LoadedModel(session_of(given, given.threads, spinning=True)),
        "resting": LoadedModel(session_of(given, given.threads, spinning=False)),
        "side by side": LoadedModel(session_of(given, 1, spinning=False), given.threads),
    }


def windows_of(given: Order) -> list[Window]:
    """Return the windows that the importer cuts the chunks into."""
    settings = EmbedSettings(
        provider="fastembed", model=given.model, directory=given.directory, model_dir="", dimension=0,
        precision="fp32", window_tokens=given.window_tokens, offline=True, engine="onnxruntime",
        threads=given.threads, token_budget=0, arena=True, spinning=False, timeout_s=0.0, api_key="", base_url="",
        device="cpu", gpu_memory_mb=0,
        usage_file="", max_tokens_per_day=0, max_cost_per_month=0.0, price_per_million=0.0,
    )  # fmt: skip
    embedder = fastembed.open_embedder(settings)
    return [window for parts in embedder.split(read_texts(given)) for window in parts]


def session_of(given: Order, threads: int, *, spinning: bool) -> Any:
    """Load a model with ONNX Runtime's defaults but for its threads. Raises what ONNX Runtime raises."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
    return onnxruntime.InferenceSession(
        f"{given.directory}/{given.graph}", sess_options=options, providers=["CPUExecutionProvider"]
    )


def runs(windows: Sequence[Any], most_tokens: int, names: set[str], step: int = 1) -> list[Run]:
    """Put each window into exactly one run, none padded beyond a multiple of `step` tokens, in random order.

    The order is random but always the same, for all shapes and machines.
    """
    by_width: Mapping[int, list[Any]] = defaultdict(list)
    for window in windows:
        by_width[-(-window.tokens // step) * step].append(window)
    found: list[Run] = []
    for width, alike in by_width.items():
        most = max(1, most_tokens // width)
        found += [_run(alike[at : at + most], width, names) for at in range(0, len(alike), most)]
    random.Random(1).shuffle(found)  # noqa: S311  # an order, not keys
    return found


def _run(alike: Sequence[Any], width: int, names: set[str]) -> Run:
    """Return those inputs of one run that the graph has, each (windows, width), and how many real tokens there are."""
    ids = np.stack([np.pad(window.ids, (0, width - window.tokens)) for window in alike]).astype(np.int64)
    mask = (np.arange(width) < np.array([[window.tokens] for window in alike])).astype(np.int64)
    every = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    return {name: value for name, value in every.items() if name in names}, int(mask.sum())


def _slice(session: LoadedModel, runs: Iterator[Run], seconds: float) -> tuple[int, float]:
    """Run until the seconds are over; return the tokens and the seconds that it took."""
    started_s = time.perf_counter()

    def lane(_number: int) -> int:
        tokens = 0
        while time.perf_counter() - started_s < seconds:
            inputs, count = next(runs)
            # ONNX Runtime lets go of the interpreter's lock meanwhile, so lanes run side by side.
            session.runtime.run(None, inputs)
            tokens += count
        return tokens

    with ThreadPoolExecutor(session.lanes) as pool:
        tokens = sum(pool.map(lane, range(session.lanes)))
    return tokens, time.perf_counter() - started_s


if __name__ == "__main__":
    main()
