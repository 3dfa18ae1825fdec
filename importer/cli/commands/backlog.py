"""`importer backlog`: import everything pending, show progress, exit.

Beside a running daemon the paths are handed over to it, for only one process may write state and store; its progress is
shown as if it were ours. The first signal settles what is in flight, the second ends at once, as in the daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import click

from importer.cli import context, model_fetch
from importer.cli.doctor import languages
from importer.cli.output import JSON_OPTION, SOURCES_OPTION, emit
from importer.cli.progress import Form, ImportResult, ImportState, print_summary, showing_import
from importer.consistency import erase, forget, leads, places, shadows
from importer.consistency.hands import Hands, at_once
from importer.delivery.progress import summary
from importer.errors import DONE, QUARANTINED, TRY_AGAIN, StateLocked, TryAgainLater, UsageError
from importer.protocol.foreign.quoting import printable
from importer.service import assembly, client, questions
from importer.service.assembly import Parts
from importer.service.control import Answer, Control
from importer.service.identity import identity
from importer.service.status import status
from importer.settings.schema import Settings
from importer.sources import census
from importer.sources.events import Mode
from importer.sources.scan import Root

USUAL = ("claude-code", "codex", "copilot-cli", "cursor", "gemini")  # named first where none is there
MOST_SOUGHT = 8  # folders that are named
LOOK_S = 0.2  # between two questions for the progress

Told = dict[str, Any]


def over(state_dir: str, roots: Sequence[Root], locked: StateLocked, *, form: Form) -> ImportResult:
    """Hand the roots over to the daemon and wait until it has imported them. Ctrl-C leaves the daemon at work.

    Raises `locked` when the holder of the state is no daemon, TryAgainLater when the daemon ends before it is done.
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
    greeting = f"handed to the daemon (pid {locked.pid}); Ctrl-C leaves it at work"
    try:
        told, left_early = asyncio.run(_follow(state_dir, number, greeting, form))
    except ConnectionError as error:
        hint = "what was stored is kept; the same command goes on where it was"
        raise TryAgainLater(f"the daemon ended before the import did: {error}", hint=hint) from error
    summary = {**told["summary"], "stopped": left_early or told["summary"]["stopped"]}
    # Paths came as text in JSON; their bytes may be no UTF-8.
    errors = {os.fsencode(path): reason for path, reason in told["errors"].items()}
    return ImportResult(summary, errors, told["in_quarantine"])


async def _follow(state_dir: str, number: int, greeting: str, form: Form) -> tuple[Told, bool]:
    """Show the daemon's progress; return its last report, and whether a signal ended the wait.

    The greeting comes once Ctrl-C is listened to, as it promises.
    """
    leaving = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, leaving.set)
    if form == "text":
        click.echo(greeting, err=True)
    told: Told = await asyncio.to_thread(client.ask_daemon, state_dir, "progress", number=number)
    async with showing_import(lambda: import_state(told), form):
        while not (told["done"] or leaving.is_set()):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(leaving.wait(), LOOK_S)
            told = await asyncio.to_thread(client.ask_daemon, state_dir, "progress", number=number)
    return told, not told["done"]


