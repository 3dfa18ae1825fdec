"""`importer forget`: delete points, and keep them from coming back.

A tombstone in the state keeps later imports from storing them again; a deletion alone would last until their files are
read again.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import click

from importer.cli import context, store_session
from importer.cli.output import JSON_OPTION, PROJECT_OPTION, emit
from importer.cli.store_session import StoreSession
from importer.cli.text import printable
from importer.consistency import forget
from importer.consistency.forget import ForgetRule
from importer.consistency.refold import Refold, Unread, known_files
from importer.errors import UsageError
from importer.protocol import clock, projects
from importer.service import assembly

EPILOG = """\b
Examples:
  importer forget --project secret-app --dry-run    how much would go?
  importer forget --conversation 0f3c1a52-…         one conversation
  importer forget --path 'private/**' --yes         what these files say
  importer forget --before 2025                     everything older
  importer forget --list                            what was forgotten so far
  importer forget --project secret-app --undo       import it again

Several together mean what all of them hold for. Files are not touched. What a fork or a copy says as well is stored
once, and goes with it: `importer verify --repair` imports it again from the conversation or file that is not forgotten.
"""
PAGE_IDS = 500
MOST_PROJECTS = 10_000
NOT_FOUND = (
    "no file that is known says anything under that pattern. What files said that are gone, or no longer known to the "
    "state, is found by --project, --conversation or --before"
)


@click.command(epilog=EPILOG)
@PROJECT_OPTION
@click.option("--conversation", default="", help="This conversation, by id.")
@click.option("--path", default="", metavar="PATTERN", help="What files say whose path fits (as in .gitignore).")
@click.option("--before", default="", metavar="DATE", help="What was said before: 2025, 2025-03-01, 90d …")
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--undo", is_flag=True, help="Take it back: what the files still say is imported again.")
@click.option("--list", "listing", is_flag=True, help="What was forgotten so far.")
@JSON_OPTION
@click.pass_context
def command(ctx: click.Context, /, yes: bool, as_json: bool, **given: Any) -> int:
    """Delete the points of a project, a conversation, files or a time, for good: no later import brings them back."""
    settings = context.settings_of(ctx).settings
    if given["listing"]:
        return _list(settings, as_json)
    wish = ForgetRule(given["project"], given["conversation"], given["path"], clock.instant(given["before"]))
    if not wish.named:
        raise UsageError("what is to be forgotten?", hint="--project, --conversation, --path or --before; see --help")
    if given["undo"]:
        return asyncio.run(_undo(settings, wish, as_json))
    return asyncio.run(_forget(settings, wish, dry=given["dry_run"], sure=yes, as_json=as_json))


async def _forget(settings: Any, wish: ForgetRule, *, dry: bool, sure: bool, as_json: bool) -> int:
    """Write the tombstone, then delete: a kill in between leaves points, which the same command deletes."""
    async with store_session.open_session(settings, "forget") as session:
        wish = await _of_one_project(session, wish, dry=dry)
        points = await _count(session, wish)
        deleted = 0
        if wish.path and not points:
            click.echo(NOT_FOUND, err=True)
        go = not dry and (sure or _confirmed(points, wish))
        if go:
            await session.change("forget", **wish.named)
            deleted = await _erase(session, wish)
    told = {"forgotten": go, "points": points, "deleted": deleted, **wish.named}
    words = f"{deleted:,} points deleted; they do not come back" if go else f"{points:,} points would go"
    emit(told) if as_json else click.echo(words)
    return 0


async def _of_one_project(session: StoreSession, wish: ForgetRule, *, dry: bool) -> ForgetRule:
    """Return the rule with the whole path of the project that its text means, of those stored and those forgotten.

    Raises UsageError for a text that fits several, or none; a dry run only tells which there are and counts nothing.
    """
    if not wish.project:
        return wish
    counts = await session.ask("facet", key="project", limit=MOST_PROJECTS)
    found = _projects(wish, {*counts, *_forgotten_projects(session)})
    if len(found) > 1:
        raise UsageError(projects.several(wish.project, found, counts), hint="name one of them by its whole path")
    if not found:
        refused = projects.refusal(wish.project, counts)
        if not dry:
            raise refused
        click.echo(f"{refused.message}; there are: {refused.hint}", err=True)
    return replace(wish, project=found[0]) if found else wish


def _forgotten_projects(session: StoreSession) -> set[str]:
    """Return the projects that rules name."""
    return {made.project for made, _ in forget.rules(session.checkpoints) if made.project}


def _projects(wish: ForgetRule, known: set[str]) -> tuple[str, ...]:
    """Return the projects that a rule's text means: it alone where it is one word for word."""
    return (wish.project,) if wish.project in known else projects.chosen(wish.project, known)


