"""`importer resume`: with an id, go on with a conversation in its own tool; without, end a pause of the daemon."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any

import click

from importer.cli import context
from importer.cli.commands.pause import tell
from importer.cli.output import JSON_OPTION, completes, emit
from importer.errors import DONE, StateError, UsageError
from importer.protocol.foreign.quoting import typed
from importer.service.ask import Asker

EPILOG = """\b
Examples:
  importer resume                     the paused daemon goes on; what was written meanwhile is imported
  importer resume 2                   print the command that goes on with the second hit of the last search
  importer resume 4bb60f63 --run      go on with that conversation now, in its folder
  importer resume 4bb60f63 --with codex --run      hand it over to another assistant
"""
HANDOVER = (
    "Read {path}: a conversation with another assistant, which you are to go on with. Say briefly where it stands."
)


@click.command(epilog=EPILOG)
@click.argument("which", metavar="[ID|N]", required=False, default="", shell_complete=completes("conversations"))
@click.option("--run", "at_once", is_flag=True, help="Run the command, in the conversation's folder.")
@click.option(
    "--with",
    "tool",
    metavar="TOOL",
    default="",
    shell_complete=completes("tools"),
    help="Hand the conversation over to claude, codex …",
)
@click.option("--redacted", is_flag=True, help="Mask keys and passwords in what is handed over.")
@JSON_OPTION
@click.pass_context
def command(ctx: click.Context, /, *, which: str, at_once: bool, tool: str, redacted: bool, as_json: bool) -> int:
    """Go on with a conversation; without ID, let the paused daemon import again."""
    if not which:
        if at_once or tool:
            raise UsageError("--run and --with are for a conversation", hint="importer resume ID --run")
        tell(ctx, "resume")
        click.echo("it goes on")
        return DONE
    way = _way(Asker.of(context.settings_of(ctx)), which, tool, redacted)
    if as_json:
        emit({"command": list(way.command), "folder": way.folder, "page": way.page})
    elif at_once and way.command:
        run(way)
    else:
        click.echo(way.words)
    return DONE


def _way(asker: Asker, which: str, tool: str, redacted: bool) -> Any:
    """Return how to go on with a conversation, in its own tool or in another. Raises UsageError for no way."""
    from importer.assistants import registry
    from importer.cli.commands.open import located

    library, spot = located(asker, which)
    opened = library.open(spot, redacted=redacted)
    folder = opened.cwd if os.path.isabs(opened.cwd) else ""
    if tool:
        return _handed_over(registry, opened, tool, folder)
    way = registry.way_back(opened.source, opened.conversation, folder, opened.path)
    if not way.words:
        others = registry.beginners()
        other = next(filter(shutil.which, others), next(iter(others)))
        hint = f"importer resume {which} --with {other} hands it over to another assistant"
        raise UsageError(f"{opened.source} has no command that goes on with this conversation: {way.why}", hint=hint)
    return way


def _handed_over(registry: Any, opened: Any, tool: str, folder: str) -> Any:
    """Write the conversation to a file, for its user alone, and return the command that begins with it."""
    from importer.service.conversations import shared

    if tool not in registry.beginners():
        raise UsageError(f"no assistant {tool!r} takes a hand-over", hint=", ".join(registry.beginners()))
    descriptor, path = tempfile.mkstemp(prefix="importer-handover-", suffix=".md")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(shared.markdown(opened, opened.turns))
    return registry.WayBack(registry.begun(tool, HANDOVER.format(path=path)), folder)


def run(way: Any) -> None:
    """Become the tool, in the conversation's folder. Raises StateError where either is not there."""
    program = shutil.which(way.command[0])
    if program is None:
        raise StateError(f"{way.command[0]} is not installed here", hint=way.words)
    if way.folder and not os.path.isdir(way.folder):
        hint = f"run it elsewhere: {' '.join(map(typed, way.command))}"
        raise StateError(f"the folder of the conversation is gone: {way.folder}", hint=hint)
    program = os.path.abspath(program)  # a part of PATH may be relative
    if way.folder:
        os.chdir(way.folder)
    os.execv(program, list(way.command))  # noqa: S606  a list of arguments, no shell
