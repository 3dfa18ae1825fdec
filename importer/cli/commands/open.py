"""`importer open`: read a conversation, around a hit or whole."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from importer.cli import context, last_search
from importer.cli.output import JSON_OPTION, completes, emit
from importer.errors import UsageError
from importer.service.ask import Asker

EPILOG = """\b
Examples:
  importer open 2                          around the second hit of the last search
  importer open 4bb60f63                   a conversation, by the first letters of its id
  importer open 2 --whole                  all of it
  importer open 4bb60f63 --markdown --redacted > share.md

It is read from its file where that is there, else from the store. Of a hit, the turns around it are shown.
"""
AROUND = 4  # turns before and after a hit


@click.command(epilog=EPILOG)
@click.argument("which", metavar="ID|N", shell_complete=completes("conversations"))
@click.option("--before", default=AROUND, show_default=True, type=click.IntRange(0), help="Turns before a hit.")
@click.option("--after", default=AROUND, show_default=True, type=click.IntRange(0), help="Turns after a hit.")
@click.option("--whole", is_flag=True, help="All turns, also of a hit.")
@click.option("--markdown", is_flag=True, help="Markdown on standard output.")
@click.option("--redacted", is_flag=True, help="Mask what looks like a key, a token or a password.")
@click.option("--pager/--no-pager", default=True, help="Show it page by page on a terminal.")
@JSON_OPTION
@click.pass_context
def command(ctx: click.Context, /, which: str, *, as_json: bool, **chosen: Any) -> int:
    """Show a conversation, around a hit or whole."""
    from importer.cli import conversation_view
    from importer.service.conversations import shared

    if as_json and chosen["markdown"]:
        raise UsageError("--json and --markdown are two forms of one answer", hint="leave one of them away")
    library, spot = located(Asker.of(context.settings_of(ctx)), which)
    opened = library.open(spot, redacted=chosen["redacted"])
    first, turns = _window(opened, chosen)
    if as_json:
        emit(_fields(opened, turns, first))
    elif chosen["markdown"]:
        click.echo(shared.markdown(opened, turns), nl=False)
    else:
        shown = conversation_view.pages(opened, turns, first)
        paged = chosen["pager"] and sys.stdout.isatty()
        click.echo_via_pager(shown) if paged else click.echo("".join(shown), nl=False)
    return 0


def located(asker: Asker, which: str) -> tuple[Any, Any]:
    """Return the library and what a typed word means: the number of a hit, or the beginning of an id.

    Raises UsageError for a number that the last search did not have, and for an unknown id.
    """
    from importer.service.conversations.library import Library, spot_of

    library = Library(asker)
    if not (which.isascii() and which.isdigit() and len(which) < 4):
        return library, library.find(which)
    hit = last_search.recall(asker.settings.state_dir, int(which))
    if hit is None:
        hint = "`importer search` numbers its hits; an id begins with more letters"
        raise UsageError(f"the last search had no hit {which}", hint=hint)
    return library, spot_of(hit)


def _window(opened: Any, chosen: dict[str, Any]) -> tuple[int, Sequence[Any]]:
    """Return the turns to show, and the place of the first of them."""
    if chosen["whole"] or opened.at < 0:
        return 0, opened.turns
    first = max(0, opened.at - chosen["before"])
    return first, opened.turns[first : opened.at + chosen["after"] + 1]


def _fields(opened: Any, turns: Sequence[Any], first: int) -> dict[str, Any]:
    """Return what programs get; `at` is the place among `turns` of the hit, null for none, `of` counts all turns."""
    head = {name: getattr(opened, name) for name in ("conversation", "title", "project", "source", "path")}
    said = [{"role": one.role, "text": one.text, "timestamp": one.timestamp} for one in turns]
    return {**head, "turns": said, "of": len(opened.turns), "at": opened.at - first if opened.at >= 0 else None}
