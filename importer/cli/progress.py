"""What people see while an import runs: a bar on a terminal, a line now and then in a pipe, a summary at the end."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import click

from importer.cli.text import printable
from importer.protocol.units import MB

REFRESH_S = 0.2
LINE_S = 10.0  # between two lines in a pipe


class Glance(NamedTuple):
    """Where an import stands: `left` files wait or are in flight, `held` is why nothing moves, "" when it does."""

    files: int
    left: int
    chunks: int
    points: int
    tokens: int
    worker_rss_bytes: int
    held: str


class Done(NamedTuple):
    """How an import ended: the JSON of `backlog`, what could not be read and why, and all that is in quarantine."""

    summary: Mapping[str, Any]
    errors: Mapping[bytes, str]
    in_quarantine: int


@dataclass(slots=True)
class Shown:
    """Progress of one import, as `look` sees it. `bar` is rich's, None in a pipe; nothing at all when `quiet`."""

    look: Callable[[], Glance]
    quiet: bool
    bar: Any = None
    task: Any = None
    _held: str = ""
    started_s: float = field(default_factory=time.monotonic)

    @classmethod
    def begin(cls, look: Callable[[], Glance], *, quiet: bool) -> Shown:
        """Starts showing, on standard error."""
        shown = cls(look, quiet)
        if not quiet and sys.stderr.isatty():
            shown._draw()
        elif not quiet and (left := look().left):
            click.echo(f"{left:,} files to import", err=True)
        return shown

    def _draw(self) -> None:
        """Puts up the bar, on standard error, so that `--json` and pipes get nothing of it."""
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self.bar = Progress(
            TextColumn("importing"),
            BarColumn(),
            TextColumn("{task.completed:,}/{task.total:,} files"),
            TextColumn("{task.fields[rates]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self.task = self.bar.add_task("import", total=self.look().left, rates="")
        self.bar.start()

    async def keep_showing(self) -> None:
        """Refreshes until cancelled."""
        next_line_s = time.monotonic() + LINE_S
        while True:
            await asyncio.sleep(REFRESH_S)
            seen = self.look()
            self._say_held(seen.held)
            if self.bar is not None:
                total = seen.files + seen.left
                self.bar.update(self.task, completed=seen.files, total=total, rates=self._rates(seen))
            elif not self.quiet and time.monotonic() >= next_line_s:
                next_line_s += LINE_S
                click.echo(self._line(seen), err=True)

    def _say_held(self, held: str) -> None:
        """Why nothing moves, at once and even if nothing else is shown: somebody may have to do something about it."""
        if held != self._held and held and self.bar is None:
            click.echo(f"waiting: {held}", err=True)
        self._held = held

    def end(self) -> None:
        """Takes the bar away."""
        if self.bar is not None:
            self.bar.stop()

    def _rates(self, seen: Glance) -> str:
        """What goes on, in words until the first batch is stored, then as rates since the beginning."""
        seconds = max(0.001, time.monotonic() - self.started_s)
        if not seen.tokens and not seen.held:
            return "the worker loads its model" if not seen.worker_rss_bytes else "the first batch is embedded"
        held = f"  [yellow]{seen.held}[/yellow]" if seen.held and self.bar else f"  {seen.held}" if seen.held else ""
        chunks_per_s, tokens_per_s = seen.points / seconds, seen.tokens / seconds
        worker_mb = seen.worker_rss_bytes // MB
        return f"{chunks_per_s:,.0f} chunks/s  {tokens_per_s:,.0f} tokens/s  worker {worker_mb} MB{held}"

    def _line(self, seen: Glance) -> str:
        """The same for a pipe, as one line."""
        return f"{seen.files}/{seen.files + seen.left} files  {seen.chunks} chunks  {self._rates(seen)}"


def say_summary(done: Done) -> None:
    """The end of an import, on standard output; what went wrong, on standard error."""
    summary = done.summary
    if not summary["files"] and not summary["lines"]:
        click.echo(f"nothing new; {summary['points']:,} points in the store ({summary['seconds']:.1f} s)")
    else:
        click.echo(
            f"imported {summary['files']:,} files, {summary['lines']:,} lines: {summary['messages']:,} messages, "
            f"{summary['embedded']:,} new points ({summary['known']:,} known already); "
            f"{summary['points']:,} in the store"
        )
        click.echo(
            f"{summary['seconds']:.1f} s, {summary['chunks_per_s']:,.0f} chunks/s, "
            f"{summary['tokens_per_s']:,.0f} tokens/s; "
            f"peak memory: worker {summary['worker']['peak_anon_bytes'] // MB} MB, "
            f"daemon {summary['daemon']['peak_rss_bytes'] // MB} MB"
        )
    for path, reason in list(done.errors.items())[:10]:
        click.secho(f"not read: {printable(os.fsdecode(path))}: {reason}", fg="yellow", err=True)
    if done.in_quarantine:
        click.secho(f"{done.in_quarantine} in quarantine; `importer failures show` says why", fg="yellow", err=True)
    if summary["stopped"]:
        click.secho("stopped early; the same command goes on where it was", fg="yellow", err=True)