def import_state(told: Told) -> ImportState:
    """Return what the daemon reported, as progress shows it."""
    summary = told["summary"]
    return ImportState(
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
@SOURCES_OPTION
@click.option("--events", is_flag=True, help="A JSON object on a line for each step; the last one is that of --json.")
@JSON_OPTION
@click.pass_context
def command(
    ctx: click.Context, /, paths: tuple[str, ...], sources: tuple[str, ...], events: bool, as_json: bool
) -> int:
    """Import everything pending below PATHS, then exit. A daemon that runs on the same state is asked to do it."""
    form: Form = "events" if events else "json" if as_json else "text"
    given = [*sources, *(f"auto={path}" for path in paths)]
    settings = context.settings_of(ctx, {"sources": given} if given else None).settings
    roots = assembly.roots_of(settings, os.environ)
    missing = [os.fsdecode(root.path) for root in roots if given and not os.path.lexists(root.path)]
    if missing:
        raise UsageError(f"no such file or folder: {', '.join(missing)}", hint="check the path; nothing was imported")
    try:
        with context.locked_state(settings) as checkpoints:
            parts = assembly.parts_of(settings, checkpoints, roots, once=True)
            done = _by_itself(parts, form, named=bool(given))
    except StateLocked as locked:
        done = over(settings.state_dir, roots, locked, form=form)
    if form != "text":
        emit(done.summary)
    else:
        print_summary(done)
        _say_sought(roots)
        _say_languages(settings, done.summary)
    if done.summary["stopped"]:
        return TRY_AGAIN
    left_out = bool(given) and (done.summary["barren"] or done.summary["files_refused"])
    return QUARANTINED if done.in_quarantine or done.errors or left_out else DONE  # by now or before


def _say_languages(settings: Settings, told: Mapping[str, Any]) -> None:
    """Say at the end of a first import that much is in languages that the model was not made for, and what serves."""
    if not told["embedded"] or told["embedded"] < told["points"]:
        return
    checkpoints = context.peek(settings)
    if said := languages.unmade(languages.gather(settings.embed.model, checkpoints)):
        click.secho(printable(said), fg="yellow", err=True)
        click.echo(f"importer migrate --model {languages.BETTER} embeds all anew with one that was", err=True)


def _say_sought(roots: Sequence[Root]) -> None:
    """Say what was looked for where none of it is there: each assistant's folders, on a machine without any."""
    if roots and not any(os.path.lexists(root.path) for root in roots):
        home = os.path.expanduser("~")
        first = {root.format: root.path for root in reversed(roots)}  # of each assistant its usual folder
        names = sorted(first, key=lambda name: (name not in USUAL, name))
        named = [printable(os.fsdecode(first[name])) for name in names][:MOST_SOUGHT]
        sought = ", ".join(f"~{one[len(home) :]}" if one.startswith(f"{home}/") else one for one in named)
        more = f" and {len(roots) - len(named)} others" if len(roots) > len(named) else ""
        click.secho(f"no folder of an assistant is here; looked for: {sought}{more}", fg="yellow", err=True)
        click.echo("importer backlog PATH imports from another place", err=True)


def _by_itself(parts: Parts, form: Form, *, named: bool) -> ImportResult:
    """Import with a worker of our own; return the result. `named`: the command line named the roots."""
    started_s = time.monotonic()
    asyncio.run(_import(parts, form, elsewhere=not named))
    seen, seconds = parts.engine.snapshot(), time.monotonic() - started_s
    told = summary(seen.run, seen.stats, seconds, stopped=seen.is_stopping and seen.is_unfinished)
    counted = census.take(parts.engine.roots, parts.checkpoints, follow_links=parts.settings.follow_links)
    asked = {"conversations_left_out": forget.left_out(parts.checkpoints)}
    return ImportResult({**told, **counted.fields(), **asked}, seen.errors, parts.checkpoints.quarantine.count())


async def _erase(parts: Parts) -> None:
    """Do what is noted as to be erased. Raises what it fails with: it stays noted."""
    await erase.finish(Hands(parts.checkpoints, parts.engine.reading, parts.supervisor.ask, at_once))


async def _import(parts: Parts, form: Form, *, elsewhere: bool) -> None:
    """Look at all files, then start the worker and import: with nothing to do, no model is needed.

    The worker does not outlive this, however it ends. `elsewhere`: see `Reconcile.look`.
    """
    engine = parts.engine
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop, parts)
    guarding = loop.create_task(parts.guard.run())  # memory
    # Searches are answered meanwhile: no other process could, for an embedded store has one opener.
    settings = parts.settings
    answers: dict[str, Answer] = {**questions.answers(parts.supervisor.ask), "status": partial(_status, parts)}
    control = Control(settings.state_dir, answers, daemon=False, serves=identity(settings))
    with contextlib.suppress(OSError):  # a file system without sockets is no reason not to import
        await control.start()
    try:
        # What a killed import had under way is suspect from now on.
        engine.recover()
        await _erase(parts)  # what a killed `forget` has left undone
        await engine.reconcile(elsewhere=elsewhere)
        if engine.pending_files:
            await _start(parts)
            await _drain(parts, form)
        if not engine.is_stopping:
            await _erase(parts)  # what conversations asked for that are not to be indexed
        if not engine.is_stopping:
            await shadows.catch_up(engine.ask, parts.checkpoints, stop=lambda: engine.is_stopping)
        if not engine.is_stopping:
            await places.catch_up(engine.ask, parts.checkpoints, engine.reading, stop=lambda: engine.is_stopping)
        if not engine.is_stopping:
            hands = Hands(parts.checkpoints, engine.reading, engine.ask, at_once)
            await leads.catch_up(hands, stop=lambda: engine.is_stopping)
        await engine.points()  # nothing may have been imported, so that no receipt has told how many there are
        parts.guard.look()
        await control.stop()
        await engine.close()
    finally:
        guarding.cancel()
        await control.stop()
        parts.engine.kill_worker()


async def _start(parts: Parts) -> None:
    """Start the worker, and read the first files meanwhile. Raises ModelError when there is no model to be had."""
    starting = asyncio.ensure_future(model_fetch.start_worker(parts.supervisor, parts.settings))
    try:
        await asyncio.sleep(0)  # the worker's process first: reading gives way only between two slices
        await parts.engine.read_first()
        await starting
    finally:
        starting.cancel()


async def _status(parts: Parts) -> Told:
    """Return this import's numbers for `importer status`, as a daemon tells its own."""
    told = status.of_daemon(parts.engine.snapshot(), parts.checkpoints, Mode(""))
    here = f"by process {os.getpid()} (importer backlog)"
    reason = f"{here}: {told['reason']}" if told["reason"] else here
    return {**told, "state": "importing", "reason": reason, "watch": {"mode": None, "reason": ""}}


async def _drain(parts: Parts, form: Form) -> None:
    """Import, and look again as long as more files were behind than the queue holds."""
    engine = parts.engine
    async with showing_import(lambda: _state_of(parts), form):
        await engine.drain()
        while engine.snapshot().overflowed and not engine.is_stopping:
            await engine.reconcile()
            await engine.drain()


def _stop(parts: Parts) -> None:
    """Settle what is in flight at the first signal, end at once at the second; what was committed is kept."""
    if parts.engine.is_stopping:
        parts.engine.kill_worker()
        os._exit(130)  # 128 + SIGINT; no clean-up: the user asked twice
    files = len({commit.checkpoint.path for commit in parts.engine.snapshot().in_flight})
    waits = f"what is in flight of {files} files is stored first; once more ends it at once" if files else "at once"
    click.echo(f"\nstopping: {waits}", err=True)
    parts.engine.stop()


def _state_of(parts: Parts) -> ImportState:
    """Return where the import stands: files left are those in the queue and those whose batches have no receipt."""
    seen = parts.engine.snapshot()
    run, left = seen.run, len(seen.waiting) + len(seen.in_flight)
    return ImportState(run.files, left, run.chunks, run.points, run.tokens, seen.stats.rss_bytes, run.holding)
