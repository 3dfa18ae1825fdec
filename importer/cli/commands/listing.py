"""`importer list` and `importer projects`: what conversations there are, and of what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from importer.cli import context
from importer.cli.output import JSON_OPTION, PROJECT_OPTION, SOURCE_OPTION, carried, emit
from importer.protocol import clock
from importer.protocol.query import left_out
from importer.service.ask import Asker

LIST_EPILOG = """\b
Examples:
  importer list                                     the newest conversations
  importer list --since tuesday --until tuesday --project infra
  importer list --branch main --file src/app.py
  importer list -n 100 --source codex --json | jq -r .conversations[].id

An id can be cut short: `importer open` and `importer resume` take its first letters.
"""
PROJECTS_EPILOG = """\b
Examples:
  importer projects                     by the time they were last spoken of
  importer projects --since "2 weeks ago" --json
"""
Command = Callable[..., Any]


def filters(command: Command) -> Command:
    """Give a command the filters of a list."""
    for option in (
        click.option("--until", default="", help="Only what began up to then; a day or a month counts whole."),
        click.option("--since", default="", help="Only what went on from then: yesterday, tuesday, 7d, 2026-03-01 …"),
        SOURCE_OPTION,
        PROJECT_OPTION,
    ):
        command = option(command)
    return command


@click.command(epilog=LIST_EPILOG)
@click.option("--limit", "-n", default=20, show_default=True, type=click.IntRange(1), help="Most conversations.")
@filters
@carried
@JSON_OPTION
@click.pass_context
def command(ctx: click.Context, /, *, limit: int, as_json: bool, **chosen: Any) -> int:
    """List conversations, the newest first."""
    return show(ctx, limit, "json" if as_json else "text", **_moments(chosen))


def show(ctx: click.Context, limit: int, form: str, **chosen: Any) -> int:
    """Print conversations, the newest first, in one of the forms of `search`; times are in UTC."""
    from importer.cli import conversation_view

    library = _library(ctx)
    found = library.recent(limit=limit + 1, **chosen)
    more = len(found) > limit
    found = found[:limit]
    _say_away(library)
    if form == "json":
        emit({"conversations": [one.fields() for one in found]})
        return 0
    if form == "tsv":
        for line in conversation_view.tabbed(found):
            click.echo(line)
        return 0
    for line in conversation_view.rows(found, library.short([one.id for one in found]), conversation_view.width()):
        click.echo(line)
    if not found and (why := library.why_nothing(**chosen)):
        click.echo(why)
        return 0
    if more:
        click.secho(f"there are older ones: -n {5 * limit} shows more", dim=True)
    _say_end(bool(found), "importer open ID reads one, importer resume ID goes on with it")
    return 0


@click.command(epilog=PROJECTS_EPILOG)
@filters
@JSON_OPTION
@click.pass_context
def projects(ctx: click.Context, /, *, as_json: bool, **chosen: str) -> int:
    """List projects, the one spoken of last first."""
    from importer.cli import conversation_view

    library, wanted = _library(ctx), _moments(chosen)
    found = library.projects(**wanted)
    _say_away(library)
    if as_json:
        emit({"projects": found})
        return 0
    if not found and (why := library.why_nothing(**wanted)):
        click.echo(why)
        return 0
    for line in conversation_view.project_rows(found, conversation_view.width()):
        click.echo(line)
    _say_end(bool(found), "importer list --project NAME shows its conversations")
    return 0


def _library(ctx: click.Context) -> Any:
    """Return the conversations of the state that this command is about."""
    from importer.service.conversations.library import Library

    return Library(Asker.of(context.settings_of(ctx)))


def _say_away(library: Any) -> None:
    """Say which further stores were not read."""
    for words in left_out(library.elsewhere.away):
        click.echo(words, err=True)


def _moments(chosen: dict[str, Any]) -> dict[str, Any]:
    """Return the filters with typed times as UTC."""
    since, until = clock.span(chosen["since"], chosen["until"])
    return {**chosen, "since": since, "until": until}


def _say_end(found: bool, more: str) -> None:
    """Print the zone of the times and what to do next, or that there is nothing."""
    if found:
        click.secho(f"times are {clock.zone_name()}; {more}", dim=True)
    else:
        click.echo("no conversation passes; `importer status` shows what is imported")
