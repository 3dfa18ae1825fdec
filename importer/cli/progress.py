"""What people see while something long runs: a bar on a terminal, a line every ten seconds in a pipe.

`Counter` shows a count that grows, `ImportProgress` an import; `print_summary` tells of the end of an import. Progress
goes to standard error, so that `--json` and pipes get nothing of it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import click

from importer.cli.output import emit
from importer.cli.text import stores
from importer.protocol.foreign.quoting import line, printable
from importer.protocol.units import MB, counted
from importer.sources.census import FATES

Form = Literal["text", "json", "events"]
"""How an import is told: to people, as one object at its end, or step by step to a program."""
REFRESH_S = 0.2
LINE_S = 10.0  # between two lines in a pipe
NOTES = {"note": "none", "held": "yellow"}  # what stands behind a bar, and its style


class Display:
    """A bar on a terminal, a line now and then in a pipe, nothing if `quiet`. `rates`: with speeds and time left."""

    def __init__(self, label: str, total: int | None, *, quiet: bool, rates: bool = False) -> None:
        self.drawn = not quiet and sys.stderr.isatty()
        self._quiet = quiet
        self._next_line_s = time.monotonic() + LINE_S
        if self.drawn:
            self._bar = _bar(rates)
            self._task = self._bar.add_task(label, total=total, note="", held="")
            self._bar.start()

    def show(self, done: int, total: int | None, *, note: str = "", held: str = "", line: str) -> None:
        """Show how far it is: `note` and why it is `held` beside a bar, or `line` in a pipe, a while after the last."""
        if self.drawn:
            self._bar.update(self._task, completed=done, total=total, note=note, held=held)
        elif not self._quiet and time.monotonic() >= self._next_line_s:
            self._next_line_s = time.monotonic() + LINE_S
            click.echo(line, err=True)

    def end(self) -> None:
        """Take the bar away."""
        if self.drawn:
            self._bar.stop()


def _bar(rates: bool) -> Any:
    """Return rich's bar on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as Remaining

    counts = TextColumn("{task.completed:,}/{task.total:,} files") if rates else MofNCompleteColumn()
    # What a server says may have square brackets, in which rich reads orders of its own.
    note, held = (TextColumn(f"{{task.fields[{name}]}}", style, markup=False) for name, style in NOTES.items())
    more = (note, held, TimeElapsedColumn(), TextColumn("left"), Remaining())
    columns = (TextColumn("{task.description}"), BarColumn(), counts, *(more if rates else (TimeElapsedColumn(),)))
    return Progress(*columns, console=Console(stderr=True), transient=True)


class Counter:
    """A count that grows towards `total`, None where that is unknown."""

    def __init__(self, label: str, total: int | None, *, quiet: bool) -> None:
        self.count = 0
        self._label, self._total = label, total
        self.display = Display(label, total, quiet=quiet)

    def add(self, more: int) -> None:
        """Count `more` as done and show the sum."""
        self.count += more
        of = f" of {self._total:,}" if self._total else ""
        self.display.show(self.count, self._total, line=f"{self._label}: {self.count:,}{of}")


@contextmanager
def counting(label: str, total: int | None = None, *, quiet: bool = False) -> Iterator[Counter]:
    """Show a count on standard error while the block runs."""
    counter = Counter(label, total, quiet=quiet)
    try:
        yield counter
    finally:
        counter.display.end()


MOST_NAMED = 10  # files that were not read


class ImportState(NamedTuple):
    """Where an import stands: `left` files wait or are in flight, `held` is why nothing moves, "" when it does."""

    files: int
    left: int
    chunks: int
    points: int
    tokens: int
    worker_rss_bytes: int
    held: str


class ImportResult(NamedTuple):
    """How an import ended: the JSON of `backlog`, what could not be read and why, and all that is in quarantine."""

    summary: Mapping[str, Any]
    errors: Mapping[bytes, str]
    in_quarantine: int


