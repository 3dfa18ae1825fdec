"""`importer forget`: delete points, take their text out of every file of the state, and keep them from coming back.

A tombstone in the state keeps later imports from storing them again; a deletion alone would last until their files are
read again. `consistency.erase` does the rest.
"""

from __future__ import annotations

import asyncio
import difflib
import os
import time
from dataclasses import dataclass, replace
from typing import Any

import click

from importer.cli import context, store_session
from importer.cli.confirm import confirm
from importer.cli.output import JSON_OPTION, PROJECT_OPTION, completes, emit
from importer.cli.store_session import StoreSession
from importer.consistency import erase, forget
from importer.consistency.forget import ForgetRule
from importer.consistency.refold import Unread
from importer.errors import UsageError
from importer.protocol import clock, projects
from importer.protocol.foreign import values
from importer.protocol.foreign.quoting import printable

EPILOG = """\b
Examples:
  importer forget --project secret-app --dry-run    how much would go?
  importer forget --conversation 0f3c1a52           one conversation, by the first letters of its id
  importer forget --path 'private/**' --yes         what these files say
  importer forget --before 2025                     everything older
  importer forget --list                            what was forgotten so far
  importer forget --project secret-app --undo       import it again

Several together mean what all of them hold for. Files are not touched. What a fork or a copy says as well is stored
once, and goes with it: `importer verify --repair` imports it again from the conversation or file that is not forgotten.
"""
MOST_PROJECTS = 10_000
MOST_NAMES, MOST_NEAR = 100_000, 3  # conversations looked at, suggested
NOT_FOUND = (
    "no file that is known says anything under that pattern. What files said that are gone, or no longer known to the "
    "state, is found by --project, --conversation or --before"
)


@dataclass(frozen=True, slots=True)
class Counted:
    """The rule with its whole project, its `points`, whether it `stands` already, conversations `near` its own."""

    wish: ForgetRule
    points: int
    stands: bool
    near: tuple[str, ...] = ()


@click.command(epilog=EPILOG)
@PROJECT_OPTION
@click.option("--conversation", default="", shell_complete=completes("conversations"), help="This conversation, by id.")
@click.option("--path", default="", metavar="PATTERN", help="What files say whose path fits (as in .gitignore).")
@click.option("--before", default="", metavar="DATE", help="What was said before: 2025, 2025-03-01, 90d …")
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--remember", is_flag=True, help="Keep it from being imported, although nothing of it is stored yet.")
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
    counted = asyncio.run(_look(settings, wish, unknown=given["dry_run"], remember=given["remember"]))
    wish = counted.wish
    if not (counted.points or counted.stands or given["remember"]):
        return _nothing(wish, counted, dry=given["dry_run"], as_json=as_json)
    # Asked here, where no loop runs and no daemon rests: see `confirm`.
    question = f"Delete {counted.points:,} points of {printable(_words(wish))} for good?"
    if given["dry_run"] or not (yes or confirm(question, kept="nothing was deleted")):
        return _tell(wish, {"forgotten": False, "points": counted.points, "deleted": 0}, as_json)
    return asyncio.run(_forget(settings, wish, counted.points, as_json))


async def _look(settings: Any, wish: ForgetRule, *, unknown: bool, remember: bool) -> Counted:
    """Count what the rule means. A project may be `unknown` where nothing is changed, or where that is wanted."""
    async with store_session.open_session(settings, "forget", makes=remember) as session:
        wish = await _of_one_project(session, wish, unknown=unknown or remember)
        wish = wish if remember else await _of_one_conversation(session, wish)
        points = await erase.count(session.hands(_say_unread), wish)
        stands = wish in [made for made, _ in forget.rules(session.checkpoints)]
        near = () if points or stands or not wish.conversation else await _near(session, wish.conversation)
    if wish.path and not points:
        click.echo(NOT_FOUND, err=True)
    return Counted(wish, points, stands, near)


async def _of_one_project(session: StoreSession, wish: ForgetRule, *, unknown: bool) -> ForgetRule:
    """Return the rule with the whole path of the project that its text means, of those stored and those forgotten.

    Raises UsageError for a text that fits several, or none; one that may be `unknown` is only told of.
    """
    if not wish.project:
        return wish
    counts = await session.ask("facet", key="project", limit=MOST_PROJECTS)
    found = _projects(wish, {*counts, *_forgotten_projects(session)})
    if len(found) > 1:
        raise UsageError(projects.several(wish.project, found, counts), hint="name one of them by its whole path")
    if not found:
        refused = projects.refusal(wish.project, counts)
        if not unknown:
            raise refused
        click.echo(f"{refused.message}; there are: {refused.hint}", err=True)
    return replace(wish, project=found[0]) if found else wish


async def _of_one_conversation(session: StoreSession, wish: ForgetRule) -> ForgetRule:
    """Return the rule with the whole id of the conversation of which its text is the beginning, if it is one's alone.

    Raises UsageError for the beginning of several.
    """
    word = wish.conversation
    if len(word) < values.LEAST_PREFIX:
        return wish
    stored = (await session.ask("beginning", prefix=word))["conversations"]
    return _completed(wish, {*stored, *session.checkpoints.spoken.with_prefix(word, values.MOST_NAMED + 1)})


