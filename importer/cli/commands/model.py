"""`importer model`: fetch, find or list models, in a process of its own, for its libraries are large."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict

import click

from importer.cli import context
from importer.cli.app import DefaultGroup
from importer.delivery import environment
from importer.errors import UsageError
from importer.settings.schema import LOCAL

EPILOG = """\b
Examples:
  importer model fetch                       the model of the settings, verified; from a mirror if need be
  importer model fetch --precision int8      its faster form
  importer model path                        its directory, for other programs
  importer model list                        the models on this machine
"""
NAME = click.argument("name", required=False)
PRECISION = click.option("--precision", type=click.Choice(["fp32", "int8"]), help="In place of the settings'.")
JSON = click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")


@click.group(cls=DefaultGroup, default="list", epilog=EPILOG)
def command() -> None:
    """Fetch, find or list the models that embed (alone: list them)."""


@command.command()
@NAME
@PRECISION
@click.option("--offline", is_flag=True, help="Never touch a network: only say whether it is here and whole.")
@JSON
@click.pass_context
def fetch(ctx: click.Context, name: str | None, precision: str | None, offline: bool, as_json: bool) -> int:
    """Fetch the model NAME (default: that of the settings), or verify the one that is there."""
    return _run(ctx, "fetch", name, precision, offline=offline, as_json=as_json)


@command.command()
@NAME
@PRECISION
@JSON
@click.pass_context
def path(ctx: click.Context, name: str | None, precision: str | None, as_json: bool) -> int:
    """Print the directory of the model NAME (default: that of the settings)."""
    return _run(ctx, "path", name, precision, as_json=as_json)


@command.command("list")
@JSON
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> int:
    """List the models on this machine."""
    return _run(ctx, "list", as_json=as_json)


def _run(
    ctx: click.Context,
    action: str,
    name: str | None = None,
    precision: str | None = None,
    *,
    offline: bool = False,
    as_json: bool,
) -> int:
    """Run the process for models and return its exit code; it prints straight to the same output."""
    flags = {"embed.model": name, "embed.precision": precision, "embed.offline": True if offline else None}
    embed = context.settings_of(ctx, flags).settings.embed
    if embed.provider != LOCAL and not name and action != "list":
        raise UsageError(f"{embed.provider} embeds, so there is no local model", hint="EMBEDDING_PROVIDER=fastembed")
    arguments = [sys.executable, "-P", "-m", "importer.worker.models.fetch", action, *(["--json"] if as_json else [])]
    given = json.dumps(asdict(embed)).encode()
    sys.stdout.flush()  # what we printed must come first
    return subprocess.run(arguments, input=given, env=environment.of_fetch(os.environ), check=False).returncode
