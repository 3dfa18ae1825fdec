"""`importer completion`: print the lines that make a shell complete what is typed. The work at Tab is click's."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from importer.errors import DONE

VARIABLE = "_IMPORTER_COMPLETE"  # by which the shell asks, as click reads it
WHOLE = ('string split ","', 'string split --max 1 ","')  # click's lines for fish end a value and its help at a comma
EPILOG = """\b
Examples:
  eval "$(importer completion bash)"                                  in ~/.bashrc
  eval "$(importer completion zsh)"                                   in ~/.zshrc, behind compinit
  importer completion fish > ~/.config/fish/completions/importer.fish
"""


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, /, shell: str) -> int:
    """Print what makes a shell complete commands, options, projects and ids."""
    kind = get_completion_class(shell)
    if kind is not None:
        made = kind(ctx.find_root().command, {}, "importer", VARIABLE)
        click.echo((made.source_template % made.source_vars()).replace(*WHOLE))
    return DONE
