"""`importer status`: at a glance, as JSON, refreshed, or its memory as curves.

It changes nothing. Without a daemon the state is read, and a worker is started only to count an embedded store's
points.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

import click

from importer import control, lag, lock, reach, status
from importer.checkpoints import Checkpoints
from importer.cli import glance, wiring
from importer.errors import ImporterError, TryAgainLater
from importer.reach import SERVER, Place, Reached
from importer.settings import Settings

ANSWER_S = 20.0  # a daemon answers between two turns of its loop, in milliseconds
COUNT_S = 30.0  # a worker of our own opens the store and counts
EPILOG = """\b
Examples:
  importer status                     at a glance
  importer status --watch             refreshed every second
  importer status --json | jq .lag    for scripts
  importer status --memory            what worker and daemon took, as curves, and why workers ended
  importer status --memory --hours 72 --plot memory.svg
"""


@click.command(epilog=EPILOG)
@click.option("--watch", is_flag=True, help="Refresh until Ctrl-C.")
@click.option("--every", "every_s", default=1.0, show_default=True, type=click.FloatRange(0.2), help="Seconds between.")
@click.option("--memory", is_flag=True, help="Memory over time, and how workers ended.")
@click.option("--hours", default=1.0, show_default=True, type=click.FloatRange(0.01), help="Of memory to show.")
@click.option("--plot", metavar="FILE", help="Write the curves as SVG or PNG (needs matplotlib).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output (one a line with --watch).")
@click.pass_context
def command(
    ctx: click.Context, /, *, watch: bool, every_s: float, memory: bool, hours: float, plot: str | None, as_json: bool
) -> int:
    """Shows what the importer does, how far it is and what it takes."""
    settings = wiring.settings_of(ctx).settings
    if memory or plot:
        from importer.cli import curves

        return curves.show(settings, hours=hours, plot=plot or "", as_json=as_json)
    if watch:
        return _watch(settings, every_s, as_json)
    _say(gather(settings), as_json)
    return 0


def _watch(settings: Settings, every_s: float, as_json: bool) -> int:
    """Draws again and again until Ctrl-C, which is the way to end it and so no failure. Without a daemon the points
    are not counted each time: that takes a worker.
    """
    try:
        while True:
            found = gather(settings, count=False)
            if sys.stdout.isatty() and not as_json:
                click.clear()
            _say(found, as_json)
            time.sleep(every_s)
    except KeyboardInterrupt:
        return 0


def _say(found: status.Status, as_json: bool) -> None:
    """One line of JSON, flushed for whoever reads along, or the text."""
    if as_json:
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
    else:
        click.echo(glance.text(found))


def gather(settings: Settings, *, count: bool = True) -> status.Status:
    """From the daemon, else from the state. `count`: points may be asked of a store that only a worker can open."""
    try:
        found: status.Status = control.ask(settings.state_dir, "status", timeout_s=ANSWER_S)
    except ConnectionError:
        return _without_daemon(settings, count)
    except TimeoutError as error:
        hint = "its log says what it does; `kill -USR2` of its worker prints the worker's stack"
        raise TryAgainLater(f"the daemon of {settings.state_dir} does not answer", hint=hint) from error
    return found


def _without_daemon(settings: Settings, count: bool) -> status.Status:
    """From the state, read beside whoever writes it, and a fresh look at the roots."""
    holder = lock.holder(settings.state_dir)
    checkpoints = Checkpoints.peek(wiring.database_of(settings))
    roots = wiring.roots_of(settings, os.environ)
    where = reach.of_settings(settings)
    behind = lag.of_roots(roots, checkpoints, follow_links=settings.follow_links)
    # Who holds the state may have the embedded store open, which has one opener.
    reached = _reached(settings, where, count=count and holder is None)
    return status.of_state(checkpoints, behind, where, reached, model=settings.embed.model, roots=roots, holder=holder)


def _reached(settings: Settings, where: Place, *, count: bool) -> Reached:
    """How many points there are: a server says it, an embedded store only to its one opener."""
    if where.kind == SERVER:
        from importer.server import Server

        store = settings.store
        return Server(where.location, api_key=store.api_key, ca_file=store.ca_file).look(where.collection)
    found = reach.look_at_folder(where.location)
    if not (count and found.reachable):
        return found
    try:
        points = asyncio.run(asyncio.wait_for(wiring.ask(settings, "count"), COUNT_S))
    except (ImporterError, TimeoutError) as error:
        return Reached(False, why=str(error) or "it does not open in time")
    return Reached(True, int(points))