@dataclass(slots=True)
class ImportProgress:
    """The progress of one import, as `look` sees it, from its creation on."""

    look: Callable[[], ImportState]
    quiet: bool
    started_s: float = field(default_factory=time.monotonic)
    display: Display = field(init=False)
    _held: str = ""

    def __post_init__(self) -> None:
        left = self.look().left
        self.display = Display("importing", left, quiet=self.quiet, rates=True)
        if left and not self.display.drawn and not self.quiet:
            click.echo(f"{left:,} files to import", err=True)

    async def keep_showing(self) -> None:
        """Refresh until cancelled."""
        while True:
            await asyncio.sleep(REFRESH_S)
            seen = self.look()
            self._say_held(seen.held)
            total = seen.files + seen.left
            self.display.show(
                seen.files, total, note=self._rates(seen), held=printable(seen.held), line=self.line(seen)
            )

    def _say_held(self, held: str) -> None:
        """Say at once why nothing moves, also when nothing else is shown: a person may have to act."""
        if held != self._held and held and not self.display.drawn:
            click.echo(f"waiting: {printable(held)}", err=True)
        self._held = held

    def _rates(self, seen: ImportState) -> str:
        """Return what goes on, in words until the first batch is stored, then as rates since the beginning."""
        seconds = max(0.001, time.monotonic() - self.started_s)
        if not seen.tokens and not seen.held:
            return "the worker loads its model" if not seen.worker_rss_bytes else "the first batch is embedded"
        chunks_per_s, tokens_per_s = seen.points / seconds, seen.tokens / seconds
        worker_mb = seen.worker_rss_bytes // MB
        return f"{chunks_per_s:,.0f} chunks/s  {tokens_per_s:,.0f} tokens/s  worker {worker_mb} MB"

    def end(self) -> None:
        """Take the bar away."""
        self.display.end()

    def line(self, seen: ImportState) -> str:
        """Return the same for a pipe, as one line."""
        told = f"{seen.files}/{seen.files + seen.left} files  {seen.chunks} chunks  {self._rates(seen)}"
        return f"{told}  {printable(seen.held)}".rstrip()


class ImportEvents(NamedTuple):
    """The progress of one import for programs: a JSON object on a line of standard output whenever it moves."""

    look: Callable[[], ImportState]

    async def keep_showing(self) -> None:
        """Print what changed until cancelled. One who no longer reads does not end the import."""
        last: ImportState | None = None
        with suppress(OSError):
            while True:
                if (seen := self.look()) != last:
                    emit({"event": "progress", **seen._asdict()})
                    last = seen
                await asyncio.sleep(REFRESH_S)

    def end(self) -> None:
        """Print where it ended, before the summary."""
        with suppress(OSError):
            emit({"event": "progress", **self.look()._asdict()})


@asynccontextmanager
async def showing_import(look: Callable[[], ImportState], form: Form) -> AsyncIterator[None]:
    """Show the progress of an import while the block runs."""
    progress = ImportEvents(look) if form == "events" else ImportProgress(look, quiet=form == "json")
    task = asyncio.get_running_loop().create_task(progress.keep_showing())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        progress.end()


def print_summary(done: ImportResult) -> None:
    """Print what an import did on standard output, and what went wrong on standard error."""
    summary = done.summary
    if not summary["files"] and not summary["lines"]:
        began = "nothing imported" if summary["barren"] else "nothing new"
        click.echo(f"{began}; {summary['points']:,} points in the store ({summary['seconds']:.1f} s)")
    else:
        click.echo(
            f"imported {counted(summary['files'], 'file')}, {counted(summary['lines'], 'line')}: "
            f"{counted(summary['messages'], 'message')}, "
            f"{summary['embedded']:,} new points ({summary['known']:,} known already); "
            f"{summary['points']:,} in the store"
        )
        click.echo(
            f"{summary['seconds']:.1f} s, {summary['chunks_per_s']:,.0f} chunks/s, "
            f"{summary['tokens_per_s']:,.0f} tokens/s; "
            f"peak memory: worker {summary['worker']['peak_anon_bytes'] // MB} MB, "
            f"daemon {summary['daemon']['peak_rss_bytes'] // MB} MB"
        )
        for row in stores(summary.get("stores", {})):
            click.echo(f"  {row}")
        click.secho("lines that hold no talk, such as what tools print, are skipped", dim=True)
        if summary["points"]:
            click.secho("next: `importer search WORDS`, `importer serve` or `importer browse`", dim=True)
    _print_fates(done)
    if count := summary.get("conversations_left_out"):
        click.echo(f"{count:,} conversations ask not to be indexed and are left out; see `importer forget --list`")
    if done.in_quarantine:
        click.secho(f"{done.in_quarantine} in quarantine; `importer failures show` says why", fg="yellow", err=True)
    if summary["stopped"]:
        click.secho("stopped early; the same command goes on where it was", fg="yellow", err=True)


def _print_fates(done: ImportResult) -> None:
    """Print the files by fate if any was left out, and the first few of those with the reason and what to do."""
    summary = done.summary
    left_out = [fate for fate in ("unrecognised", "refused") if summary[f"files_{fate}"]]
    if left_out:
        parts = " + ".join(f"{summary[f'files_{fate}']:,} {fate}" for fate in FATES if summary[f"files_{fate}"])
        click.secho(f"{summary['files_found']:,} files found = {parts}", fg="yellow", err=True)
    named = {**{os.fsdecode(path): reason for path, reason in done.errors.items()}, **summary["passed_over"]}
    for path, reason in list(named.items())[:MOST_NAMED]:
        click.secho(f"not read: {line(f'{path}: {reason}')}", fg="yellow", err=True)
    for path, size in list(summary["waiting"].items())[:MOST_NAMED]:
        click.secho(f"waits: {line(path)}: {size:,} bytes of a last line that is not whole", dim=True, err=True)