def _completed(wish: ForgetRule, known: set[str]) -> ForgetRule:
    """Return the rule with the one of these conversations that its text begins. Raises UsageError for several."""
    word = wish.conversation
    if word in known or not known:
        return wish
    if len(known) > 1:
        raise values.begins_several(word, sorted(known))
    return replace(wish, conversation=known.pop())


def _forgotten_projects(session: StoreSession) -> set[str]:
    """Return the projects that rules name."""
    return {made.project for made, _ in forget.rules(session.checkpoints) if made.project}


def _projects(wish: ForgetRule, known: set[str]) -> tuple[str, ...]:
    """Return the projects that a rule's text means: it alone where it is one word for word."""
    return (wish.project,) if wish.project in known else projects.chosen(wish.project, known)


async def _near(session: StoreSession, name: str) -> tuple[str, ...]:
    """Return the conversations whose ids begin like this one, or are written almost like it."""
    known = [str(found) for found in await session.ask("facet", key="conversation_id", limit=MOST_NAMES)]
    begun = [found for found in known if found.startswith(name)]
    return tuple(dict.fromkeys([*begun, *difflib.get_close_matches(name, known, n=MOST_NEAR)]))[:MOST_NEAR]


def _nothing(wish: ForgetRule, counted: Counted, *, dry: bool, as_json: bool) -> int:
    """Tell that nothing fits. A name that is unknown is most likely mistyped: no rule is kept of it."""
    if not dry and (wish.conversation or wish.project):
        near = f"did you mean {', '.join(map(printable, counted.near))}? " if counted.near else ""
        hint = f"{near}--remember keeps it from being imported all the same"
        raise UsageError(f"nothing is stored of {_words(wish)}; nothing was deleted or remembered", hint=hint)
    return _tell(wish, {"forgotten": False, "points": 0, "deleted": 0, "near": list(counted.near)}, as_json)


async def _forget(settings: Any, wish: ForgetRule, points: int, as_json: bool) -> int:
    """Note the rule, and erase what it means; a kill in between leaves the rest to the next import or daemon."""
    async with store_session.open_session(settings, "forget") as session:
        await session.change("forget", **wish.named)
        done = await session.erase()
    elsewhere = [*done["left"], *_other_stores(settings)]
    told = {"forgotten": True, "points": points, "deleted": done["deleted"], "left": elsewhere}
    for where in elsewhere:
        click.echo(f"deleted text may still stand in {printable(where)}", err=True)
    return _tell(wish, told, as_json)


def _tell(wish: ForgetRule, told: dict[str, Any], as_json: bool) -> int:
    """Print what was done, or would be."""
    words = f"{told['points']:,} points would go"
    if told["forgotten"]:
        words = f"{told['deleted']:,} points deleted; they do not come back, and no file of the store has their text"
        words = words if not told["left"] else words.partition(", and")[0]
    emit({**told, **wish.named}) if as_json else click.echo(words)
    return 0


def _other_stores(settings: Any) -> list[str]:
    """Return the stores in the state directory that are not the one in use, such as one migrated from."""
    used = settings.store.collection if settings.store.location == "edge" else ""
    folder = os.path.join(settings.state_dir, "edge")
    others = [name for name in (os.listdir(folder) if os.path.isdir(folder) else ()) if name != used]
    return [f"{os.path.join(folder, name)}, a store no longer in use: `rm -r` it" for name in sorted(others)]


def _say_unread(path: bytes, error: Unread) -> None:
    """Tell of a file that cannot be folded again."""
    click.secho(f"not read: {printable(os.fsdecode(path))}: {error}", fg="yellow", err=True)


async def _undo(settings: Any, wish: ForgetRule, as_json: bool) -> int:
    """Remove the tombstone and have all files read again. Raises UsageError when there is none."""
    async with store_session.open_session(settings, "forget --undo") as session:
        (named,) = _projects(wish, _forgotten_projects(session))[:1] or (wish.project,)
        made = {made.conversation for made, _ in forget.rules(session.checkpoints)}
        begun = {one for one in made if wish.conversation and one.startswith(wish.conversation)}
        wish = _completed(replace(wish, project=named), begun)
        if not forget.standing(session.checkpoints, wish):
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


def _list(settings: Any, as_json: bool) -> int:
    """Print what was forgotten so far, each with its local time."""

    context.check_state(settings)
    checkpoints = context.peek(settings)
    made = forget.rules(checkpoints) if checkpoints else []
    if as_json:
        emit({"forgotten": [{**wish.named, "own_wish": wish.own, "at": at} for wish, at in made]})
        return 0
    for wish, at in made:
        click.echo(f"{time.strftime('%Y-%m-%d %H:%M', time.localtime(at))}  {_words(wish)}")
    click.echo(f"times are {clock.zone_name()}" if made else "nothing was forgotten")
    return 0


def _words(wish: ForgetRule) -> str:
    """Return a rule in words: each of its conditions with its value."""
    named = ", ".join(f"{name} {value}" for name, value in wish.named.items())
    return printable(f"{named}: it asks not to be indexed" if wish.own else named)
