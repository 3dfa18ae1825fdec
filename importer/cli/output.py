"""JSON on standard output for programs, and the options that several commands share."""

from __future__ import annotations

import json
from typing import Any

import click

JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
SOURCES_OPTION = click.option(
    "--source", "sources", multiple=True, metavar="NAME=PATH", help="Format and folder; repeatable."
)


def emit(found: Any) -> None:
    """Print one JSON object on a line of standard output, and flush it."""
    click.echo(json.dumps(found))
