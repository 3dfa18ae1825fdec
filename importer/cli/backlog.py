"""`importer backlog`: imports everything pending, shows progress, exits."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from typing import Any

import click

from importer.cli import progress, wiring
from importer.cli.wiring import Parts
from importer.errors import DONE, QUARANTINED, UsageError
from importer.policy import Recycle

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
    """Imports everything pending below PATHS, then exits."""
    given = [*sources, *(f"auto={path}" for path in paths)]
    settings = wiring.settings_of(ctx, {"sources": given} if given else None).settings
    roots = wiring.roots_of(settings, os.environ)
    missing = [os.fsdecode(root.path) for root in roots if given and not os.path.lexists(root.path)]
    if missing:
        raise UsageError(f"no such file or folder: {', '.join(missing)}", hint="check the path; nothing was imported")
    with wiring.state(settings) as checkpoints:
        parts = wiring.parts_of(settings, checkpoints, roots, once=True)
        started_s = time.monotonic()
        asyncio.run(_import(parts, as_json))
        summary = summarise(parts, time.monotonic() - started_s)
        left = checkpoints.quarantine.count()
    if as_json:
        json.dump(summary, sys.stdout)
        sys.stdout.write("\n")
    else:
        progress.say_summary(summary, {**parts.engine.run.errors, **parts.engine.looker.errors}, left)
    return QUARANTINED if left or parts.engine.run.errors or parts.engine.looker.errors else DONE


async def _import(parts: Parts, as_json: bool) -> None:
    engine = parts.engine
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop, parts)
    guarding = loop.create_task(parts.guard.run())
    try:
        engine.delivery.recover()
        await engine.reconcile()
        if engine.agenda:
            await wiring.fetch_model(parts.settings)
            await _drain(parts, as_json)
        if engine.run.total < 0:
            engine.run.total = await parts.supervisor.ask("count")
        parts.guard.look()
        await parts.supervisor.recycle(Recycle.STOP)
    finally:
        guarding.cancel()
        parts.supervisor.kill()


async def _drain(parts: Parts, as_json: bool) -> None:
    engine = parts.engine
    shown = progress.Shown.begin(parts, quiet=as_json)
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
        os._exit(130)
    parts.engine.stop()


def summarise(parts: Parts, seconds: float) -> dict[str, Any]:
    """The JSON of the contract: what this run read and stored, and what the store counts now."""
    run, record = parts.engine.run, parts.supervisor.record
    return {
        "files": run.files,
        "lines": run.tally.lines_read,
        "messages": run.tally.messages,
        "chunks": run.chunks,
        "points": max(run.total, 0),
        "embedded": run.points,
        "known": run.known,
        "stored": run.tally.lines_stored,
        "skipped": run.tally.lines_skipped,
        "quarantined": run.tally.lines_quarantined,
        "bytes": run.tally.bytes_read,
        "tokens": run.tokens,
        "seconds": round(seconds, 3),
        "chunks_per_s": round(run.points / seconds, 1) if seconds else 0.0,
        "tokens_per_s": round(run.tokens / seconds, 1) if seconds else 0.0,
        "stopped": parts.engine.stopping,
        "worker": {
            "spawns": record.spawns,
            "recycles": dict(record.recycles),
            "crashes": record.crashes,
            "peak_rss_bytes": record.peak_rss_bytes,
            "peak_anon_bytes": record.peak_anon_bytes,
        },
        "daemon": {"peak_rss_bytes": record.daemon_peak_rss_bytes},
    }
