"""`importer blame`: which conversations touched a file, or wrote one of its lines."""

from __future__ import annotations

import re
from typing import Any

import click

from importer.cli import context
from importer.cli.output import JSON_OPTION, emit
from importer.protocol import clock
from importer.service.ask import Asker

EPILOG = """\b
Examples:
  importer blame src/store.py              who edited it, the newest first
  importer blame src/store.py:120          who wrote this line, checked against git
  importer blame src/store.py --json | jq -r .touched[0].conversation

It reads the transcripts that were imported and are still there: what an assistant has swept is not found.
"""


@click.command(epilog=EPILOG)
@click.argument("which", metavar="FILE[:LINE]")
@click.option("--limit", "-n", default=10, show_default=True, type=click.IntRange(1), help="Most conversations.")
@JSON_OPTION
@click.pass_context
def command(ctx: click.Context, /, which: str, *, limit: int, as_json: bool) -> int:
    """Show which conversations touched FILE, the newest first, or wrote one of its lines."""
    from importer.service.conversations import deeds
    from importer.service.conversations.library import Library
    from importer.work import git

    path, number = _place(which)
    target = git.target_of(path)
    line = git.line_of(target, number) if number else None
    found = deeds.touches(Library(Asker.of(context.settings_of(ctx))), target, line, limit)
    if as_json:
        told = {"text": line.text, "commit": line.commit, "at": line.at, "summary": line.summary} if line else None
        emit({"file": target.path, "line": number, "told": told, "touched": found})
        return 0
    if line and line.commit:
        click.secho(
            f"line {number}: commit {line.commit[:10]} of {clock.shown(line.at)}, {_plain(line.summary)}", dim=True
        )
    for one in found:
        click.echo("\n".join(_lines(one, number)))
    click.secho(_end(bool(found)), dim=True)
    return 0


def _place(which: str) -> tuple[str, int]:
    """Return the path and the line that a word names, 0 for no line."""
    matched = re.fullmatch(r"(.+):(\d+)", which, re.S)
    return (matched[1], int(matched[2])) if matched else (which, 0)


def _plain(text: str) -> str:
    """Return a text on one line, without what a terminal obeys."""
    from importer.protocol.foreign.quoting import line

    return line(text)


def _lines(one: dict[str, Any], number: int) -> list[str]:
    """Return what is shown of a conversation."""
    counts = [f"{one[name]} {name}" for name in ("edits", "commands", "reads") if one[name]]
    wrote = click.style(f"  wrote line {number}", fg="green") if one["wrote_line"] else ""
    head = f"{clock.shown(one['last']) or 'no time':<16} {click.style(one['conversation'], fg='cyan')}"
    return [f"{head}  {', '.join(counts)}{wrote}", f"    {_plain(one['title'] or '(no title)')}"]


def _end(found: bool) -> str:
    """Return the last line: what to do next, or why there may be nothing."""
    if found:
        return f"times are {clock.zone_name()}; importer open ID reads one, importer resume ID goes on with it"
    return "no conversation that is still on disk touched it; `importer search --file` asks the store, too"
