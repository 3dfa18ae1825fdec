"""`importer failures`: the quarantine, shown, tried again or dropped.

Showing reads beside a writer. Changes are made by the daemon, where one runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import click

from importer.cli import context, store_session, text
from importer.cli.app import DefaultGroup
from importer.cli.output import JSON_OPTION, emit
from importer.errors import UsageError
from importer.protocol import clock
from importer.protocol.foreign import quoting
from importer.service import operations
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


@click.group(cls=DefaultGroup, default="show", epilog=EPILOG)
def command() -> None:
    """Show, retry or drop what is in quarantine (alone: show it)."""


@command.command()
@click.argument("ids", nargs=-1, type=ID)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, MOST), help="Most rows.")
@JSON_OPTION
@click.pass_context
def show(ctx: click.Context, ids: tuple[int, ...], limit: int, as_json: bool) -> int:
    """List what is set aside: IDS, or the first LIMIT."""
    settings = context.settings_of(ctx).settings
    context.check_state(settings)
    checkpoints = context.peek(settings)
    rows = _chosen(checkpoints.quarantine, ids, limit) if checkpoints else []  # no state yet: nothing is set aside
    count = checkpoints.quarantine.count() if checkpoints else 0
    if as_json:
        emit({"count": count, "failures": [_plain(row) for row in rows]})
    else:
        for row in rows:
            _say(row)
        if not ids:
            _say_rest(count, len(rows))
    operations.refuse_unknown(checkpoints.quarantine if checkpoints else None, ids)
    return 0


@command.command()
@click.argument("ids", nargs=-1, type=ID)
@click.option("--all", "every", is_flag=True, help="All of them.")
@JSON_OPTION
@click.pass_context
def retry(ctx: click.Context, ids: tuple[int, ...], every: bool, as_json: bool) -> int:
    """Read the files of IDS again from their start; what is stored already is not embedded again."""
    done = _change(ctx, "failures_retry", _wanted(ids, every))
    if as_json:
        emit(done)
        return 0
    click.echo(f"{len(done['paths'])} files are read again" + ("" if done["daemon"] else " by the next import"))
    return 0


@command.command()
@click.argument("ids", nargs=-1, type=ID)
@click.option("--all", "every", is_flag=True, help="All of them.")
@JSON_OPTION
@click.pass_context
def drop(ctx: click.Context, ids: tuple[int, ...], every: bool, as_json: bool) -> int:
    """Delete IDS from the quarantine. Their lines stay passed over; their files are not touched."""
    done = _change(ctx, "failures_drop", _wanted(ids, every))
    if as_json:
        emit(done)
        return 0
    click.echo(f"{done['rows']} dropped")
    return 0


def _wanted(ids: Sequence[int], every: bool) -> list[int] | None:
    """Return the ids, None for all. Raises UsageError for neither and for both: nothing is dropped by mistake."""
    if bool(ids) == every:
        raise UsageError("which ones?", hint="name their ids (`importer failures` shows them), or --all")
    return None if every else list(ids)


def _change(ctx: click.Context, op: str, ids: list[int] | None) -> dict[str, Any]:
    """Do one operation on the quarantine; see `store_session.change`."""
    return store_session.change(context.settings_of(ctx).settings, op, ids=ids)


def _chosen(quarantine: Quarantine, ids: Sequence[int], limit: int) -> list[Quarantined]:
    """Return the named rows, on any page, or the first ones."""
    if not ids:
        return quarantine.page(limit=limit)
    return [row for row in _all(quarantine) if row.id in ids]


def _all(quarantine: Quarantine) -> Iterator[Quarantined]:
    """Give every row, read a page at a time: a quarantine can be long."""
    after = 0
    while rows := quarantine.page(after=after, limit=PAGE_ROWS):
        yield from rows
        after = rows[-1].id


def _plain(row: Quarantined) -> dict[str, Any]:
    """Return a row for programs; bytes of a path that are not UTF-8 become lone surrogates, escaped in the JSON."""
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
    """Print a row for people: what is wrong, then where, when, and how the line begins."""
    reject = row.reject
    what = (
        f"chunk {quoting.line(reject.chunk_id)}"
        if reject.chunk_id
        else f"{text.size(reject.length)} at {reject.offset:,}"
    )
    times = f", {row.attempts} times" if row.attempts > 1 else ""
    click.secho(f"{row.id:>6}  {reject.stage}: {quoting.line(reject.reason)}", fg="yellow", bold=True)
    click.echo(f"        {quoting.line(os.fsdecode(reject.path))}, {what}")
    click.secho(f"        {text.when(row.at)}{times}, {row.status}", dim=True)
    if reject.sample:
        click.secho(f"        {quoting.printable(reject.sample)}", dim=True)


def _say_rest(count: int, shown: int) -> None:
    """Print the zone of the times above, and how many rows were not shown, or that there are none."""
    if shown:
        click.secho(f"times are {clock.zone_name()}", dim=True)
    if not count:
        click.echo("nothing is in quarantine")
    elif count > shown:
        click.echo(f"{count - shown:,} more; --limit {count} shows them all")
