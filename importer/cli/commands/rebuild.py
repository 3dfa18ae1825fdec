"""`importer rebuild-state`: read everything again, after the state was lost or the collection made anew.

It forgets how far every file is imported and calls `backlog`. What the store has is recognised by its ids and not
embedded again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

import click

from importer.cli import context
from importer.cli.commands import backlog
from importer.cli.output import SOURCES_OPTION
from importer.consistency import baseline
from importer.consistency.refold import known_files
from importer.protocol.records import Checkpoint
from importer.service import assembly
from importer.sources.scan import Root

EPILOG = """\b
Examples:
  importer rebuild-state                      after the state directory was lost
  importer rebuild-state ~/exports            and another folder that was imported
  importer --store URL rebuild-state          after the collection was dropped, or to fill another one

What the store has already is recognised by its id and not embedded again. What was forgotten stays forgotten.
"""


@click.command(epilog=EPILOG)
@click.argument("paths", nargs=-1, type=click.Path())
@SOURCES_OPTION
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, as `backlog` gives.")
@click.pass_context
def command(ctx: click.Context, /, paths: tuple[str, ...], sources: tuple[str, ...], as_json: bool) -> int:
    """Forget how far files are imported and import them again, embedding only what the store lacks.

    These are the folders of the settings, the files imported from elsewhere, and PATHS.
    """
    settings = context.settings_of(ctx).settings
    roots = assembly.roots_of(settings, os.environ)
    with context.locked_state(settings) as checkpoints:
        elsewhere = sorted(_elsewhere((checkpoint for _, checkpoint in known_files(checkpoints)), roots))
        files = checkpoints.forget_all_files()
        baseline.reset(checkpoints)
    click.echo(f"{files:,} files are read again, and what else is found", err=True)
    there = [f"{root.format}={os.fsdecode(root.path)}" for root in roots if os.path.lexists(root.path)]
    # As explicit sources, for these replace the roots of the settings.
    everything = dict.fromkeys((*there, *elsewhere, *sources))
    return int(ctx.invoke(backlog.command, paths=paths, sources=tuple(everything), as_json=as_json) or 0)


def _elsewhere(known: Iterable[Checkpoint], roots: Sequence[Root]) -> Iterator[str]:
    """Give the files imported from outside the roots, as sources.

    They were named on a command line once; no root would find them again.
    """
    for checkpoint in known:
        if not any(root.holds(checkpoint.path) for root in roots) and os.path.lexists(checkpoint.path):
            yield f"{checkpoint.format or 'auto'}={os.fsdecode(checkpoint.path)}"
