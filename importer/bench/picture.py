"""The measurement as a picture: speed beside memory over time. Needs matplotlib, which is an extra."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from typing import Any

from importer.bench.contest import RIVAL, Results
from importer.bench.endtoend import DAEMON, WORKER
from importer.bench.watching import Watched
from importer.errors import UsageError
from importer.protocol.units import MB

SUFFIXES = (".svg", ".png")


def check(path: str, instead: str = "take --json") -> None:
    """Check, before anything is measured, that a picture can be drawn. Raises UsageError with `instead` in its hint."""
    if os.path.splitext(path)[1].lower() not in SUFFIXES:
        raise UsageError(f"{path}: neither .svg nor .png", hint="--plot FILE.svg")
    if importlib.util.find_spec("matplotlib") is None:
        hint = f"pip install 'conversation-importer[plot]', or {instead}"
        raise UsageError("--plot needs matplotlib, which is not installed", hint=hint)


def draw(found: Mapping[str, Any], results: Results, path: str) -> None:
    """Write the picture. Raises OSError.

    Resident memory over seconds since each contender's own start.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  # an extra, and heavy

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    speed, memory = figure.subplots(1, 2, width_ratios=(1, 2))
    names = ("ceiling", "importer", "raw", "inprocess")
    speed.bar(names, [found[name]["tokens_per_s"] for name in names], color=("grey", "C0", "C1", "C3"))
    speed.set(title="speed", ylabel="tokens/s")
    for watched, name, label in _curves(results):
        samples = watched.of(name)
        seconds = [sample.at_s - watched.started_s for sample in samples]
        memory.plot(seconds, [sample.rss_bytes / MB for sample in samples], label=label, gid=label)
    memory.set(title="resident memory", xlabel="seconds", ylabel="MB", ylim=(0, None))
    memory.legend(loc="best")
    figure.savefig(path)


def _curves(results: Results) -> list[tuple[Watched, str, str]]:
    """Return `(measurement, name of the process, label)` of every curve; contenders without measurement have none."""
    curves: list[tuple[Watched, str, str]] = []
    if results.imported is not None:
        curves += [(results.imported.watched, name, f"importer: {name}") for name in (WORKER, DAEMON)]
    rivals = (("raw fastembed", results.raw), ("in-process importer", results.inprocess))
    return curves + [(rival.watched, RIVAL, label) for label, rival in rivals if rival is not None]
