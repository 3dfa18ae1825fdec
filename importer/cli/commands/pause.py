"""`importer pause`: the daemon rests until `importer resume`.

While it rests, the batches in flight are settled and searches are answered.
"""

from __future__ import annotations

from typing import Any

import click

from importer.cli import context
from importer.errors import DONE, StateError
from importer.service import client

EPILOG = """\b
Examples:
  importer pause                         until `importer resume`, or a restart of the daemon
  importer pause --reason "on battery"   what `importer status` shows meanwhile
"""


@click.command(epilog=EPILOG)
@click.option("--reason", default="asked to", show_default=True, help="Shown by `importer status`.")
@click.pass_context
def command(ctx: click.Context, /, reason: str) -> int:
    """Keep the running daemon from importing until `importer resume`."""
    tell(ctx, "pause", reason=reason)
    click.echo("paused; `importer resume` goes on")
    return DONE


def tell(ctx: click.Context, op: str, **arguments: Any) -> None:
    """Ask the daemon for `op`. Raises StateError when none runs."""
    folder = context.settings_of(ctx).settings.state_dir
    try:
        client.ask_daemon(folder, op, **arguments)
    except ConnectionError as error:
        raise StateError(f"no daemon runs on {folder}", hint="`importer run` starts one; see --state-dir") from error
