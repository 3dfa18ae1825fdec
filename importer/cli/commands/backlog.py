"""`importer backlog`: imports everything pending, shows progress, exits.

Beside a running daemon the paths are handed to it (`handed`), for only one process may write state and store. Signals
are dealt with as in the daemon: the first one settles what is in flight, the second ends at once.

`backlog` beside a running daemon: the paths are handed to it, and its progress is shown as if it were ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import click

from importer.cli import context, model_fetch, progress
from importer.cli.progress import Done, Glance, Shown
from importer.delivery.policy import Recycle
from importer.delivery.progress import summary
from importer.errors import DONE, QUARANTINED, TRY_AGAIN, StateLocked, TryAgainLater, UsageError
from importer.reading.pipeline import UNKNOWN_FORMAT
from importer.service import assembly, client
from importer.service.assembly import Parts
from importer.service.control import Control
from importer.sources.scan import Root

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
        number = client.ask_daemon(state_dir, "import", roots=fields)["number"]
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
    told: Told = await asyncio.to_thread(client.ask_daemon, state_dir, "progress", number=number)
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
            told = await asyncio.to_thread(client.ask_daemon, state_dir, "progress", number=number)
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


EPILOG = """\b
Examples:
  importer backlog                            every assistant's own folders
  importer backlog ~/.claude/projects         this folder, or a single file
  importer backlog --source codex=/mnt/old    a folder in a given format
  importer backlog exports --json > done.json
"""


@click.command(epilog=EPILOG)
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--source", "sources", multiple=True, metavar="NAME=PATH", help="Format and folder; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.pass_context
def command(ctx: click.Context, /, paths: tuple[str, ...], sources: tuple[str, ...], as_json: bool) -> int:
    """Imports everything pending below PATHS, then exits. A daemon at work on the same state is asked to do it."""
    given = [*sources, *(f"auto={path}" for path in paths)]
    settings = context.settings_of(ctx, {"sources": given} if given else None).settings
    roots = assembly.roots_of(settings, os.environ)
    missing = [os.fsdecode(root.path) for root in roots if given and not os.path.lexists(root.path)]
    if missing:
        raise UsageError(f"no such file or folder: {', '.join(missing)}", hint="check the path; nothing was imported")
    try:
        with context.locked_state(settings) as checkpoints:
            parts = assembly.parts_of(settings, checkpoints, roots, once=True)
            done = _by_itself(parts, quiet=as_json, named=bool(given))
    except StateLocked as locked:
        done = over(settings.state_dir, roots, locked, quiet=as_json)
    if as_json:
        json.dump(done.summary, sys.stdout)
        sys.stdout.write("\n")
    else:
        progress.say_summary(done)
    if done.summary["stopped"]:
        return TRY_AGAIN
    return QUARANTINED if done.in_quarantine or done.errors else DONE  # something was left out, now or before


def _by_itself(parts: Parts, *, quiet: bool, named: bool) -> progress.Done:
    """Imports with a daemon and a worker of its own; what came of it. `named`: the roots were, on the command line."""
    started_s = time.monotonic()
    asyncio.run(_import(parts, quiet, elsewhere=not named))
    engine, seconds = parts.engine, time.monotonic() - started_s
    told = summary(engine.run, parts.supervisor.stats, seconds, stopped=engine.stopping and engine.unfinished)
    errors = {**engine.run.errors, **engine.looker.errors, **(_strange(parts) if named else {})}
    return progress.Done(told, errors, parts.checkpoints.quarantine.count())


def _strange(parts: Parts) -> dict[bytes, str]:
    """Files that were named, and that no format knows; in a folder such files are passed over in silence."""
    known = ((root.path, parts.checkpoints.by_path(root.path)) for root in parts.engine.roots)
    reason = "no format knows it; --source FORMAT=PATH names one"
    return {path: reason for path, there in known if there and there.format == UNKNOWN_FORMAT and there.size}


async def _import(parts: Parts, quiet: bool, *, elsewhere: bool) -> None:
    """Looks at all files before anything heavy is started: with nothing to do, no model is needed. However it
    ends, the worker does not outlive it. `elsewhere`: see `Reconcile.look`.
    """
    engine = parts.engine
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop, parts)
    guarding = loop.create_task(parts.guard.run())  # watches memory meanwhile
    # What is stored can be searched meanwhile; nobody else could, for an embedded store has one opener.
    questions = Control(parts.settings.state_dir, {"search": partial(parts.supervisor.ask, "search")}, daemon=False)
    with contextlib.suppress(OSError):  # a file system without sockets is no reason not to import
        await questions.start()
    try:
        # What an import that was killed had under way is suspect from now on.
        engine.delivery.recover()
        await engine.reconcile(elsewhere=elsewhere)
        if engine.agenda:
            await model_fetch.start_worker(parts.supervisor, parts.settings)
            await _drain(parts, quiet)
        # Nothing was imported, so no receipt has told how many points there are.
        if engine.run.total < 0:
            engine.run.total = await parts.supervisor.ask("count")
        parts.guard.look()
        await questions.stop()
        await parts.supervisor.recycle(Recycle.STOP)
    finally:
        guarding.cancel()
        await questions.stop()
        parts.supervisor.kill()


async def _drain(parts: Parts, quiet: bool) -> None:
    """Looks again as long as more files were behind than the agenda holds."""
    engine = parts.engine
    shown = progress.Shown.begin(lambda: _glance(parts), quiet=quiet)
    showing = asyncio.get_running_loop().create_task(shown.keep_showing())
    try:
        await engine.drain()
        while engine.agenda.overflowed and not engine.stopping:
            await engine.reconcile()
            await engine.drain()
    finally:
        showing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await showing
        shown.end()


def _stop(parts: Parts) -> None:
    """First signal: settle what is in flight. Second: end at once; what was committed is kept either way."""
    if parts.engine.stopping:
        parts.supervisor.kill()
        os._exit(130)  # 128 + SIGINT; no clean-up, it was asked for twice
    parts.engine.stop()


def _glance(parts: Parts) -> progress.Glance:
    """Where the import stands now: files left are those on the agenda and those whose batches have no receipt."""
    engine, run = parts.engine, parts.engine.run
    in_flight = sum(len(flight.batch.commits) for flight in engine.delivery.unsettled())
    rss_bytes = parts.supervisor.stats.rss_bytes
    left = len(engine.agenda) + in_flight
    return progress.Glance(run.files, left, run.chunks, run.points, run.tokens, rss_bytes, run.holding)
