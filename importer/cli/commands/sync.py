"""`importer sync`: bring what is new to another store, once or again and again."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import time
from dataclasses import asdict, dataclass
from typing import Any

import click
import msgspec

from importer.cli import context, store_session
from importer.cli.commands.migrate import target_of
from importer.cli.output import JSON_OPTION, emit
from importer.cli.progress import counting
from importer.cli.store_session import StoreSession
from importer.cli.text import duration
from importer.consistency import baseline, redact_stored
from importer.errors import DONE, QUARANTINED, ImporterError, TryAgainLater
from importer.protocol.foreign.quoting import printable
from importer.protocol.worker_settings import CopyTarget
from importer.service import assembly
from importer.service.launch import profile_of
from importer.settings.load import Settings
from importer.state.checkpoints import Checkpoints
from importer.state.sent_points import FACT, SentPoints, SyncReport, noted, report_of
from importer.sync.travel import Journey, Round, travel

EPILOG = """\b
Examples:
  importer sync --to http://server:6333                      what is new here goes there, once
  importer sync --to http://server:6333 --every 10m          until it is stopped; a server that is away is waited for
  importer sync --to edge:/mnt/backup/store --leave-out private

What today's redaction would mask stays here until `importer redact --stored` has masked it.
Each machine imports into its own store and searches it without a network; the target becomes the union of all of them,
and `importer --store URL search` searches that. What was forgotten here leaves the target, too.
A target that was put back from an older copy gets again what it lost; what was forgotten there stays away.
"""
SHRANK = "the store here lost points: nothing is taken out there until `importer verify` has compared it with the files"
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
    plan = SyncPlan(settings, target, leave_out, every_s)
    if not every_s:
        report = asyncio.run(plan.round(silent=as_json))
        _say(report, as_json=as_json)
        return QUARANTINED if report["refused"] or report["held"] else DONE
    while True:
        try:
            _say(asyncio.run(plan.round(silent=True)), as_json=as_json)
        except TryAgainLater as error:
            plan.failed(str(error))
            click.echo(f"{printable(str(error))}; nothing is lost, the next try is in {duration(every_s)}", err=True)
        time.sleep(every_s)


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What goes where, and how often (0 s: once)."""

    settings: Settings
    target: CopyTarget
    leave_out: tuple[str, ...]
    every_s: float

    @property
    def fact(self) -> str:
        """The name of the fact that tells how it goes on."""
        store = self.target.store
        return FACT + hashlib.sha256(f"{store.location}\0{store.collection}".encode()).hexdigest()[:16]

    async def round(self, *, silent: bool) -> dict[str, Any]:
        """Do one round, note how it went, and return its report."""
        started_s = time.monotonic()
        async with store_session.open_session(self.settings, "sync") as session:
            done = await self._travelled(session, silent=silent)
            told = asdict(done)
            told["points"] = told.pop("seen")
            former, seconds = self._former(session.checkpoints), round(time.monotonic() - started_s, 3)
            report = former._replace(
                every_s=self.every_s,
                at=time.time(),
                sent_total=former.sent_total + done.sent,
                rounds=former.rounds + 1,
                seconds=seconds,
                why="",
                **told,
            )
            await session.change("remember", **{self.fact: noted(report)})
        return {"to": report.to, "collection": report.collection, **told, "seconds": seconds}

    def failed(self, why: str) -> None:
        """Note that a try failed; where another command has the state, the next one is noted."""
        with contextlib.suppress(ImporterError), context.peek(self.settings) or contextlib.nullcontext() as checkpoints:
            report = self._former(checkpoints)._replace(every_s=self.every_s, failed_at=time.time(), why=why)
            store_session.change(self.settings, "remember", **{self.fact: noted(report)})

    def _former(self, checkpoints: Checkpoints | None) -> SyncReport:
        """Return how the sync went until now."""
        known = report_of(checkpoints.meta(self.fact)) if checkpoints else None
        return known or SyncReport(self.target.store.location, self.target.store.collection)

    async def _travelled(self, session: StoreSession, *, silent: bool) -> Round:
        """Open the target, bring what is new, and close it."""
        to = msgspec.to_builtins(self.target)
        opened = await session.ask("migrate_open", to=to)
        try:
            # Other projects than in the last round: those that are left out now were not forgotten.
            where = f"{opened['location']}\0{self.target.store.collection}\0{self.leave_out}"
            name = f"sync-{hashlib.sha256(where.encode()).hexdigest()[:16]}.sqlite3"
            path = os.path.join(self.settings.state_dir, name)
            host = assembly.reading_of(self.settings, profile_of(self.settings), session.checkpoints).host
            counted = counting("points looked at", opened["points"], quiet=silent)
            with counted as shown, SentPoints(path, opened["fingerprint"]) as ledger:
                shrank = baseline.shrank(session.checkpoints) is not None
                if shrank:
                    click.echo(SHRANK, err=True)
                journey = Journey(to, host, self.leave_out, redact_stored.is_exposed, shrank)
                return await travel(session.ask, ledger, journey, shown.add)
        finally:
            await session.ask("migrate_close", to=to)


def _say(report: dict[str, Any], *, as_json: bool) -> None:
    """Print the report of a round."""
    if as_json:
        emit(report)
        return
    more = "".join(f", {report[name]:,} {name}" for name in ("changed", "removed", "refused") if report[name])
    click.echo(f"{report['sent']:,} of {report['points']:,} points were brought to {report['to']}{more}")
    if report["again"]:
        click.echo(f"{report['again']:,} of them had been lost there: it was put back from an older copy", err=True)
    if report["held"]:
        click.echo(f"{report['held']:,} stay here: a secret is in them; `importer redact --stored` masks it", err=True)
