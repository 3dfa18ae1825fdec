"""`importer install`: set up each assistant on this machine, the service and the model."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import click

from importer.assistants.wiring import record, wire
from importer.assistants.wiring.here import Planned, assistants, to_write
from importer.assistants.wiring.wire import Change
from importer.cli import context
from importer.cli.confirm import confirm
from importer.cli.output import JSON_OPTION, emit
from importer.cli.services.started import check_lasting, flags, importer_words, unseen
from importer.errors import DONE
from importer.protocol.foreign.quoting import printable
from importer.settings.load import Loaded

EPILOG = """\b
Examples:
  importer install --dry-run        what would be written, and where
  importer install                  the assistants found here, the service and the model
  importer install --only codex --no-service
  importer install --hook           Claude Code begins with what was said about the project, too

Comments and layout of the settings files stay; `importer uninstall` gives them back byte for byte.
"""
SURE = click.option("--yes", is_flag=True, help="Do not ask.")
DRY = click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
LONG = 600  # characters: a text that is not shown


@click.command(epilog=EPILOG)
@click.option("--only", multiple=True, metavar="NAME", help="Only this assistant; may be given several times.")
@click.option("--hook", "hooked", is_flag=True, help="Have Claude Code begin with what was said about the project.")
@click.option("--no-service", is_flag=True, help="Leave the service out.")
@click.option("--no-model", is_flag=True, help="Do not fetch the model.")
@DRY
@SURE
@JSON_OPTION
@click.pass_context
def command(
    ctx: click.Context,
    /,
    only: tuple[str, ...],
    *,
    hooked: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    no_service: bool,
    no_model: bool,
) -> int:
    """Set up every assistant found here to search past conversations, and keep them searchable."""
    check_lasting()
    loaded, home = context.settings_of(ctx), os.path.expanduser("~")
    state_dir, said = loaded.settings.state_dir, flags(ctx.find_root().obj or {}, loaded, os.environ, home)
    words = [*importer_words(), *said, "mcp"]
    if damaged := record.read(state_dir).damaged:
        click.echo(f"{damaged}; it is set aside, and what was installed is known by what it starts", err=True)
    found = to_write(assistants(only, os.environ, home), words, state_dir, hooked=hooked)
    if as_json:
        emit({"command": words, "files": [_fields(one, words) for one in found]})
    else:
        _show(found, words, loaded)
    due = [one for one in found if one.shown.text is not None]
    if dry_run or not (due or not no_service or not no_model):
        return DONE
    if not yes and not confirm("write this?", kept="nothing was written"):
        return DONE
    with record.alone(state_dir):
        for one in due:
            _write(one, words, state_dir)
    if not no_model:
        run(said, "model", "fetch")
    if not no_service:
        _serve(said, state_dir)
    return DONE


def _show(found: Sequence[Planned], words: Sequence[str], loaded: Loaded) -> None:
    """Print what would be written, file by file, and the lines for those that are left."""
    if not found:
        click.echo("no assistant was found here whose settings are known; --only NAME sets one up all the same")
    for one in found:
        _show_change(one.shown)
        if one.shown.left:
            _show_lines(one, words)
    if names := unseen(loaded):
        click.echo(f"an assistant and a service may not see {', '.join(names)}: put it into a file, with --config FILE")


def _show_lines(one: Planned, words: Sequence[str], *, err: bool = False) -> None:
    """Print what a person can add by hand to a file that is left."""
    if lines := wire.lines_by_hand(one.place, words) if one.place is not None else []:
        click.echo("  to be added by hand:", err=err)
    for line in lines:
        click.echo(f"  | {printable(line.expandtabs(4))}", err=err)


def _show_change(one: Change) -> None:
    """Print what would be done to one file."""
    why = one.why or ("to be renewed" if one.renews else "")
    click.echo(f"{click.style(one.title, bold=True)}  {printable(one.path)}{f'  {why}' if why else ''}")
    for line in one.inserted.splitlines() if len(one.inserted) < LONG else ["(a file of its own)"]:
        click.secho(f"  + {printable(line.expandtabs(4))}", fg="green")


def _fields(one: Planned, words: Sequence[str]) -> dict[str, Any]:
    """Return what programs get of a change."""
    change, lines = one.shown, list[str]()
    if change.left and one.place is not None:
        lines = wire.lines_by_hand(one.place, words)
    told = {"title": change.title, "path": change.path, "inserted": change.inserted, "why": change.why}
    return {**told, "by_hand": "\n".join(lines)}


def _write(one: Planned, words: Sequence[str], state_dir: str) -> None:
    """Do a change; one that fails does not keep the others from being done."""
    title = one.shown.title
    try:
        done = wire.write(one.plan, state_dir)
        click.echo(f"{title}: {done.why or 'written'}", err=True)
    except OSError as error:
        why = error.strerror or str(error)
        click.echo(f"{title}: {one.shown.path} could not be written: {why}; it is as it was", err=True)
        _show_lines(one, words, err=True)


def _serve(said: Sequence[str], state_dir: str) -> None:
    """Install the service, noted first."""
    former = record.read(state_dir).written.get(record.SERVICE)
    record.note(state_dir, record.SERVICE, record.Written(""))
    if not run(said, "service", "install", "--user") and former is None:
        record.drop(state_dir, record.SERVICE)


def run(said: Sequence[str], *words: str) -> bool:
    """Run another command of ours, and return whether that went well; a failure does not undo the rest."""
    done = subprocess.run([sys.executable, "-P", "-m", "importer", *said, *words], stdout=sys.stderr, check=False)
    if done.returncode:
        click.echo(f"`importer {' '.join(words)}` ended with {done.returncode}; the rest is done", err=True)
    return not done.returncode
