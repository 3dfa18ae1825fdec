"""`importer config`: show the value in effect of each setting, and where it came from.

Where a setting is left to the memory profile, the profile's value is shown, as fitted to this machine.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from importer.cli import context
from importer.cli.output import JSON_OPTION, emit
from importer.errors import DONE, USAGE, UsageError
from importer.memory import profiles
from importer.memory.model_files import floor_of
from importer.memory.probes import memory_limit_bytes
from importer.memory.profiles import Profile
from importer.settings import load as all_settings
from importer.settings.load import DECLARED, MASK, EffectiveSetting, Loaded

EPILOG = """\b
Examples:
  importer config                        every setting, its value and where it came from
  importer config --changed              only settings that were given
  MEMORY_PROFILE=auto importer config    what a profile would set here
  importer config --markdown             the table of all settings
"""


@click.command(epilog=EPILOG)
@JSON_OPTION
@click.option("--changed", is_flag=True, help="Only settings that were given, by flag, environment or file.")
@click.option("--markdown", is_flag=True, help="The table of all settings with their defaults, for a document.")
@click.pass_context
def command(ctx: click.Context, /, *, as_json: bool, changed: bool, markdown: bool) -> int:
    """Show the settings in effect, secrets masked."""
    if markdown:
        click.echo(all_settings.markdown_table(), nl=False)
        return DONE
    loaded = context.settings_of(ctx)
    profile, problem = _profile(loaded)
    rows = all_settings.effective(loaded, profile.values() if profile else None)
    if changed:
        rows = [row for row in rows if loaded.origins[row.name] != "default"]
    if as_json:
        emit(_as_json(loaded, rows, profile, problem))
    elif sys.stdout.isatty():
        _draw(rows)
    else:
        for row in rows:
            click.echo(f"{row.name} = {row.value}\t({row.origin})")
        if not rows:
            click.echo("every setting is as it comes")
    _print_warnings(loaded, profile, problem)
    return USAGE if problem else DONE


def _profile(loaded: Loaded) -> tuple[Profile | None, str]:
    """Return the memory profile fitted to this machine, and why it cannot work here or ""."""
    try:
        return profiles.resolve(loaded.settings, memory_limit_bytes(), floor_bytes=floor_of(loaded.settings)), ""
    except UsageError as error:
        return None, f"{error.message}\n{error.hint}"


def _as_json(loaded: Loaded, rows: list[EffectiveSetting], profile: Profile | None, problem: str) -> dict[str, Any]:
    """Return the object that `--json` prints: settings by name, typed as in a settings file, and warnings."""
    values = profile.values() if profile else {}

    def typed(row: EffectiveSetting) -> Any:
        value = all_settings.value_of(loaded.settings, row.name)
        if DECLARED[row.name].secret:
            return MASK if value else ""
        return values.get(row.name.rpartition(".")[2]) if value is None else value

    return {
        "settings": {
            row.name: {"value": typed(row), "origin": row.origin, "unit": DECLARED[row.name].unit, "about": row.about}
            for row in rows
        },
        "adapted": profile.adapted if profile else "",
        "warnings": list(loaded.warnings),
        "problem": problem,
    }


def _draw(rows: list[EffectiveSetting]) -> None:
    """Print a table in which given settings stand out from defaults and from the profile's values."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("setting", "value", "from", "what"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "setting")
    for row in rows:
        style = "" if row.origin == "default" or row.origin.startswith("profile ") else "bold green"
        unit = DECLARED[row.name].unit
        value = f"{row.value} {unit}" if unit and row.value not in ("", MASK) else row.value
        cells = (Text(row.name, "cyan"), Text(value, style), Text(row.origin, style or "dim"), Text(row.about, "dim"))
        table.add_row(*cells)
    Console().print(table)


def _print_warnings(loaded: Loaded, profile: Profile | None, problem: str) -> None:
    """Print warnings and the problem on standard error."""
    for warning in loaded.warnings:
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    if profile and profile.adapted:
        click.secho(f"adapted to this machine: {profile.adapted}", fg="yellow", err=True)
    if problem:
        click.secho(f"error: {problem}", fg="red", err=True)
