"""What people see while an import runs: a bar on a terminal, a line now and then in a pipe, a summary at the end."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import click

from importer.cli.wiring import Parts

REFRESH_S = 0.2
LINE_S = 10.0  # between two lines in a pipe
MB = 1024 * 1024


@dataclass(slots=True)
class Shown:
    """Progress of one import. `bar` is rich's, None in a pipe; nothing at all when `quiet`."""

    parts: Parts
    quiet: bool
    bar: Any = None
    task: Any = None
    started_s: float = field(default_factory=time.monotonic)

    @classmethod
    def begin(cls, parts: Parts, *, quiet: bool) -> Shown:
        """Starts showing, on standard error."""
        shown = cls(parts, quiet)
        if not quiet and sys.stderr.isatty():
            shown._draw()
        return shown

    def _draw(self) -> None:
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
        self.task = self.bar.add_task("import", total=self._files(), rates="")
        self.bar.start()

    def _files(self) -> int:
        engine = self.parts.engine
        in_flight = sum(len(parcel.batch.commits) for parcel in engine.delivery.parcels())
        return engine.run.files + len(engine.agenda) + in_flight

    async def keep_showing(self) -> None:
        """Refreshes until cancelled."""
        next_line_s = time.monotonic() + LINE_S
        while True:
            await asyncio.sleep(REFRESH_S)
            if self.bar is not None:
                run = self.parts.engine.run
                self.bar.update(self.task, completed=run.files, total=self._files(), rates=self._rates())
            elif not self.quiet and time.monotonic() >= next_line_s:
                next_line_s += LINE_S
                click.echo(self._line(), err=True)

    def end(self) -> None:
        """Takes the bar away."""
        if self.bar is not None:
            self.bar.stop()

    def _rates(self) -> str:
        run = self.parts.engine.run
        seconds = max(0.001, time.monotonic() - self.started_s)
        worker_mb = self.parts.supervisor.record.rss_bytes // MB
        held = f"  [yellow]{run.holding}[/yellow]" if run.holding else ""
        chunks_per_s, tokens_per_s = run.points / seconds, run.tokens / seconds
        return f"{chunks_per_s:,.0f} chunks/s  {tokens_per_s:,.0f} tokens/s  worker {worker_mb} MB{held}"

    def _line(self) -> str:
        run = self.parts.engine.run
        return f"{run.files}/{self._files()} files  {run.chunks} chunks  {self._rates()}"


def say_summary(summary: dict[str, Any], errors: Mapping[bytes, str], quarantined: int) -> None:
    """The end of an import, on standard output."""
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
    for path, reason in list(errors.items())[:10]:
        click.secho(f"not read: {os.fsdecode(path)}: {reason}", fg="yellow", err=True)
    if quarantined:
        click.secho(f"{quarantined} in quarantine; `importer failures show` says why", fg="yellow", err=True)
    if summary["stopped"]:
        click.secho("stopped early; the same command goes on where it was", fg="yellow", err=True)
