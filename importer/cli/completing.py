"""The values that a shell can complete: projects, sources, kinds, conversations, tools. Errors complete nothing.

Each runs at a press of Tab, so it loads what it needs and no more; the state is read, and no process is asked.
Names come from files, which a stranger may have written: one that a shell could take for more than a word is left out.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from importer.errors import ImporterError
from importer.protocol.foreign.quoting import line
from importer.protocol.projects import last_part
from importer.protocol.query import KINDS

if TYPE_CHECKING:
    from importer.state.checkpoints import Checkpoints

MOST = 50  # values; more help no person
LOOKED_AT = 5000  # conversations, the newest, whose projects are offered: 50 ms
PLAIN = re.compile(r"[\w/.~@+,][\w/.~@+,-]*")  # a word of any shell, and no option
Values = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _of_state(values: Callable[[Checkpoints, str], Iterable[CompletionItem]]) -> Values:
    """Return a completion whose values stand in the state that the command line names."""

    @functools.wraps(values)
    def completed(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from importer.cli import context

        root = ctx.find_root()
        root.obj = root.params  # a command line that is completed calls no command, so none has set it
        try:
            checkpoints = context.peek(context.settings_of(ctx, level="error").settings)
            if checkpoints is None:
                return []
            with checkpoints:
                found = (one for one in values(checkpoints, incomplete) if PLAIN.fullmatch(one.value))
                return list(islice(found, MOST))
        except (ImporterError, OSError):
            return []

    return completed


@_of_state
def conversations(checkpoints: Checkpoints, incomplete: str) -> Iterable[CompletionItem]:
    """Yield the ids that begin so, each with its title; without a letter those of the newest conversations."""
    if not incomplete:
        newest = checkpoints.spoken.newest_first()
        return (CompletionItem(one.conversation, help=line(one.title)) for one in newest)
    ids = checkpoints.spoken.with_prefix(incomplete, MOST)
    told = ((name, checkpoints.spoken.of_conversation(name)) for name in ids)
    return (CompletionItem(name, help=line(files[0].title)) for name, files in told if files)


@_of_state
def projects(checkpoints: Checkpoints, incomplete: str) -> Iterable[CompletionItem]:
    """Yield the names of projects that begin so, or their paths where a path is typed."""
    whole = incomplete.startswith("/")
    newest = islice(checkpoints.spoken.newest_first(), LOOKED_AT)
    told = dict.fromkeys(one.project for one in newest if one.project)
    names = dict.fromkeys(one if whole else last_part(one) for one in told)
    return (CompletionItem(one) for one in names if one.casefold().startswith(incomplete.casefold()))


def sources(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the formats that begin so."""
    from importer import formats

    return [CompletionItem(name) for name in formats.names() if name.startswith(incomplete)]


def kinds(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the kinds that begin so."""
    return [CompletionItem(kind) for kind in KINDS if kind.startswith(incomplete)]


def tools(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the assistants that take a hand-over."""
    from importer.assistants import registry

    return [CompletionItem(name) for name in registry.beginners() if name.startswith(incomplete)]
