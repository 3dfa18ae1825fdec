"""`importer fix`: what helped when an error was met before."""

from __future__ import annotations

import sys
from typing import Any

import click

from importer.cli import context
from importer.cli.output import JSON_OPTION, emit
from importer.errors import UsageError
from importer.protocol import clock
from importer.service.ask import Asker

EPILOG = """\b
Examples:
  importer fix "ERESOLVE unable to resolve dependency tree"
  npm test 2>&1 | tail -n 5 | importer fix -

Digits and paths need not be the same. It reads the transcripts that were imported and are still there.
"""
MOST_CHARS = 4_000  # of an error; its end says more


@click.command(epilog=EPILOG)
@click.argument("error", metavar="ERROR|-")
@click.option("--limit", "-n", default=3, show_default=True, type=click.IntRange(1), help="Most conversations.")
@JSON_OPTION
@click.pass_context
def command(ctx: click.Context, /, error: str, *, limit: int, as_json: bool) -> int:
    """Show what helped when ERROR was met before, the likest error first."""
    from importer.service.conversations import deeds
    from importer.service.conversations.library import Library

    asked = (sys.stdin.read() if error == "-" else error).strip()[-MOST_CHARS:]
    if not asked:
        raise UsageError("no error was given", hint="quote a line of what the command said")
    found = deeds.remedies(Library(Asker.of(context.settings_of(ctx))), asked, limit)
    if as_json:
        emit({"query": asked, "found": found})
        return 0
    for one in found:
        click.echo("\n".join(_lines(one)) + "\n")
    end = f"times are {clock.zone_name()}; importer open ID reads one" if found else "this error was not met before"
    click.secho(end, dim=True)
    return 0


def _lines(one: dict[str, Any]) -> list[str]:
    """Return what is shown of an error that was met: what failed, the way there, and what worked."""
    from importer.protocol.foreign.quoting import line, printable

    head = f"{clock.shown(one['at']) or 'no time':<16} {click.style(one['conversation'], fg='cyan')}"
    said = [f"  {click.style(printable(row), dim=True)}" for row in one["said"].splitlines()]
    steps = [f"  {step['kind']:<7} {line(step['text'])}" for step in one["steps"]]
    worked = click.style(f"  worked  {line(one['worked'])}", fg="green")
    failed = click.style(f"  failed  {line(one['command'])}", fg="red")
    last = worked if one["worked"] else click.style("  nothing that worked follows", dim=True)
    return [f"{head}  {line(one['title'] or '(no title)')}", failed, *said, *steps, last]
