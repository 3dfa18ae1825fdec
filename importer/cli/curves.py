"""`importer status --memory`: what worker and daemon took over time, and how workers ended.

Values are bytes at UTC seconds. Of the worker it is anonymous memory and swap, by which it is recycled: mapped files
are the kernel's to take back.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from importer import curve
from importer.checkpoints import Checkpoints
from importer.cli import wiring, words
from importer.curve import BLOCKS, PLAIN, Frame, Point
from importer.errors import DONE, UsageError
from importer.history import COARSE_S, FINE_S, RINGS, Ending, Moment
from importer.policy import Recycle
from importer.settings import Settings

SHOWN_ENDINGS = 12  # the newest ones, singly
PLANNED = frozenset(str(reason) for reason in Recycle)  # every other reason is a crash
SUFFIXES = (".svg", ".png")


@dataclass(frozen=True, slots=True)
class Past:
    """What was measured between two UTC seconds, every `step_s`; a worker that was not there has no sample."""

    since: float
    until: float
    step_s: int
    moments: Sequence[Moment]
    endings: Sequence[Ending]  # oldest first

    @property
    def worker(self) -> list[Point]:
        """Anonymous memory and swap of the worker."""
        judged = ((m.at, float(m.worker_anon_bytes + m.worker_swap_bytes)) for m in self.moments)
        return [point for point in judged if point[1]]

    @property
    def daemon(self) -> list[Point]:
        """Resident memory of the daemon."""
        return [(m.at, float(m.daemon_rss_bytes)) for m in self.moments if m.daemon_rss_bytes]


def show(settings: Settings, *, hours: float, plot: str, as_json: bool) -> int:
    """Draws, writes or prints the history. Raises UsageError when there is nothing to draw with."""
    past = recall(Checkpoints.peek(wiring.database_of(settings)), hours)
    if plot:
        write_plot(past, plot)
        click.echo(f"written to {plot}", err=as_json)
    if as_json:
        sys.stdout.write(json.dumps(plain(past)) + "\n")
    elif not plot:
        click.echo("\n".join(text(past, settings)))
    return DONE


def recall(checkpoints: Checkpoints | None, hours: float, *, now: float | None = None) -> Past:
    """The last hours: by the second as far as that reaches, else the worst of every ten minutes.

    The coarse ring keeps the worst of its time, so that a peak is not averaged away.
    """
    until = time.time() if now is None else now
    since = until - hours * 3600
    step_s = FINE_S if hours * 3600 <= FINE_S * RINGS[FINE_S] else COARSE_S
    if checkpoints is None:
        return Past(since, until, step_s, (), ())
    history = checkpoints.history
    endings = [ending for ending in reversed(history.endings()) if ending.at >= since]
    return Past(since, until, step_s, history.curve(since=since, step_s=step_s), endings)


def plain(past: Past) -> dict[str, Any]:
    """The series, for programs."""
    return {
        "since": past.since,
        "until": past.until,
        "step_s": past.step_s,
        "samples": [moment._asdict() for moment in past.moments],
        "recycles": [{**ending._asdict(), "planned": ending.reason in PLANNED} for ending in past.endings],
        "peaks": {name: int(max((value for _, value in points), default=0)) for name, points in _series(past)},
    }


def _series(past: Past) -> list[tuple[str, list[Point]]]:
    """The two curves by the name they have in the JSON, in bytes."""
    return [("worker_anon_bytes", past.worker), ("daemon_rss_bytes", past.daemon)]


def text(past: Past, settings: Settings) -> list[str]:
    """The curves and the endings as lines."""
    if not past.moments:
        span = words.duration(past.until - past.since)
        return [f"nothing was measured in the last {span}; the importer measures while it runs"]
    columns = max(20, min(120, shutil.get_terminal_size((100, 24)).columns) - curve.LABEL_CHARS - 3)
    frame = Frame(begin(past), past.until, columns, blocks=_blocks())
    limits = wiring.profile_of(settings)
    return [
        _title("worker", "anonymous memory and swap", past.worker, f"recycled above {limits.soft_limit_mb} MB"),
        *curve.chart(past.worker, frame),
        curve.marks([(ending.at, _letter(ending)) for ending in past.endings], frame),
        _title("daemon", "resident memory", past.daemon, f"leaves above {settings.daemon.operational_memory_mb} MB"),
        *curve.chart(past.daemon, frame),
        "",
        *_endings(past.endings),
    ]


def begin(past: Past) -> float:
    """Where a chart begins: with the first sample, so that a young installation fills it too."""
    return min(max(past.since, past.moments[0].at), past.until - 60 * past.step_s) if past.moments else past.since


def _blocks() -> str:
    """Block characters where the output can carry them."""
    try:
        BLOCKS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return PLAIN
    return BLOCKS


def _title(name: str, what: str, points: Sequence[Point], limit: str) -> str:
    """The figures of a curve and the limit it is held against, above the drawing."""
    values = sorted(value for _, value in points)
    if not values:
        return click.style(name, bold=True) + f"  {what}: none was measured"
    middle, peak, last = values[len(values) // 2], values[-1], points[-1][1]
    figures = f"peak {words.size(peak)}, median {words.size(middle)}, last {words.size(last)}"
    return click.style(name, bold=True) + f"  {what}: {figures}; {limit}"


def _letter(ending: Ending) -> str:
    """The first letter of a planned end's reason, X for a crash."""
    return ending.reason[0] if ending.reason in PLANNED else "X"