def _confirmed(points: int, wish: ForgetRule) -> bool:
    """Ask on the terminal and return the answer. Raises UsageError where there is no terminal to ask on."""
    if not sys.stdin.isatty():
        raise UsageError(
            "there is no terminal to ask for a confirmation", hint="--yes, or --dry-run to see how much it is"
        )
    return click.confirm(f"Delete {points:,} points of {_words(wish)} for good?")


async def _undo(settings: Any, wish: ForgetRule, as_json: bool) -> int:
    """Remove the tombstone and have all files read again. Raises UsageError when there is none."""
    async with store_session.open_session(settings, "forget --undo") as session:
        (named,) = _projects(wish, _forgotten_projects(session))[:1] or (wish.project,)
        wish = replace(wish, project=named)
        if wish not in [made for made, _ in forget.rules(session.checkpoints)]:
            raise UsageError(f"{_words(wish)} was not forgotten", hint="`importer forget --list` shows what was")
        files = int((await session.change("unforget", **wish.named))["files"])
    how = (
        "the daemon reads them again now"
        if session.by_daemon
        else "`importer backlog` or `importer run` reads them again"
    )
    if as_json:
        emit({"undone": True, "files": files, **wish.named})
    else:
        click.echo(f"taken back; {files:,} files: {how}")
    return 0


async def _count(session: StoreSession, wish: ForgetRule) -> int:
    """Return how many points the rule means: those in the store, or with --path those that the files give.

    With --path an id counts once, even if several files give it.
    """
    if wish.path:
        return len({point for page in _ids(session, wish) for point in page})
    return int(await session.ask("tally", **wish.scope()))


async def _erase(session: StoreSession, wish: ForgetRule) -> int:
    """Delete the points and return how many there were. Called when no import can bring them back any more."""
    if not wish.path:
        return int(await session.ask("erase", **wish.scope()))
    deleted = 0
    for page in _ids(session, wish):
        deleted += await session.ask("erase_ids", ids=page)
    return deleted


def _ids(session: StoreSession, wish: ForgetRule) -> Iterator[list[str]]:
    """Give the ids of what the files of the rule say, by folding them again: no payload holds a path."""
    settings = session.settings
    reading = forget.without_rules(assembly.reading_of(settings, assembly.profile_of(settings), session.checkpoints))
    # Files that are gone cannot be folded again: their points are found by project, conversation or time only.
    for _, checkpoint in known_files(session.checkpoints):
        if not ForgetRule(path=wish.path).covers(checkpoint.path, {}):
            continue
        ids: list[str] = []
        try:
            for chunks in Refold(checkpoint, reading):
                ids += [chunk.id for chunk in chunks if wish.covers(checkpoint.path, chunk.metadata)]
                # A page at a time: a file may give tens of thousands.
                while len(ids) >= PAGE_IDS:
                    yield ids[:PAGE_IDS]
                    del ids[:PAGE_IDS]
        except Unread as error:
            click.secho(f"not read: {printable(os.fsdecode(checkpoint.path))}: {error}", fg="yellow", err=True)
        if ids:
            yield ids


def _list(settings: Any, as_json: bool) -> int:
    """Print what was forgotten so far, each with its local time."""

    checkpoints = context.peek(settings)
    made = forget.rules(checkpoints) if checkpoints else []
    if as_json:
        emit({"forgotten": [{**wish.named, "at": at} for wish, at in made]})
        return 0
    for wish, at in made:
        click.echo(f"{time.strftime('%Y-%m-%d %H:%M', time.localtime(at))}  {_words(wish)}")
    click.echo(f"times are {clock.zone_name()}" if made else "nothing was forgotten")
    return 0


def _words(wish: ForgetRule) -> str:
    """Return a rule in words: each of its conditions with its value."""
    return ", ".join(f"{name} {value}" for name, value in wish.named.items())
