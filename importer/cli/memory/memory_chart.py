"""`importer status --memory`: the memory of worker and daemon over time, and how workers ended.

Values are bytes at UTC seconds; of the worker anonymous memory and swap, by which it is recycled. The chart is text.

400 MB ┤      ▂▃▅▅
       │  ▁▄██████████
     0 └──────────────
        10:05    11:05
"""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from importer.cli import context
from importer.cli import text as words
from importer.cli.memory import memory_forecast
from importer.cli.output import emit
from importer.delivery.policy import Recycle
from importer.errors import DONE
from importer.memory import forecasting
from importer.memory.forecasting import RememberedForecast
from importer.protocol import clock
from importer.protocol.units import MB
from importer.service.launch import profile_of
from importer.settings.load import Settings
from importer.state.checkpoints import Checkpoints
from importer.state.history import COARSE_S, FINE_S, RINGS, Moment, WorkerEnding

BLOCKS = " ▁▂▃▄▅▆▇█"
PLAIN = " .:#"  # where the terminal has no block characters
LABEL_CHARS = 9  # "10,000 MB"

Point = tuple[float, float]  # (UTC seconds, value)


@dataclass(frozen=True, slots=True)
class Frame:
    """The bounds of a chart: UTC seconds, columns and rows; `blocks` are its characters from empty to full."""

    since: float
    until: float
    columns: int
    rows: int = 6
    blocks: str = BLOCKS

    def column(self, at: float) -> int | None:
        """Return the column of a moment; None outside the chart."""
        if not self.since <= at <= self.until or self.until <= self.since:
            return None
        return min(self.columns - 1, int((at - self.since) / (self.until - self.since) * self.columns))


def chart(points: Iterable[Point], frame: Frame) -> list[str]:
    """Return the lines of a chart with its axes; the highest value of each column counts, so that no peak is lost."""
    values = worst(points, frame)
    top = ceiling(max((value for value in values if value is not None), default=0.0))
    rows = [_row(values, frame, top, row) for row in range(frame.rows)]
    labels = [_label(top), *[""] * (frame.rows - 1)]
    joints = ["┤", *"│" * (frame.rows - 1)] if frame.blocks == BLOCKS else ["|"] * frame.rows
    drawn = [f"{label:>{LABEL_CHARS}} {joint}{row}" for label, joint, row in zip(labels, joints, rows, strict=True)]
    corner, line = ("└", "─") if frame.blocks == BLOCKS else ("+", "-")
    return [*(row.rstrip() for row in drawn), f"{'0':>{LABEL_CHARS}} {corner}{line * frame.columns}", _times(frame)]


def worst(points: Iterable[Point], frame: Frame) -> list[float | None]:
    """Return the largest value in each column; None where nothing was measured."""
    values: list[float | None] = [None] * frame.columns
    for at, value in points:
        column = frame.column(at)
        if column is not None:
            values[column] = max(value, values[column] or 0.0)
    return values


def marks(moments: Sequence[tuple[float, str]], frame: Frame) -> str:
    """Return a line below a chart: a letter for each event; `*` where different ones share a column."""
    letters = [" "] * frame.columns
    for at, letter in moments:
        column = frame.column(at)
        if column is not None:
            letters[column] = letter if letters[column] in (" ", letter) else "*"
    return (" " * (LABEL_CHARS + 2) + "".join(letters)).rstrip()