def _endings(endings: Sequence[Ending]) -> list[str]:
    """How many workers ended for each reason, and the newest ones singly; crashes stand out."""
    if not endings:
        return ["no worker ended"]
    counts = Counter(ending.reason if ending.reason in PLANNED else "crash" for ending in endings)
    lines = [", ".join(f"{count} x {reason}" for reason, count in counts.most_common()) + ":"]
    for ending in endings[-SHOWN_ENDINGS:]:
        facts = f"{ending.files} files, {words.size(ending.anon_bytes)}, lived {words.duration(ending.lived_s)}"
        line = f"  {words.when(ending.at)}  {_letter(ending)} {ending.reason}: {facts}"
        lines.append(line if ending.reason in PLANNED else click.style(line, fg="red"))
    return lines


def broken(points: Sequence[Point], gap_s: float) -> list[Point]:
    """The points with a hole (not a number) wherever nothing was measured for longer than that."""
    drawn: list[Point] = []
    for at, value in points:
        if drawn and at - drawn[-1][0] > gap_s:
            # matplotlib draws no line to or from what is not a number.
            drawn.append((drawn[-1][0], math.nan))
        drawn.append((at, value))
    return drawn


def write_plot(past: Past, path: str) -> None:
    """The curves as a picture. Raises UsageError without matplotlib, or for another kind of file."""
    if os.path.splitext(path)[1].lower() not in SUFFIXES:
        raise UsageError(f"{path}: neither .svg nor .png", hint="--plot memory.svg")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        hint = "pip install 'conversation-importer[plot]', or look at `importer status --memory`"
        raise UsageError("--plot needs matplotlib, which is not installed", hint=hint) from error
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.add_subplot()
    for (name, points), label in zip(_series(past), ("worker, anonymous + swap", "daemon, resident"), strict=True):
        drawn = broken(points, 5 * past.step_s)  # a few missed samples are drawn through
        minutes = [(at - past.until) / 60 for at, _ in drawn]
        axes.plot(minutes, [value / curve.MB for _, value in drawn], label=label, gid=name)
    for ending in past.endings:
        planned = ending.reason in PLANNED
        axes.axvline((ending.at - past.until) / 60, color="grey" if planned else "red", alpha=0.4, linewidth=0.8)
    axes.set(
        xlabel="minutes before now", ylabel="MB", ylim=(0, None), title="memory; lines: a worker ended (red: crash)"
    )
    axes.legend(loc="best")
    figure.savefig(path)
