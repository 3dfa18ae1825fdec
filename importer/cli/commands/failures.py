"""`importer failures`: the quarantine, shown, tried again or dropped.

Showing reads beside whoever writes. What changes something is done by the daemon, where one runs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

from importer.cli import context, text
from importer.cli.app import Defaulting
from importer.errors import UsageError
from importer.service import client, quarantine_ops
from importer.settings.load import Settings
from importer.state.checkpoints import Checkpoints
from importer.state.quarantine import Quarantine, Quarantined

PAGE_ROWS = 200  # read from the database at once
MOST = (1 << 63) - 1  # SQLite's largest integer
ID = click.IntRange(0, MOST)
EPILOG = """\b
Examples:
  importer failures                    what is set aside, and why
  importer failures show 12 --json     everything known about one of them
  importer failures retry --all        read their files again; nothing is embedded twice
  importer failures drop 12 14         give up on these; the lines stay passed over
"""


@click.group(cls=Defaulting, default="show", epilog=EPILOG)
def command() -> None:
    """Shows, retries or drops what is in quarantine (alone: shows it)."""


@command.command()
@click.argument("ids", nargs=-1, type=ID)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, MOST), help="Most rows.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.pass_context
def show(ctx: click.Context, ids: tuple[int, ...], limit: int, as_json: bool) -> int:
    """Lists what is set aside: IDS, or the first LIMIT."""
    settings = context.settings_of(ctx).settings
    checkpoints = context.peek(settings)
    rows = _chosen(checkpoints.quarantine, ids, limit) if checkpoints else []  # no state yet: nothing is set aside
    count = checkpoints.quarantine.count() if checkpoints else 0
    if as_json:
        json.dump({"count": count, "failures": [_plain(row) for row in rows]}, sys.stdout)
        sys.stdout.write("\n")
    else:
        for row in rows:
            _say(row)
        if not ids:
            _say_rest(count, len(rows))
    quarantine_ops.refuse_unknown(checkpoints.quarantine if checkpoints else None, ids)
    return 0


@command.command()
@click.argument("ids", nargs=-1, type=ID)
@click.option("--all", "every", is_flag=True, help="All of them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.pass_context
def retry(ctx: click.Context, ids: tuple[int, ...], every: bool, as_json: bool) -> int:
    """Has the files of IDS read again from their start; what is stored already is not embedded again."""
    done = _do(ctx, "failures_retry", quarantine_ops.retry, _wanted(ids, every))
    if as_json:
        json.dump(done, sys.stdout)
        sys.stdout.write("\n")
        return 0
    click.echo(f"{len(done['paths'])} files are read again" + ("" if done["daemon"] else " by the next import"))
    return 0


@command.command()
@click.argument("ids", nargs=-1, type=ID)
@click.option("--all", "every", is_flag=True, help="All of them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.pass_context
def drop(ctx: click.Context, ids: tuple[int, ...], every: bool, as_json: bool) -> int:
    """Forgets IDS. The lines stay passed over; their files are not touched."""
    done = _do(ctx, "failures_drop", quarantine_ops.drop, _wanted(ids, every))
    if as_json:
        json.dump(done, sys.stdout)
        sys.stdout.write("\n")
        return 0
    click.echo(f"{done['rows']} dropped")
    return 0


def _wanted(ids: Sequence[int], every: bool) -> list[int] | None:
    """The ids, None for all. Raises UsageError for neither and for both: nothing is dropped by a slip."""
    if bool(ids) == every:
        raise UsageError("which ones?", hint="name their ids (`importer failures` shows them), or --all")
    return None if every else list(ids)


def _do(
    ctx: click.Context, op: str, here: Callable[[Checkpoints, list[int] | None], dict[str, Any]], ids: list[int] | None
) -> dict[str, Any]:
    """By the daemon that holds the state, else with the state in our own hands. `daemon` says which.

    Only one process may write the state. Raises StateLocked while an import without a socket has it.
    """
    settings: Settings = context.settings_of(ctx).settings
    try:
        return {**client.ask_daemon(settings.state_dir, op, ids=ids), "daemon": True}
    except ConnectionError:
        with context.locked_state(settings) as checkpoints:
            return {**here(checkpoints, ids), "daemon": False}


def _chosen(quarantine: Quarantine, ids: Sequence[int], limit: int) -> list[Quarantined]:
    """The named rows, wherever they stand, or the first ones."""
    if not ids:
        return quarantine.page(limit=limit)
    return [row for row in _all(quarantine) if row.id in ids]


def _all(quarantine: Quarantine) -> Iterator[Quarantined]:
    """Every row, a page at a time: a quarantine can be long."""
    after = 0
    while rows := quarantine.page(after=after, limit=PAGE_ROWS):
        yield from rows
        after = rows[-1].id


def _plain(row: Quarantined) -> dict[str, Any]:
    """A row for programs; a path that is not UTF-8 keeps its bytes as lone surrogates, escaped in the JSON."""
    reject = row.reject
    return {
        "id": row.id,
        "path": os.fsdecode(reject.path),
        "offset": reject.offset,
        "length": reject.length,
        "stage": reject.stage,
        "reason": reject.reason,
        "sample": reject.sample,
        "chunk": reject.chunk_id,
        "at": row.at,
        "attempts": row.attempts,
        "status": row.status,
    }


def _say(row: Quarantined) -> None:
    """A row for people: what is wrong first, then where, when, and how it begins."""
    reject = row.reject
    what = f"chunk {reject.chunk_id}" if reject.chunk_id else f"{text.size(reject.length)} at {reject.offset:,}"
    times = f", {row.attempts} times" if row.attempts > 1 else ""
    click.secho(f"{row.id:>6}  {reject.stage}: {reject.reason}", fg="yellow", bold=True)
    click.echo(f"        {text.printable(os.fsdecode(reject.path))}, {what}")
    click.secho(f"        {text.when(row.at)}{times}, {row.status}", dim=True)
    if reject.sample:
        click.secho(f"        {text.printable(reject.sample)}", dim=True)


def _say_rest(count: int, shown: int) -> None:
    """What was not shown, or that there is nothing to show."""
    if not count:
        click.echo("nothing is in quarantine")
    elif count > shown:
        click.echo(f"{count - shown:,} more; --limit {count} shows them all")
