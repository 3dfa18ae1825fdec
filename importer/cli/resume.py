"""`importer resume`: the daemon goes on after `importer pause`."""

from __future__ import annotations

import click

from importer.cli.pause import tell
from importer.errors import DONE

EPILOG = """\b
Examples:
  importer resume        what was written meanwhile is imported now
"""


@click.command(epilog=EPILOG)
@click.pass_context
def command(ctx: click.Context, /) -> int:
    """Has the running daemon go on."""
    tell(ctx, "resume")
    click.echo("it goes on")
    return DONE
