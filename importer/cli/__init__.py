"""The command line: one module per command, imported only when it is called."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from importer import __version__
from importer.errors import TRY_AGAIN, ImporterError

COMMANDS = {
    "run": "run",
    "backlog": "backlog",
    "search": "search",
    "status": "status",
    "doctor": "doctor",
    "pause": "pause",
    "resume": "resume",
    "failures": "failures",
    "verify": "verify",
    "rebuild-state": "rebuild",
    "forget": "forget",
    "migrate": "migrate",
    "mcp": "mcp",
    "bench": "bench",
    "model": "model",
    "config": "config",
    "service": "service",
}

EPILOG = """\b
Examples:
  importer backlog ~/.claude/projects        import everything there
  importer search "why did the build fail"   find it again
  importer run                               keep everything searchable, for months
"""


class Commands(click.Group):
    """Finds a command's module by its name, so that `search` does not pay for what `run` needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None when there is none of that name."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(f"importer.cli.{module}").command
        return command


@click.command(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="importer")
@click.option("--config", metavar="FILE", help="Settings file (TOML).")
@click.option("--state-dir", metavar="DIR", help="What the importer owns: checkpoints, embedded store, models, socket.")
@click.option("--store", metavar="STORE", help="edge, local:PATH or the URL of a Qdrant server.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="Least level logged.")
@click.option("--log-format", type=click.Choice(["auto", "json", "console"]), help="auto: readable on a terminal.")
@click.pass_context
def importer(ctx: click.Context, /, **flags: Any) -> None:
    """Imports AI conversations into Qdrant, locally, and finds them again."""
    ctx.obj = flags


def run(arguments: list[str]) -> int:
    """The exit code of the command; errors are told on standard error, never as a traceback."""
    try:
        # Else click would exit by itself.
        result = importer.main(arguments, prog_name="importer", standalone_mode=False)
    except click.exceptions.Exit as exit_:
        return int(exit_.exit_code)
    except click.Abort:
        click.echo("stopped; what was imported is kept", err=True)
        return 130  # 128 + SIGINT, as shells count
    except click.ClickException as error:
        error.show()
        return int(error.exit_code)
    except ImporterError as error:
        return tell(error)
    except BrokenPipeError:
        sys.stderr.close()  # the reader went away, as `head` does; nothing to say to it
        return 0
    return int(result or 0)


def tell(error: ImporterError) -> int:
    """Prints what happened and what to do; returns the exit code.

    Yellow for what passes by itself, red for what somebody has to mend.
    """
    colour = {"fg": "yellow"} if error.exit_code == TRY_AGAIN else {"fg": "red"}
    click.echo(click.style("error: ", **colour) + error.message, err=True)  # type: ignore[arg-type]
    if error.hint:
        click.echo(click.style("  try: ", fg="cyan") + error.hint, err=True)
    return error.exit_code
