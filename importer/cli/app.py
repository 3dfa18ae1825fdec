"""The command line: one module per command, imported only when it is called.

A command with subcommands, one of which is meant when none is named.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

import click

from importer import __version__
from importer.errors import TRY_AGAIN, ImporterError, TryAgainLater


class Defaulting(click.Group):
    """`importer failures --json` is `importer failures show --json`.

    A subcommand that does not exist becomes an argument of the default one, which complains of it.
    """

    def __init__(self, *arguments: Any, default: str, **rest: Any) -> None:
        super().__init__(*arguments, **rest)
        self._default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts the default in front of anything that is neither a subcommand nor a question about them."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [self._default, *args]
        return super().parse_args(ctx, args)


COMMANDS = {
    "run": "run",
    "backlog": "backlog",
    "search": "search",
    "status": "status",
    "doctor": "doctor",
    "pause": "pause",
    "resume": "pause:resume",
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
PIPE_CLOSED = 141  # 128 + SIGPIPE, as shells count
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


class PipeClosed(Exception):
    """Who read what we print has left, as `head` does. No OSError, for click ends at its EPIPE with 1."""


@contextlib.contextmanager
def _past_click() -> Iterator[None]:
    """Raises PipeClosed for a BrokenPipeError."""
    try:
        yield
    except BrokenPipeError as error:
        raise PipeClosed from error


class Commands(click.Group):
    """Finds a command's module by its name, so that `search` does not pay for what `run` needs."""

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        """Reads the arguments, and prints help and version."""
        with _past_click():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Does what the command does."""
        with _past_click():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        found = importlib.import_module(f"importer.cli.commands.{module}")
        command: click.Command = getattr(found, attribute or "command")
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
    """The exit code of the command; errors are told on standard error, never as a traceback.

    What is printed counts as done when it is written: at Python's own end it would be too late to tell.
    """
    if sys.stdout is None:  # closed by our parent; its number must not go to a database
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # for as long as we live
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for a locale that has no letter for something said
    try:
        code = _outcome(arguments)
        sys.stdout.flush()
    except (PipeClosed, BrokenPipeError):
        code = PIPE_CLOSED
    except OSError as error:
        code = tell(_translated(error))
    _drop(sys.stdout)
    _drop(sys.stderr)
    return code


def _outcome(arguments: list[str]) -> int:
    """The exit code of what ended as it should, and of every error of ours and of click's."""
    try:
        # Else click would exit by itself.
        result = importer.main(arguments, prog_name="importer", standalone_mode=False, color=_colour())
    except click.exceptions.Exit as exit_:
        return int(exit_.exit_code)
    except click.Abort:
        click.echo("stopped; what was imported is kept", err=True)
        return 130  # 128 + SIGINT, as shells count
    except click.ClickException as error:
        with contextlib.suppress(OSError):  # nobody is left to be told
            error.show()
        return int(error.exit_code)
    except ImporterError as error:
        return tell(error)
    return int(result or 0)


def _colour() -> bool | None:
    """What click is told of colours: none where NO_COLOR says so (https://no-color.org), else as it finds."""
    return False if os.environ.get("NO_COLOR") else None


def _translated(error: OSError) -> ImporterError:
    """What the system refused, and nobody else has translated. Only what is written to a stream names no file."""
    why = error.strerror or str(error)
    if error.filename is not None:
        return TryAgainLater(f"{os.fsdecode(error.filename)}: {why}")
    if error.errno in _UNWRITABLE:
        return TryAgainLater(f"what this prints cannot be written: {why}", hint="make room, then run it again")
    return TryAgainLater(why, hint="`importer status` shows whether a daemon answers")


def _drop(stream: TextIO | None) -> None:
    """Lets go of what cannot be written: Python would try it again at its end, complain, and exit with 120."""
    try:
        if stream is not None:
            stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[union-attr]


def tell(error: ImporterError) -> int:
    """Prints what happened and what to do; returns the exit code.

    Yellow for what passes by itself, red for what somebody has to mend.
    """
    shade = "yellow" if error.exit_code == TRY_AGAIN else "red"
    with contextlib.suppress(OSError):  # nobody is left to be told
        click.echo(click.style("error: ", fg=shade) + error.message, err=True, color=_colour())
        if error.hint:
            click.echo(click.style("  try: ", fg="cyan") + error.hint, err=True, color=_colour())
    return error.exit_code
