"""`importer browse`: find and read conversations on a whole terminal, and go on with one. Its library is an extra."""

from __future__ import annotations

import importlib.util
import os
import sys

import click

from importer.cli import context
from importer.errors import DONE, StateError, UsageError

EPILOG = """\b
Examples:
  importer browse                        the newest conversations; type to search
  importer browse flaky test             begin with a search
  importer browse --filters "project:app since:tuesday"

Keys: / searches, f filters, Enter goes on with a conversation in its tool, o opens it whole,
s writes it without secrets as Markdown, d forgets it, w tells what is wrong, q leaves.
"""


@click.command(epilog=EPILOG)
@click.argument("query", nargs=-1, metavar="[QUERY]...")
@click.option("--filters", default="", help="Begin with these, such as `project:app since:tuesday`.")
@click.pass_context
def command(ctx: click.Context, /, query: tuple[str, ...], filters: str) -> int:
    """Browse conversations on the whole terminal: search as you type, read, go on with one."""
    if importlib.util.find_spec("textual") is None:
        hint = "pip install 'conversation-importer[tui]'; `importer search`, `list` and `open` do without"
        raise StateError("the browser needs Textual, which is not installed here", hint=hint)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the browser needs a terminal", hint="`importer search` and `importer list` print")
    from importer.cli.browser.screen import Browser
    from importer.cli.browser.shelf import Shelf
    from importer.cli.commands import resume
    from importer.service.ask import Asker
    from importer.service.conversations.library import Library

    asker = Asker.of(context.settings_of(ctx))
    Library(asker)  # says here, before there is a screen, that there is no state
    if os.environ.get("TERM", "dumb") == "dumb":
        raise UsageError(
            "this terminal cannot be drawn on (TERM=dumb)", hint="`importer search` and `importer list` print"
        )
    way = Browser(Shelf(asker), " ".join(query), filters, context.importer_of(ctx)).run()
    if way is not None:
        click.echo(way.words)
        if way.command:
            resume.run(way)
    return DONE
