"""`importer uninstall`: give the assistants' settings back; state, models and units go where that is asked for."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence

import click

from importer.assistants.wiring import here, record, wire
from importer.assistants.wiring.here import Planned
from importer.cli import context
from importer.cli.commands.install import DRY, SURE, run
from importer.cli.confirm import confirm
from importer.cli.output import JSON_OPTION, emit
from importer.cli.services.started import flags
from importer.cli.services.traces import Traces, model_traces, remove, state_traces
from importer.errors import DONE, StateLocked
from importer.protocol.foreign.quoting import printable
from importer.settings.load import Settings

EPILOG = """\b
Examples:
  importer uninstall --dry-run
  importer uninstall                          the assistants' settings as they were; what was imported stays
  importer uninstall --all                    entries of ours that no note tells of, too
  importer uninstall --state --model --units  everything that is ours; then remove the program itself
"""


@click.command(epilog=EPILOG)
@click.option("--all", "unnoted", is_flag=True, help="Take our server out of all settings, noted or not.")
@click.option("--state", "with_state", is_flag=True, help="Delete what was imported, too.")
@click.option("--model", "with_model", is_flag=True, help="Delete the models that were fetched, too.")
@click.option("--units", "with_units", is_flag=True, help="Remove the service, too, if another command installed it.")
@DRY
@SURE
@JSON_OPTION
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    unnoted: bool,
    with_state: bool,
    with_model: bool,
    with_units: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Give the assistants their settings back; what was imported stays."""
    loaded, home = context.settings_of(ctx), os.path.expanduser("~")
    settings, note = loaded.settings, record.read(loaded.settings.state_dir)
    found = here.to_give_back(note, os.environ, home, unnoted=unnoted or bool(note.damaged))
    gone = [
        *([state_traces(settings.state_dir)] if with_state else []),
        *([model_traces(settings.embed.model_dir)] if with_model else []),
    ]
    serves = record.SERVICE in note.written or with_units
    if as_json:
        emit({"files": [_fields(one) for one in found], "removed": [path for one in gone for path in one.paths]})
    else:
        _show(found, note, gone, serves=serves)
    if not found and not serves and not gone and not note.damaged:
        return _nothing(home)
    if dry_run or not (yes or confirm("do this?", kept="nothing was changed")):
        return DONE
    with record.alone(settings.state_dir):
        _give_back(found, note, settings)
    said = flags(ctx.find_root().obj or {}, loaded, os.environ, home)
    if serves and run(said, "service", "uninstall", "--user"):
        record.drop(settings.state_dir, record.SERVICE)
    for one in gone:
        _remove(one, settings)
    return DONE


def _fields(one: Planned) -> dict[str, object]:
    """Return what programs get of a file."""
    removed = one.shown.whole and one.shown.text is not None
    return {"path": one.shown.path, "removed": removed, "why": one.shown.why}


def _nothing(home: str) -> int:
    """Say that nothing was installed, and which assistants have our server all the same."""
    click.echo("nothing was installed", err=True)
    for path in (one.shown.path for one in here.to_give_back(record.Note({}), os.environ, home, unnoted=True)):
        click.echo(f"{printable(path)} has it, set up by hand or noted elsewhere; --all takes it out", err=True)
    return DONE


def _show(found: Sequence[Planned], note: record.Note, gone: Sequence[Traces], *, serves: bool) -> None:
    """Print what would be done, what goes, and what stays."""
    if note.damaged:
        click.echo(f"{note.damaged}: what was installed is known by what it starts, where it was is not", err=True)
    for one in found:
        _show_file(one)
    if serves:
        click.echo("the service is stopped and removed")
    for traces in gone:
        click.echo(f"{traces.title}: deleted in {printable(traces.folder)}: {_names(traces) or 'nothing'}")
        for path in traces.kept:
            click.echo(f"  {printable(path)} stays: it is not ours")
    kinds = {one.title for one in gone}
    if stay := [title for title in ("what was imported", "the models") if title not in kinds]:
        verb = "stays" if stay == ["what was imported"] else "stay"  # the models are several
        click.echo(f"{' and '.join(stay)} {verb}, and so does the program")


def _names(traces: Traces) -> str:
    """Return the names of what is deleted."""
    return printable(", ".join(os.path.basename(path) for path in traces.paths))


def _show_file(one: Planned) -> None:
    """Print what is taken out of one file."""
    change = one.shown
    goes = "goes" if change.whole and change.text is not None else "as it was"
    click.echo(f"{printable(change.path)}: {change.why or goes}")
    if change.left and one.place is not None:
        path = ".".join([*one.place.member, one.place.name]).rstrip(".")
        click.echo(f"  take {path} out by hand, then run this again")
    if change.text is None or change.whole:
        return
    lines = difflib.ndiff((change.before or "").splitlines(), change.text.splitlines(), None, None)
    for line in lines:
        if line.startswith(("- ", "+ ")):
            click.secho(f"  {line[:2]}{printable(line[2:].expandtabs(4))}", fg="red" if line[0] == "-" else "green")


def _give_back(found: Sequence[Planned], note: record.Note, settings: Settings) -> None:
    """Undo each change; one that fails does not keep the others from being undone."""
    for one in found:
        try:
            done = wire.undo(one.plan, one.written or record.Written(""), settings.state_dir)
            if done.left:
                click.echo(f"{done.path}: {done.why}", err=True)
        except OSError as error:
            why = error.strerror or str(error)
            click.echo(f"{one.shown.path} could not be written: {why}; it is as it was", err=True)
    if os.path.isdir(settings.state_dir):
        record.drop(settings.state_dir, "")  # also sets a damaged note aside


def _remove(traces: Traces, settings: Settings) -> None:
    """Delete what an installation left, unless a process is at work on it."""
    from importer.state import lock

    if (holder := lock.holder(settings.state_dir)) is not None and holder.command != lock.ANSWERER:
        told = f"process {holder.pid} ({holder.command}) is at work on {settings.state_dir}"
        raise StateLocked(f"{told}; {traces.title} stays", hint="end it, then run this again")
    for path in remove(traces):
        click.echo(f"{path} could not be deleted", err=True)
