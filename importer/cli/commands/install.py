"""`importer install` and `importer uninstall`: everything set up for each assistant on this machine, and undone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import click

from importer.assistants.wiring import skill, wire
from importer.assistants.wiring.places import Place, places
from importer.assistants.wiring.wire import Change
from importer.cli import context
from importer.cli.confirm import confirm
from importer.cli.output import JSON_OPTION, emit
from importer.errors import DONE, UsageError
from importer.protocol.foreign.quoting import printable
from importer.settings.load import Settings

INSTALL_EPILOG = """\b
Examples:
  importer install --dry-run        what would be written, and where
  importer install                  the assistants found here, the service and the model
  importer install --only codex --no-service

Comments and layout of the settings files stay; `importer uninstall` gives them back byte for byte.
"""
UNINSTALL_EPILOG = """\b
Examples:
  importer uninstall --dry-run
  importer uninstall                the assistants' settings as they were; what was imported stays
"""
SURE = click.option("--yes", is_flag=True, help="Do not ask.")
DRY = click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")


@click.command(epilog=INSTALL_EPILOG)
@click.option("--only", multiple=True, metavar="NAME", help="Only this assistant; may be given several times.")
@click.option("--no-service", is_flag=True, help="Leave the service out.")
@click.option("--no-model", is_flag=True, help="Do not fetch the model.")
@DRY
@SURE
@JSON_OPTION
@click.pass_context
def command(
    ctx: click.Context, /, only: tuple[str, ...], *, dry_run: bool, yes: bool, as_json: bool, **no: bool
) -> int:
    """Set up every assistant found here to search past conversations, and keep them searchable."""
    settings = context.settings_of(ctx).settings
    words = _server(ctx)
    found = _found(only)
    changes = [(place, wire.planned(place, words)) for place in found]
    if (skilled := _skill(found)) is not None:
        changes.append((None, skilled))  # type: ignore[arg-type]
    if as_json:
        emit({"command": words, "files": [_fields(one) for _, one in changes]})
    else:
        _show(changes)
    due = [(place, one) for place, one in changes if one.inserted]
    if dry_run or not (due or not no["no_service"] or not no["no_model"]):
        return DONE
    if not yes and not confirm("write this?", kept="nothing was written"):
        return DONE
    for place, one in due:
        _write(one, place, words, settings.state_dir)
    if not no["no_model"]:
        _run(ctx, "model", "fetch")
    if not no["no_service"] and _run(ctx, "service", "install", "--user"):
        wire.note_service(settings.state_dir)
    return DONE


@click.command(epilog=UNINSTALL_EPILOG)
@DRY
@SURE
@JSON_OPTION
@click.pass_context
def uninstall(ctx: click.Context, /, *, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Give the assistants their settings back; what was imported stays."""
    settings = context.settings_of(ctx).settings
    written = wire.records(settings.state_dir)
    serves = written.pop(wire.SERVICE, None) is not None
    found = [(path, one, *wire.taken_out(path, one)) for path, one in written.items()]
    if as_json:
        emit({"files": [{"path": path, "removed": text is None, "why": why} for path, _, text, why in found]})
    else:
        for path, _, text, why in found:
            click.echo(f"{printable(path)}: {why or ('goes' if text is None else 'as it was')}")
    if not found and not serves:
        click.echo("nothing was installed", err=True)
        return DONE
    if dry_run or not (yes or confirm("do this?", kept="nothing was changed")):
        return DONE
    for path, one, text, why in found:
        _undo(settings, path, one, text, why)
    if serves and _run(ctx, "service", "uninstall", "--user"):
        wire.drop(wire.SERVICE, settings.state_dir)
    return DONE


def _found(only: Sequence[str]) -> list[Place]:
    """Return the assistants that are here, or those named. Raises UsageError for a name that is none."""
    known = places(os.environ, os.path.expanduser("~"))
    names = {place.assistant for place in known}
    if strange := [name for name in only if name not in names]:
        raise UsageError(f"{strange[0]!r} is no assistant that can be set up", hint=", ".join(sorted(names)))
    return [place for place in known if (place.assistant in only if only else os.path.exists(place.shows))]


def _server(ctx: click.Context) -> list[str]:
    """Return the words that start our server: an absolute path, and nothing from the folder that it starts in."""
    script = os.path.join(os.path.dirname(sys.executable), "importer")
    start = [script] if os.path.exists(script) else [sys.executable, "-P", "-m", "importer"]
    chosen = ctx.obj.get("state_dir") if isinstance(ctx.obj, dict) else None
    return [*start, *(["--state-dir", os.path.abspath(chosen)] if chosen else []), "mcp"]


def _skill(found: Sequence[Place]) -> Change | None:
    """Return the skill's file where Claude Code is among the assistants."""
    claude = next((place for place in found if place.assistant == "claude-code"), None)
    if claude is None:
        return None
    return wire.planned_file("Claude Code's skill", os.path.join(claude.shows, skill.PATH), skill.TEXT)


def _show(changes: Sequence[tuple[Any, Change]]) -> None:
    """Print what would be written, file by file."""
    if not changes:
        click.echo("no assistant was found here whose settings are known; --only NAME sets one up all the same")
    for _, one in changes:
        click.echo(f"{click.style(one.title, bold=True)}  {printable(one.path)}{f'  {one.why}' if one.why else ''}")
        for line in one.inserted.splitlines() if len(one.inserted) < 600 else ["(a file of its own)"]:
            click.secho(f"  + {printable(line)}", fg="green")


def _fields(one: Change) -> dict[str, Any]:
    """Return what programs get of a change."""
    return {"title": one.title, "path": one.path, "inserted": one.inserted, "why": one.why}


def _write(one: Change, place: Place | None, words: Sequence[str], state_dir: str) -> None:
    """Do a change; one that fails does not keep the others from being done."""
    try:
        wire.write(one, place, words, state_dir)
        click.echo(f"{one.title}: written", err=True)
    except OSError as error:
        wire.drop(one.path, state_dir)
        click.echo(f"{one.title}: {one.path} could not be written: {error.strerror}; it is as it was", err=True)


def _undo(settings: Settings, path: str, one: wire.Written, text: str | None, why: str) -> None:
    """Undo a change; what has nothing of ours any more is forgotten."""
    try:
        if not why:
            wire.undo(path, one, text, settings.state_dir)
        elif why == wire.GONE:
            wire.drop(path, settings.state_dir)
    except OSError as error:
        click.echo(f"{path} could not be written: {error.strerror}; it is as it was", err=True)


def _run(ctx: click.Context, *words: str) -> bool:
    """Run another command of ours, and return whether that went well; a failure does not undo the rest."""
    chosen = ctx.obj.get("state_dir") if isinstance(ctx.obj, dict) else None
    flags = ["--state-dir", os.path.abspath(chosen)] if chosen else []
    done = subprocess.run([sys.executable, "-P", "-m", "importer", *flags, *words], stdout=sys.stderr, check=False)
    if done.returncode:
        click.echo(f"`importer {' '.join(words)}` ended with {done.returncode}; the rest is done", err=True)
    return not done.returncode
