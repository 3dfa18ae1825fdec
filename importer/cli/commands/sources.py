"""`importer sources`: the assistants on this machine, and which of them are imported."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from importer.cli import context, text
from importer.cli.app import DefaultGroup
from importer.cli.output import JSON_OPTION, completes, emit
from importer.errors import DONE, StateError, UsageError
from importer.protocol.foreign.quoting import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from importer.settings.load import Settings
    from importer.sources.inventory import FoundPlace
    from importer.state.checkpoints import Checkpoints

EPILOG = """\b
Examples:
  importer sources                     what is on this machine, and what of it is imported
  importer sources disable cursor      leave an assistant out; what is stored of it stays
  importer sources enable cursor       import it again
  importer sources list --json         for programs
"""


@click.group(cls=DefaultGroup, default="list", epilog=EPILOG)
def command() -> None:
    """Show which assistants keep conversations here, and leave out or take in one (alone: show them)."""


@command.command("list", epilog=EPILOG)
@JSON_OPTION
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> int:
    """Show which assistants keep conversations on this machine. No conversation is opened."""
    settings = context.settings_of(ctx).settings
    checkpoints = _checkpoints(settings)
    found = _with_expiring(_taken(settings), checkpoints)
    stores = checkpoints.stores() if checkpoints else {}
    if as_json:
        emit({"sources": [{**asdict(one), "newest": _stamp(one.newest)} for one in found], "stores": stores})
        return DONE
    for row in _rows(found, stores):
        click.echo(row)
    if not found:
        click.echo("no assistant that is known keeps conversations here; name a folder: --source NAME=PATH")
    return DONE


@command.command(epilog=EPILOG)
@click.argument("name", shell_complete=completes("sources"))
@click.pass_context
def enable(ctx: click.Context, name: str) -> int:
    """Import the conversations of the assistant NAME."""
    return _switch(ctx, name, on=True)


@command.command(epilog=EPILOG)
@click.argument("name", shell_complete=completes("sources"))
@click.pass_context
def disable(ctx: click.Context, name: str) -> int:
    """Leave out the conversations of the assistant NAME; what is stored of it stays (`importer forget` deletes)."""
    return _switch(ctx, name, on=False)


def _switch(ctx: click.Context, name: str, *, on: bool) -> int:
    """Switch a name on or off, and say what follows."""
    from importer import formats
    from importer.state import switches

    settings = context.settings_of(ctx).settings
    if name not in formats.names():
        raise UsageError(f"no assistant is called {name!r}", hint=f"known are {', '.join(formats.names())}")
    changed = switches.switch(settings.state_dir, name, on=on)
    state = "imported" if on else "left out; what is stored of it stays"
    click.echo(f"{name} is {state}" + ("" if changed else " already"))
    if changed:
        click.echo("a daemon that runs takes this at its next start, or with SIGHUP")
    if settings.sources:
        click.echo("`sources` in the settings names folders, which are imported in any case")
    return DONE


def _taken(settings: Settings) -> list[FoundPlace]:
    """Return what is on this machine: folders that the settings name go in place of the known ones."""
    from importer import formats
    from importer.settings.load import parse_source
    from importer.sources import inventory
    from importer.state import switches

    home = os.path.expanduser("~")
    if settings.sources:
        given = [parse_source(one) for one in settings.sources]
        others = [one for one in inventory.known_places(os.environ, home, formats.names()) if one not in given]
        off = {name for name, _ in others}
        return inventory.take(given, (), home) + [
            one for one in inventory.take(others, off, home) if one.supported and one.files
        ]
    left_out = switches.disabled(settings.state_dir)
    return inventory.take(inventory.known_places(os.environ, home, left_out), left_out, home)


def _checkpoints(settings: Settings) -> Checkpoints | None:
    """Open what is known of earlier imports; None where there were none, or it cannot be read."""
    try:
        return context.peek(settings)
    except StateError:  # `importer doctor` tells
        return None


def _with_expiring(found: list[FoundPlace], checkpoints: Checkpoints | None) -> list[FoundPlace]:
    """Return the places with what their assistants delete soon and is not imported. Compares names and times."""
    from importer.service.status import expiring
    from importer.sources.scan import Root

    known, now = expiring.periods(os.environ, os.path.expanduser("~")), time.time()
    counted = []
    for one in found:
        late = expiring.late_files([Root(os.fsencode(one.place), one.name)], checkpoints) if one.name in known else ()
        due = expiring.due(late, known, now).get(one.name)
        counted.append(replace(one, expiring=due.files) if due else one)
    return counted


def _stamp(newest: float) -> str:
    """Return a time as RFC 3339, "" for none."""
    return datetime.fromtimestamp(newest, UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if newest else ""


def _rows(found: list[FoundPlace], stores: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Give the table: each place, what was imported of its assistant in the first row of it; then other stores."""
    rows, told = [["", "files", "size", "newest", "", *text.STORE_COUNTS, "place"]], set[str]()
    for one in found:
        counts = [""] * len(text.STORE_COUNTS) if one.name in told else text.counted(stores.get(one.name))
        told.add(one.name)
        newest = text.when(one.newest)[:16] if one.newest else "-"
        amount = [text.number(one.files), text.size(one.bytes), newest, "on" if one.enabled else "off"]
        rows.append([one.name, *amount, *counts, _place(one)])
    rows += (
        [name, text.number(stores[name]["files"]), "-", "-", "-", *text.counted(stores[name]), "elsewhere"]
        for name in sorted(stores.keys() - told)
    )
    yield from text.table(rows, left=(0, 4, len(rows[0]) - 1)) if len(rows) > 1 else ()


def _place(one: FoundPlace) -> str:
    """Return a place with what is to be said of it."""
    home = os.path.expanduser("~")
    shown = f"~{one.place[len(home) :]}" if one.place.startswith(f"{home}/") else one.place
    soon = f"  ({text.number(one.expiring)} expire within days, not imported yet)" if one.expiring else ""
    return printable(shown) + (soon if one.supported else f"  (not read: {one.reason})")
