"""A command with subcommands, one of which is meant when none is named."""

from __future__ import annotations

from typing import Any

import click


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
