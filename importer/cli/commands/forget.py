"""`importer forget`: deletes points, and sees to it that they do not come back.

A tombstone in the state keeps what was forgotten from coming back; deleting points alone would last until their files
are read again.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import click

from importer.cli import context, resting
from importer.cli.resting import Hands
from importer.cli.text import instant, printable
from importer.consistency import forget
from importer.consistency.forget import Wish
from importer.consistency.refold import Refold, Unread, known_files
from importer.errors import UsageError
from importer.service import assembly

EPILOG = """\b
Examples:
  importer forget --project secret-app --dry-run    how much would go?
  importer forget --conversation 0f3c1a52-…         one conversation
  importer forget --path 'private/**' --yes         what these files say
  importer forget --before 2025-01-01               everything older
  importer forget --list                            what was forgotten so far
  importer forget --project secret-app --undo       import it again

Several together mean what all of them hold for. Files are not touched. What a fork or a copy says as well is stored
once, and goes with it: `importer verify --repair` imports it again from the conversation or file that is not forgotten.
"""
PAGE_IDS = 500
NOT_FOUND = (
    "no file that is known says anything under that pattern. What files said that are gone, or no longer known to the "
    "state, is found by --project, --conversation or --before"
)


@click.command(epilog=EPILOG)
@click.option("--project", default="", help="This project: its path, or the path's last component.")
@click.option("--conversation", default="", help="This conversation, by id.")
@click.option("--path", default="", metavar="PATTERN", help="What files say whose path fits (as in .gitignore).")
@click.option("--before", default="", metavar="DATE", help="What was said before (date or RFC 3339 time).")
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--undo", is_flag=True, help="Take it back: what the files still say is imported again.")
@click.option("--list", "listing", is_flag=True, help="What was forgotten so far.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.pass_context
def command(ctx: click.Context, /, yes: bool, as_json: bool, **given: Any) -> int:
    """Deletes the points of a project, a conversation, files or a time, for good: no later import brings them back."""
    settings = context.settings_of(ctx).settings
    if given["listing"]:
        return _list(settings, as_json)
    wish = Wish(given["project"], given["conversation"], given["path"], instant(given["before"]))
    if not wish.named:
        raise UsageError("what is to be forgotten?", hint="--project, --conversation, --path or --before; see --help")
    if given["undo"]:
        return asyncio.run(_undo(settings, wish, as_json))
    return asyncio.run(_forget(settings, wish, dry=given["dry_run"], sure=yes, as_json=as_json))


async def _forget(settings: Any, wish: Wish, *, dry: bool, sure: bool, as_json: bool) -> int:
    """First the tombstone, then the deletion: a kill in between leaves points, and the same command deletes them."""
    async with resting.hands(settings, "forget") as hands:
        points = await _count(hands, wish)
        deleted = 0
        if wish.path and not points:
            click.echo(NOT_FOUND, err=True)
        go = not dry and (sure or _confirmed(points, wish))
        if go:
            await hands.bury(wish)
            deleted = await _erase(hands, wish)
    told = {"forgotten": go, "points": points, "deleted": deleted, **wish.named}
    _tell(told, f"{deleted:,} points deleted; they do not come back" if go else f"{points:,} points would go", as_json)
    return 0


def _confirmed(points: int, wish: Wish) -> bool:
    """Asks; whoever cannot be asked has not agreed."""
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked whether that is meant", hint="--yes, or --dry-run to see how much it is")
    return click.confirm(f"Delete {points:,} points of {_words(wish)} for good?")


async def _undo(settings: Any, wish: Wish, as_json: bool) -> int:
    """Takes the tombstone away and has all files read again. Raises UsageError when there is none."""
    async with resting.hands(settings, "forget --undo") as hands:
        if wish not in [made for made, _ in forget.wishes(hands.checkpoints)]:
            raise UsageError(f"{_words(wish)} was not forgotten", hint="`importer forget --list` shows what was")
        files = await hands.unbury(wish)
        daemon = hands.supervisor is None
    how = "the daemon reads them again now" if daemon else "`importer backlog` or `importer run` reads them again"
    _tell({"undone": True, "files": files, **wish.named}, f"taken back; {files:,} files: {how}", as_json)
    return 0


async def _count(hands: Hands, wish: Wish) -> int:
    """How many points it is about: those in the store, or with --path those that the files give.

    With --path an id counts once, however many of the files say it.
    """
    if wish.path:
        return len({point for page in _ids(hands, wish) for point in page})
    return int(await hands.ask("tally", **wish.scope()))


async def _erase(hands: Hands, wish: Wish) -> int:
    """Deletes them; how many there were. Called when nothing can bring them back any more."""
    if not wish.path:
        return int(await hands.ask("erase", **wish.scope()))
    deleted = 0
    for page in _ids(hands, wish):
        deleted += await hands.ask("erase_ids", ids=page)
    return deleted


def _ids(hands: Hands, wish: Wish) -> Iterator[list[str]]:
    """The ids of what the files in question say, by folding them again: no payload holds a path."""
    settings = hands.settings
    reading = forget.remembering(assembly.reading_of(settings, assembly.profile_of(settings), hands.checkpoints))
    # Files that are gone cannot be folded again: their points are found by project, conversation or time only.
    for _, checkpoint in known_files(hands.checkpoints):
        if not Wish(path=wish.path).covers(checkpoint.path, {}):
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
    """What was forgotten so far, with the local time of it."""

    checkpoints = context.peek(settings)
    made = forget.wishes(checkpoints) if checkpoints else []
    if as_json:
        json.dump({"forgotten": [{**wish.named, "at": at} for wish, at in made]}, sys.stdout)
        sys.stdout.write("\n")
        return 0
    for wish, at in made:
        click.echo(f"{time.strftime('%Y-%m-%d %H:%M', time.localtime(at))}  {_words(wish)}")
    if not made:
        click.echo("nothing was forgotten")
    return 0


def _words(wish: Wish) -> str:
    """A wish in words: each of its conditions with its value."""
    return ", ".join(f"{name} {value}" for name, value in wish.named.items())


def _tell(told: dict[str, Any], words: str, as_json: bool) -> None:
    """One JSON object, or a sentence."""
    if as_json:
        click.echo(json.dumps(told))
    else:
        click.echo(words)