def ceiling(value: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten megabytes that is not below `value` bytes."""
    step = float(MB)
    while True:
        for factor in (1, 2, 5):
            if value <= factor * step:
                return factor * step
        step *= 10


def _row(values: Sequence[float | None], frame: Frame, top: float, row: int) -> str:
    """Return one row of cells; row 0 is on top."""
    below = frame.rows - 1 - row
    return "".join(" " if value is None else _cell(value / top * frame.rows - below, frame.blocks) for value in values)


def _cell(fill: float, blocks: str) -> str:
    """Return the block for a cell that is filled to this part; the least value still shows.

    Below 0 the curve ends in a lower cell, above 1 it goes on in a higher one.
    """
    if fill <= 0:
        return blocks[0]
    return blocks[max(1, min(len(blocks) - 1, round(fill * (len(blocks) - 1))))]


def _label(top: float) -> str:
    """Return the value at the top of the axis, in megabytes."""
    return f"{top / MB:,.0f} MB"


def _times(frame: Frame) -> str:
    """Return the first and last moment below the axis as local time, with the day when they span days."""
    shape = "%H:%M" if frame.until - frame.since < 86_400 else "%d %b %H:%M"
    first, last = (time.strftime(shape, time.localtime(at)) for at in (frame.since, frame.until))
    gap = max(1, frame.columns - len(first) - len(last))
    return " " * (LABEL_CHARS + 2) + first + " " * gap + last


SHOWN_ENDINGS = 12  # the newest ones, singly
PLANNED = frozenset(str(reason) for reason in Recycle)  # every other reason is a crash


@dataclass(frozen=True, slots=True)
class Past:
    """The measurements between two UTC seconds, one every `step_s`; without a worker there is no sample of one."""

    since: float
    until: float
    step_s: int
    moments: Sequence[Moment]
    endings: Sequence[WorkerEnding]  # oldest first
    forecast: RememberedForecast | None = None  # of the worker's memory, beside what was measured

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
    """Draw, write or print the history. Raises UsageError when a picture cannot be drawn."""
    past = recall(context.peek(settings), hours)
    if plot:
        write_plot(past, plot)
        click.echo(f"written to {plot}", err=as_json)
    if as_json:
        emit(plain(past) | {"forecast": memory_forecast.figures(past.forecast, settings)})
    elif not plot:
        click.echo("\n".join(text(past, settings)))
    return DONE


def recall(checkpoints: Checkpoints | None, hours: float, *, now: float | None = None) -> Past:
    """Return the last hours: by the second as far as that ring reaches, else the worst of every ten minutes.

    The coarse ring keeps the worst of its time, so that a peak is not averaged away.
    """
    until = time.time() if now is None else now
    since = until - hours * 3600
    step_s = FINE_S if hours * 3600 <= FINE_S * RINGS[FINE_S] else COARSE_S
    if checkpoints is None:
        return Past(since, until, step_s, (), ())
    history = checkpoints.history
    endings = [ending for ending in reversed(history.endings()) if ending.at >= since]
    curve, told = history.curve(since=since, step_s=step_s), forecasting.read(checkpoints.meta(forecasting.META))
    return Past(since, until, step_s, curve, endings, told)


def plain(past: Past) -> dict[str, Any]:
    """Return the series for programs."""
    return {
        "since": past.since,
        "until": past.until,
        "step_s": past.step_s,
        "samples": [moment._asdict() for moment in past.moments],
        "recycles": [{**ending._asdict(), "planned": ending.reason in PLANNED} for ending in past.endings],
        "peaks": {name: int(max((value for _, value in points), default=0)) for name, points in _series(past)},
    }


def _series(past: Past) -> list[tuple[str, list[Point]]]:
    """Return the two curves in bytes, by their names in the JSON."""
    return [("worker_anon_bytes", past.worker), ("daemon_rss_bytes", past.daemon)]


def text(past: Past, settings: Settings) -> list[str]:
    """Return the curves and the endings as lines."""
    if not past.moments:
        span = words.duration(past.until - past.since)
        return [f"nothing was measured in the last {span}; the importer measures while it runs"]
    columns = max(20, min(120, shutil.get_terminal_size((100, 24)).columns) - LABEL_CHARS - 3)
    frame = Frame(begin(past), past.until, columns, blocks=_blocks())
    # That of what measured: a service may have its profile from its own environment.
    soft_bytes = (past.forecast and past.forecast.soft_bytes) or profile_of(settings).soft_limit_bytes
    return [
        _title("worker", "anonymous memory and swap", past.worker, f"recycled above {soft_bytes // MB} MB"),
        *chart(past.worker, frame),
        marks([(ending.at, _letter(ending)) for ending in past.endings], frame),
        *memory_forecast.lines(past.forecast, settings),
        _title("daemon", "resident memory", past.daemon, f"leaves above {settings.daemon.operational_memory_mb} MB"),
        *chart(past.daemon, frame),
        "",
        *_endings(past.endings),
    ]


def begin(past: Past) -> float:
    """Return where a chart begins: at the first sample, so that a young installation fills it too."""
    return min(max(past.since, past.moments[0].at), past.until - 60 * past.step_s) if past.moments else past.since


def _blocks() -> str:
    """Return block characters where the output can encode them, else ASCII."""
    try:
        BLOCKS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return PLAIN
    return BLOCKS


def _title(name: str, what: str, points: Sequence[Point], limit: str) -> str:
    """Return the line above a curve: its figures and its limit."""
    values, name = sorted(value for _, value in points), click.style(name, bold=True)
    if not values:
        return f"{name}  {what}: none was measured"
    middle, peak, last = values[len(values) // 2], values[-1], points[-1][1]
    figures = f"peak {words.size(peak)}, median {words.size(middle)}, last {words.size(last)}"
    return f"{name}  {what}: {figures}; {limit}"


def _letter(ending: WorkerEnding) -> str:
    """Return the first letter of a planned end's reason, X for a crash."""
    return ending.reason[0] if ending.reason in PLANNED else "X"


def _endings(endings: Sequence[WorkerEnding]) -> list[str]:
    """Return how many workers ended for each reason, and the newest endings one by one; crashes in red."""
    if not endings:
        return ["no worker ended"]
    counts = Counter(ending.reason if ending.reason in PLANNED else "crash" for ending in endings)
    lines = [", ".join(f"{count} x {reason}" for reason, count in counts.most_common())]
    lines[0] += f" (times are {clock.zone_name()}):"
    for ending in endings[-SHOWN_ENDINGS:]:
        facts = f"{ending.files} files, {words.size(ending.anon_bytes)}, lived {words.duration(ending.lived_s)}"
        line = f"  {words.when(ending.at)}  {_letter(ending)} {ending.reason}: {facts}"
        lines.append(line if ending.reason in PLANNED else click.style(line, fg="red"))
    return lines


def broken(points: Sequence[Point], gap_s: float) -> list[Point]:
    """Return the points with a hole (not a number) where nothing was measured for longer than `gap_s`."""
    drawn: list[Point] = []
    for at, value in points:
        if drawn and at - drawn[-1][0] > gap_s:
            drawn.append((drawn[-1][0], math.nan))  # matplotlib draws no line to or from what is not a number
        drawn.append((at, value))
    return drawn


def write_plot(past: Past, path: str) -> None:
    """Draw the curves as a picture. Raises UsageError without matplotlib, or for another kind of file."""
    from importer.bench import picture

    picture.check(path, instead="look at `importer status --memory`")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.add_subplot()
    for (name, points), label in zip(_series(past), ("worker, anonymous + swap", "daemon, resident"), strict=True):
        drawn = broken(points, 5 * past.step_s)  # a few missed samples are drawn through
        minutes = [(at - past.until) / 60 for at, _ in drawn]
        axes.plot(minutes, [value / MB for _, value in drawn], label=label, gid=name)
    for ending in past.endings:
        planned = ending.reason in PLANNED
        axes.axvline((ending.at - past.until) / 60, color="grey" if planned else "red", alpha=0.4, linewidth=0.8)
    title = "memory; lines: a worker ended (red: crash)"
    axes.set(xlabel="minutes before now", ylabel="MB", ylim=(0, None), title=title)
    axes.legend(loc="best")
    figure.savefig(path)
