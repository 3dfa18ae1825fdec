"""JSON on standard output for programs, and the options that several commands share."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import Any

import click

from importer.protocol.query import KINDS, ROLES

JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")


def completes(values: str) -> Callable[[click.Context, click.Parameter, str], Any]:
    """Return the completion of that name in `completing`, which is loaded when a shell asks for it."""

    def completed(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Any:
        from importer.cli import completing

        return getattr(completing, values)(ctx, parameter, incomplete)

    return completed


SOURCES_OPTION = click.option(
    "--source", "sources", multiple=True, metavar="NAME=PATH", help="Format and folder; repeatable."
)


def _typed_path(_ctx: click.Context, _param: click.Parameter, text: str) -> str:
    """Return the text that chooses projects or a file, a relative path or one below `~` as a whole path."""
    if not re.match(r"(\.{1,2}|~)(/|$)", text):
        return text
    return os.path.abspath(os.path.expanduser(text))


PROJECT_OPTION = click.option(
    "--project",
    default="",
    callback=_typed_path,
    shell_complete=completes("projects"),
    help="Only this project: its name, its path (also `.`) or a part of these, in any case.",
)
SOURCE_OPTION = click.option(
    "--source", default="", shell_complete=completes("sources"), help="Only this format, such as claude-code."
)
# Filters on what a chunk carries, of `search` and `list`.
CARRIED_OPTIONS = (
    click.option("--without-kind", multiple=True, type=click.Choice(KINDS), help="Not this kind; may be given again."),
    click.option("--branch", default="", help="Only what was said on this git branch."),
    click.option("--file", default="", callback=_typed_path, help="Only with this file: its path, or the end of it."),
    click.option("--tool", default="", help="Only where this tool was used, such as Bash."),
    click.option("--model", default="", help="Only answers of this model."),
    click.option("--role", type=click.Choice(ROLES), help="Only where this speaker says something."),
    click.option("--host", default="", help="Only what was said on this machine, by its host name."),
)


def carried(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the filters on what a chunk carries."""
    for option in reversed(CARRIED_OPTIONS):
        command = option(command)
    return command


def emit(found: Any) -> None:
    """Print one JSON object on a line of standard output, and flush it.

    All but plain ASCII is escaped, DEL too, so that a terminal is safe from what a conversation holds.
    """
    click.echo(json.dumps(found).replace("\x7f", "\\u007f"))
