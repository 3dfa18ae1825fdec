"""`importer redact`: what is masked as a secret, in files (`--check`) and in what is stored already (`--stored`)."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from typing import Any

import click

from importer.cli import context, store_session
from importer.cli.output import JSON_OPTION, emit
from importer.consistency import redact_stored, secrets
from importer.consistency.hands import Exposed
from importer.errors import UsageError
from importer.protocol.foreign.quoting import printable
from importer.service import assembly

EPILOG = """\b
Examples:
  importer redact --check ~/.claude/projects     what would be masked there, by file and kind
  importer redact --check .env --json            one file of any text
  importer redact --stored --dry-run             how much that is stored would be masked today?
  importer redact --stored                       mask it, and take the former text out of every file of the store

Secrets are never shown. `--stored` is for what an older version did not know for a secret: what files still give is
imported again from them, all else is masked where it is and keeps its id. It can be interrupted and called again.
"""
MOST_SHOWN = 20  # places of one file that are shown; --json has all


@click.command(epilog=EPILOG)
@click.option("--check", "checked", metavar="PATH", multiple=True, type=click.Path(), help="Look into these files.")
@click.option("--stored", is_flag=True, help="Mask what is stored.")
@click.option("--dry-run", is_flag=True, help="With --stored: only count.")
@JSON_OPTION
@click.pass_context
def command(ctx: click.Context, /, checked: tuple[str, ...], stored: bool, dry_run: bool, as_json: bool) -> int:
    """Show what is masked as a secret in files, or mask what is stored already."""
    if bool(checked) == stored:
        raise UsageError("what is to be looked at?", hint="either --check PATH or --stored; see --help")
    settings = context.settings_of(ctx).settings
    if checked:
        return _check(settings, checked, as_json)
    if not settings.redact.enabled:
        raise UsageError("redact.enabled is false: files are imported unmasked", hint="turn it on first")
    return asyncio.run(_look(settings, as_json) if dry_run else _mask(settings, as_json))


def _check(settings: Any, paths: tuple[str, ...], as_json: bool) -> int:
    """Print what would be masked in files."""
    missing = [path for path in paths if not os.path.lexists(path)]
    if missing:
        raise UsageError(f"no such file or folder: {', '.join(map(printable, missing))}", hint="check the path")
    reading = assembly.stateless_reading_of(settings)
    kinds: Counter[str] = Counter()
    findings, files = [], 0
    for path in (one for given in paths for one in secrets.below(os.fsencode(given))):
        files += 1
        name = printable(os.fsdecode(path))
        found = list(secrets.secrets_in(path, reading, lambda why, name=name: _say_unread(name, why)))  # type: ignore[misc]
        kinds.update(one.kind for one in found)
        findings += [{"path": os.fsdecode(path), **one._asdict()} for one in found]
        if found and not as_json:
            _show(name, found)
    if as_json:
        emit({"files": files, "secrets": len(findings), "kinds": dict(kinds), "findings": findings})
    else:
        click.echo(f"{len(findings):,} secrets would be masked in {files:,} files{_kinds(kinds)}; nothing was changed")
    return 0


def _show(name: str, found: list[secrets.FoundSecret]) -> None:
    """Print the places in one file."""
    click.echo(f"{name}: {len(found):,}")
    for one in found[:MOST_SHOWN]:
        click.echo(f"  line {one.line:,}: [secret:{one.kind}] in place of {one.chars:,} characters")
    if len(found) > MOST_SHOWN:
        click.echo(f"  and {len(found) - MOST_SHOWN:,} more")


async def _look(settings: Any, as_json: bool) -> int:
    """Print how much that is stored would be masked."""
    async with store_session.open_session(settings, "redact") as session:
        found: Exposed = await redact_stored.look(session.hands())
    if as_json:
        emit({"points": found.points, "kinds": dict(found.kinds), "dry_run": True})
    else:
        click.echo(f"{found.points:,} points would be masked{_kinds(found.kinds)}; nothing was changed")
    return 0


async def _mask(settings: Any, as_json: bool) -> int:
    """Mask what is stored, and print what was done."""
    async with store_session.open_session(settings, "redact") as session:
        await session.change("redact_stored")
        done = await session.erase()
    for where in done["left"]:
        click.echo(f"the former text may still stand in {printable(where)}", err=True)
    if as_json:
        emit({name: done[name] for name in ("replaced", "masked", "files", "left")})
        return 0
    click.echo(
        f"{done['replaced']:,} points replaced by what their files give, {done['masked']:,} masked where they are"
    )
    if done["files"]:
        click.echo(f"{done['files']:,} files are read again by the next import, as a secret stood at their end")
    return 0


def _kinds(kinds: Counter[str]) -> str:
    """Return the kinds with their numbers, the most frequent first; "" for none."""
    return f" ({', '.join(f'{kind} {count:,}' for kind, count in kinds.most_common())})" if kinds else ""


def _say_unread(name: str, why: str) -> None:
    """Tell of a file that cannot be read."""
    click.secho(f"not read: {name}: {why}", fg="yellow", err=True)
