"""The command line: the table of commands, their exit codes and errors. A command's module is imported when called."""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

import click

from importer import __version__
from importer.errors import TRY_AGAIN, ImporterError, TryAgainLater
from importer.protocol.foreign.quoting import printable

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class DefaultGroup(click.Group):
    """A command with subcommands, one of which is meant when none is named: `importer failures --json` shows.

    A subcommand that does not exist becomes an argument of the default one, which refuses it.
    """

    def __init__(self, *arguments: Any, default: str, **rest: Any) -> None:
        super().__init__(*arguments, **rest)
        self._default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default in front of anything that is neither a subcommand nor a question for help.

        A shell that completes a word asks with `resilient_parsing`: it may become a subcommand yet.
        """
        if ctx.resilient_parsing and not args:
            return super().parse_args(ctx, args)
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [self._default, *args]
        return super().parse_args(ctx, args)


class Entry(NamedTuple):
    """One command: its name, the module of `commands` that has it, what `importer --help` says, its name there."""

    name: str
    module: str
    help: str
    attribute: str = "command"


COMMANDS = (
    Entry("run", "run", "Watch the conversation folders and keep everything in them searchable"),
    Entry("backlog", "backlog", "Import everything pending below PATHS, then exit"),
    Entry("search", "search", "Find what was said about QUERY"),
    Entry("open", "open", "Show a conversation, around a hit or whole"),
    Entry("browse", "browse", "Browse conversations on the whole terminal"),
    Entry("list", "listing", "List conversations, the newest first"),
    Entry("projects", "listing", "List projects, the one spoken of last first", "projects"),
    Entry("blame", "blame", "Show which conversations touched FILE, the newest first, or wrote one of its lines"),
    Entry("fix", "fix", "Show what helped when ERROR was met before, the likest error first"),
    Entry("status", "status", "Show what the importer does, how far it is and what it takes"),
    Entry("sources", "sources", "Show which assistants keep conversations here, and leave out or take in one"),
    Entry(
        "doctor",
        "doctor",
        "Check model, store, folders, permissions, limits, memory, disk, clock, versions and transcripts that expire",
    ),
    Entry("pause", "pause", "Keep the running daemon from importing until `importer resume`"),
    Entry("resume", "resume", "Go on with a conversation; without ID, let the paused daemon import again"),
    Entry("failures", "failures", "Show, retry or drop what is in quarantine (alone: show it)"),
    Entry("verify", "verify", "Compare the store with what the files give"),
    Entry("rebuild-state", "rebuild", "Forget how far files are imported and import them again"),
    Entry("forget", "forget", "Delete the points of a project, a conversation, files or a time, for good"),
    Entry("redact", "redact", "Show what is masked as a secret in files, or mask what is stored already"),
    Entry("migrate", "migrate", "Copy every point to STORE, or embed all anew with another model"),
    Entry("sync", "sync", "Bring what is new in the store to STORE, and take out there what was forgotten here"),
    Entry("install", "install", "Set up every assistant found here to search past conversations"),
    Entry("uninstall", "uninstall", "Give the assistants their settings back; what was imported stays"),
    Entry("serve", "serve", "Show a page to search and read conversations in the browser, and serve MCP over HTTP"),
    Entry("mcp", "mcp", "Serve past conversations to assistants over MCP until its input ends"),
    Entry(
        "hook",
        "hook",
        "Print what conversations there were about this project, for an assistant that begins",
    ),
    Entry("bench", "bench", "Measure speed and memory of this importer and of the usual ways"),
    Entry("model", "model", "Fetch, find or list the models that embed (alone: list them)"),
    Entry("completion", "completion", "Print what makes a shell complete commands, options, projects and ids"),
    Entry("config", "config", "Show the settings in effect, secrets masked"),
    Entry("service", "service", "Install, remove and show the service"),
)
"""The commands in the order people meet them, with their texts, so that `--help` imports none of them."""

EPILOG = """\b
Examples:
  importer backlog ~/.claude/projects        import everything there
  importer search "why did the build fail"   find it again
  importer run                               keep everything searchable, for months
