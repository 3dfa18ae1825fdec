"""`importer sync`: bring what is new to another store, once or again and again."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from typing import Any

import click
import msgspec

from importer.cli import context, store_session
from importer.cli.commands.migrate import target_of
from importer.cli.output import JSON_OPTION, emit
from importer.cli.progress import counting
from importer.cli.text import duration
from importer.errors import DONE, TryAgainLater
from importer.protocol.worker_settings import CopyTarget
from importer.service import assembly
from importer.settings.load import Settings
from importer.state.sent_points import SentPoints
from importer.sync.travel import Journey, travel

EPILOG = """\b
Examples:
  importer sync --to http://server:6333                      what is new here goes there, once
  importer sync --to http://server:6333 --every 10m          until it is stopped; a server that is away is waited for
  importer sync --to edge:/mnt/backup/store --leave-out private

Each machine imports into its own store and searches it without a network; the target becomes the union of all of them,
and `importer --store URL search` searches that. What was forgotten here leaves the target, too.
"""
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _interval(_ctx: click.Context, _param: click.Parameter, text: str) -> float:
    """Return a typed interval in seconds, 0 for none."""
    if not text:
        return 0.0
    number, unit = text[:-1], UNITS.get(text[-1])
    if unit is None or not number.isdecimal() or not int(number):
        raise click.BadParameter("a number with s, m, h or d, such as 10m")
    return float(int(number) * unit)


@click.command(epilog=EPILOG)
@click.option("--to", "location", required=True, metavar="STORE", help="edge[:PATH], local:PATH or a URL.")
@click.option("--every", "every_s", default="", metavar="TIME", callback=_interval, help="Again and again: 10m, 1h.")
@click.option("--leave-out", multiple=True, metavar="PATTERN", help="Projects that do not travel, by path or name.")
@click.option("--collection", default="", help="Name there; default: the same.")
@click.option("--key-file", default="", metavar="FILE", help="API key of the target, if it is another one.")
@click.option("--ca-file", default="", metavar="FILE", help="The target's own certificate authority (PEM).")
@JSON_OPTION
@click.pass_context
def command(ctx: click.Context, /, *, every_s: float, leave_out: tuple[str, ...], as_json: bool, **given: str) -> int:
    """Bring what is new in the store to STORE, and take out there what was forgotten here."""
    settings = context.settings_of(ctx).settings
    target = target_of(settings, model="", **given)
    if not every_s:
        _say(asyncio.run(_round(settings, target, leave_out, silent=as_json)), as_json=as_json)
        return DONE
    while True:
        try:
            _say(asyncio.run(_round(settings, target, leave_out, silent=True)), as_json=as_json)
        except TryAgainLater as error:
            click.echo(f"{error}; nothing is lost, the next try is in {duration(every_s)}", err=True)
        time.sleep(every_s)


async def _round(settings: Settings, target: CopyTarget, leave_out: tuple[str, ...], *, silent: bool) -> dict[str, Any]:
    """Do one round and return its report."""
    to = msgspec.to_builtins(target)
    started_s = time.monotonic()
    async with store_session.open_session(settings, "sync") as session:
        opened = await session.ask("migrate_open", to=to)
        try:
            # Other projects than in the last round: those that are left out now were not forgotten.
            name = hashlib.sha256(f"{opened['location']}\0{target.store.collection}\0{leave_out}".encode()).hexdigest()
            path = os.path.join(settings.state_dir, f"sync-{name[:16]}.sqlite3")
            host = assembly.reading_of(settings, assembly.profile_of(settings), session.checkpoints).host
            counted = counting("points looked at", opened["points"], quiet=silent)
            with counted as shown, SentPoints(path, opened["fingerprint"]) as ledger:
                done = await travel(session.ask, ledger, Journey(to, host, leave_out), shown.add)
        finally:
            await session.ask("migrate_close", to=to)
    return {
        "to": opened["location"],
        "collection": target.store.collection,
        "points": done.seen,
        "sent": done.sent,
        "changed": done.changed,
        "removed": done.removed,
        "seconds": round(time.monotonic() - started_s, 3),
    }


def _say(report: dict[str, Any], *, as_json: bool) -> None:
    """Print the report of a round."""
    if as_json:
        emit(report)
        return
    more = "".join(f", {report[name]:,} {name}" for name in ("changed", "removed") if report[name])
    click.echo(f"{report['sent']:,} of {report['points']:,} points were brought to {report['to']}{more}")
