"""`backlog` beside a running daemon: the paths are handed to it, and its progress is shown as if it were ours."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from typing import Any

import click

from importer import control
from importer.cli.progress import Done, Glance, Shown
from importer.discover import Root
from importer.errors import StateLocked, TryAgainLater

LOOK_S = 0.2  # between two questions for the progress

Told = dict[str, Any]


def over(state_dir: str, roots: Sequence[Root], locked: StateLocked, *, quiet: bool) -> Done:
    """Waits until the daemon has imported all of it. Raises `locked` when who holds the state is no daemon.

    Raises TryAgainLater when the daemon ends before it is done. Ctrl-C leaves the daemon at it.
    """
    fields = [
        {"path": os.fsdecode(root.path), "format": root.format, "include": root.include, "exclude": root.exclude}
        for root in roots
    ]
    try:
        number = control.ask(state_dir, "import", roots=fields)["number"]
    except ConnectionError:
        # No socket: it is an import or another command, which takes no orders.
        raise locked from None
    if not quiet:
        click.echo(f"handed to the daemon (pid {locked.pid}); Ctrl-C leaves it at work", err=True)
    try:
        told, left_early = asyncio.run(_follow(state_dir, number, quiet=quiet))
    except ConnectionError as error:
        hint = "what was stored is kept; the same command goes on where it was"
        raise TryAgainLater(f"the daemon ended before the import did: {error}", hint=hint) from error
    summary = {**told["summary"], "stopped": left_early or told["summary"]["stopped"]}
    # Paths came as text in JSON; their bytes may be no UTF-8.
    errors = {os.fsencode(path): reason for path, reason in told["errors"].items()}
    return Done(summary, errors, told["in_quarantine"])


async def _follow(state_dir: str, number: int, *, quiet: bool) -> tuple[Told, bool]:
    """The last that was told, and whether somebody did not want to wait for the end."""
    told: Told = await asyncio.to_thread(control.ask, state_dir, "progress", number=number)
    leaving = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, leaving.set)
    shown = Shown.begin(lambda: glance(told), quiet=quiet)
    showing = loop.create_task(shown.keep_showing())
    try:
        while not (told["done"] or leaving.is_set()):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(leaving.wait(), LOOK_S)
            told = await asyncio.to_thread(control.ask, state_dir, "progress", number=number)
    finally:
        showing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await showing
        shown.end()
    return told, not told["done"]


def glance(told: Told) -> Glance:
    """What the daemon told, as progress shows it."""
    summary = told["summary"]
    return Glance(
        files=summary["files"],
        left=told["left"],
        chunks=summary["chunks"],
        points=summary["embedded"],
        tokens=summary["tokens"],
        worker_rss_bytes=told["worker_rss_bytes"],
        held=told["holding"],
    )