"""
PIPE_CLOSED = 141  # 128 + SIGPIPE, as shells count
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


class PipeClosed(Exception):
    """The reader of our output has left, as `head` does. It is no OSError, for click would end with 1 at its EPIPE."""


@contextlib.contextmanager
def _past_click() -> Iterator[None]:
    """Raise PipeClosed for a BrokenPipeError, which click would take for itself."""
    try:
        yield
    except BrokenPipeError as error:
        raise PipeClosed from error


GROUPS = (  # of `importer --help`; commands that none of them names come last
    ("Commands", ("backlog", "search", "open", "run", "status")),
    ("Find and go on", ("list", "projects", "browse", "resume", "blame", "fix", "serve", "mcp", "hook")),
    ("Watch over it", ("doctor", "failures", "verify", "sources", "pause", "bench")),
    ("Change what is stored", ("forget", "redact", "migrate", "sync", "rebuild-state")),
)
REST = "Set up"


class Commands(click.Group):
    """The commands of the table. One is imported when it is called, so `search` does not pay for what `run` needs."""

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        """Read the arguments, and print help and version."""
        with _past_click():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command."""
        with _past_click():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of the table."""
        return [row.name for row in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, or None when there is none of that name."""
        row = next((row for row in COMMANDS if row.name == cmd_name), None)
        if row is None:
            return None
        command: click.Command = getattr(importlib.import_module(f"importer.cli.commands.{row.module}"), row.attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is called; of one that does not exist, say which was meant."""
        if args and args[0][:1] not in {"", "-"} and all(row.name != args[0] for row in COMMANDS):
            import difflib

            near = difflib.get_close_matches(args[0], [row.name for row in COMMANDS], 3)
            meant = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{meant}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their texts from the table, without importing them: the first five, then the rest."""
        rows = {row.name: row.help for row in COMMANDS}
        grouped = [(heading, [name for name in names if name in rows]) for heading, names in GROUPS]
        named = {name for _, names in grouped for name in names}
        for heading, names in (*grouped, (REST, [name for name in rows if name not in named])):
            with formatter.section(heading):
                formatter.write_dl([(name, rows[name]) for name in names])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that a word may become, from the table, and the options; no command is imported."""
        from click.shell_completion import CompletionItem

        commands = [CompletionItem(row.name, help=row.help) for row in COMMANDS if row.name.startswith(incomplete)]
        return commands + click.Command.shell_complete(self, ctx, incomplete)


@click.command(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="importer")
@click.option("--config", metavar="FILE", help="Settings file (TOML).")
@click.option("--state-dir", metavar="DIR", help="What the importer owns: checkpoints, embedded store, models, socket.")
@click.option("--store", metavar="STORE", help="edge, local:PATH or the URL of a Qdrant server.")
@click.option("--also", metavar="STORE", help="Search further stores as well, with commas between them.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="Least level logged.")
@click.option("--log-format", type=click.Choice(["auto", "json", "console"]), help="auto: readable on a terminal.")
@click.pass_context
def importer(ctx: click.Context, /, **flags: Any) -> None:
    """Import AI conversations into Qdrant, locally, and find them again."""
    ctx.obj = flags


def run(arguments: list[str]) -> int:
    """Run a command and return its exit code; errors are printed on standard error, never as a traceback.

    Output is flushed here: at Python's own end it would be too late to report that it could not be written.
    """
    if sys.stdout is None:  # closed by our parent; its number must not go to a database
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # it stays open until the process ends
    elif isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for a locale without the letters of a conversation
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
    """Run the command and return its exit code, also for every error of ours and of click's."""
    try:
        # Else click would exit by itself.
        result = importer.main(arguments, prog_name="importer", standalone_mode=False, color=_colour())
    except click.exceptions.Exit as exit_:
        return int(exit_.exit_code)
    except click.Abort:
        click.echo(f"stopped; {_kept(arguments)}", err=True)
        return 130  # 128 + SIGINT, as shells count
    except click.ClickException as error:
        with contextlib.suppress(OSError):  # standard error may be closed, too
            error.show()
        return int(error.exit_code)
    except ImporterError as error:
        return tell(error)
    return int(result or 0)


KEPT = {  # of a command's work when it is stopped
    "backlog": "what was imported is kept, and the same command goes on where it was",
    "rebuild-state": "what was imported is kept, and `importer backlog` goes on where it was",
    "forget": "what is forgotten stays so; the same command finishes it",
    "migrate": "what was copied is kept, and the same command goes on where it was",
    "sync": "what was copied is kept, and the same command goes on where it was",
    "redact": "what is masked stays so; the same command finishes it",
    "verify": "what was repaired is repaired; the rest is as it was",
    "model": "a download is kept as far as it came",
    "bench": "nothing of it is kept, and the store was not touched",
}


def _kept(arguments: list[str]) -> str:
    """Return what is kept of the work of the command that these words call."""
    named = next((word for word in arguments if any(row.name == word for row in COMMANDS)), "")
    return KEPT.get(named, "nothing was changed")


def _colour() -> bool | None:
    """Return False, for no colours, where NO_COLOR is set (https://no-color.org) or the terminal is dumb.

    True, also in a pipe, where FORCE_COLOR is (https://force-color.org); else None: click looks itself.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return False if os.environ.get("TERM") == "dumb" else None


def _translated(error: OSError) -> ImporterError:
    """Return the error to print for what the system refused. Only a failed write to a stream names no file."""
    why = error.strerror or str(error)
    if error.filename is not None:
        return TryAgainLater(f"{os.fsdecode(error.filename)}: {why}")
    if error.errno in _UNWRITABLE:
        return TryAgainLater(f"what this prints cannot be written: {why}", hint="make room, then run it again")
    return TryAgainLater(why, hint="`importer status` shows whether a daemon answers")


def _drop(stream: TextIO | None) -> None:
    """Drop output that cannot be written: Python would try again at its end, complain, and exit with 120."""
    try:
        if stream is not None:
            stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[union-attr]


def tell(error: ImporterError) -> int:
    """Print what happened and what to do; return the exit code.

    Yellow is for errors that pass by themselves, red for those that a person has to mend.
    """
    shade = "yellow" if error.exit_code == TRY_AGAIN else "red"
    with contextlib.suppress(OSError):  # standard error may be closed, too
        click.echo(click.style("error: ", fg=shade) + printable(error.message, keep="\n\t"), err=True, color=_colour())
        if error.hint:
            click.echo(
                click.style("  try: ", fg="cyan") + printable(error.hint, keep="\n\t"), err=True, color=_colour()
            )
    return error.exit_code
