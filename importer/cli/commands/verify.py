"""`importer verify`: fold the files again and compare what they give with the store; `--repair` mends the store.

`consistency.verify` makes the comparison, on tables in the state directory that are removed afterwards.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import click

from importer.cli import context, model_fetch, store_session
from importer.cli.output import JSON_OPTION, emit
from importer.cli.progress import counting
from importer.cli.store_session import StoreSession
from importer.consistency import baseline, places, verify
from importer.consistency.verify import FOUND, Findings
from importer.errors import DONE, QUARANTINED
from importer.protocol.foreign.quoting import neutral
from importer.service import assembly
from importer.service.launch import profile_of
from importer.service.status import cluster_ping, store_location
from importer.service.status.store_location import SERVER
from importer.settings.load import Settings
from importer.state.expected import Expected

PASSED_OVER = ("unrecognised", "refused")
SETTLED = dict.fromkeys((baseline.SEEN, baseline.SHRANK), "")  # it is told no longer that the store shrank
MOST_ROUNDS = 3  # of looking again after a repair
MOST_NAMED = 10  # files that nothing was imported of
EPILOG = """\b
Examples:
  importer verify                  is everything in the store that the files say?
  importer verify --repair         import what is missing or altered, delete what no file gives
  importer verify --json | jq .missing

Only what was committed counts: what growing files gained since is left to the next import. Points of deleted
or rewritten files, of other hosts and of other programs are left alone. A running daemon rests meanwhile.
"""


@click.command(epilog=EPILOG)
@click.option("--repair", is_flag=True, help="Import again what is missing or differs, delete what is extra.")
@click.option("--keep-extra", is_flag=True, help="With --repair: delete nothing that no file gives.")
@JSON_OPTION
@click.pass_context
def command(ctx: click.Context, /, repair: bool, keep_extra: bool, as_json: bool) -> int:
    """Compare the store with what the files give; exit code 1 when something is wrong and stays so."""
    settings = context.settings_of(ctx).settings
    context.check_state(settings)
    started_s = time.monotonic()
    behind = _behind(settings)
    findings, repaired, left = asyncio.run(_verify(settings, repair, keep_extra, as_json))
    report = {**summarise(findings, repaired, time.monotonic() - started_s, left), "behind": behind}
    if as_json:
        emit(report)
    else:
        _say(neutral(report))
    return DONE if report["ok"] else QUARANTINED


def _behind(settings: Settings) -> list[str]:
    """Return in words which shards of a cluster are behind, and on which node; a store of one place has none."""
    where = store_location.of_settings(settings)
    if where.kind != SERVER:
        return []
    store = settings.store
    _, cluster = cluster_ping.look(where.location, where.collection, api_key=store.api_key, ca_file=store.ca_file)
    return [words for _, words in cluster.behind()]


async def _verify(
    settings: Settings, repair: bool, keep_extra: bool, silent: bool
) -> tuple[Findings, dict[str, int] | None, int | None]:
    """Return what was found, how many points a repair erased and imported, and how many are wrong after it.

    A repair of a server is looked at again, and repeated while anything is wrong: a write may reach a part of it. The
    second is None without a repair, the third where the store was not read again.
    """
    async with store_session.open_session(settings, "verify") as session:
        first, done = await _round(session, repair, keep_extra, silent)
        if not first.wrong or done is not None:
            await session.change("remember", **SETTLED)
        if done is None or store_location.of_settings(settings).kind != SERVER or keep_extra:
            return first, done, None
        for _ in range(MOST_ROUNDS):
            again, more = await _round(session, repair, keep_extra, silent)
            if more is None:
                break
            done = {kind: done[kind] + more[kind] for kind in done}
        return first, done, again.wrong


async def _round(
    session: StoreSession, repair: bool, keep_extra: bool, silent: bool
) -> tuple[Findings, dict[str, int] | None]:
    """Compare once, and repair what is wrong; return what was found and done, None without a repair."""
    settings, findings = session.settings, Findings()
    reading = assembly.reading_of(settings, profile_of(settings), session.checkpoints)
    if repair:
        await places.move_points(session.ask, session.checkpoints, reading)
    with Expected(settings.state_dir) as expected:
        await _look(session, expected, reading, findings, silent)
        if not (repair and findings.wrong):
            return findings, None
        if findings.counts["missing"] or findings.counts["differing"]:
            await model_fetch.fetch_model(settings)
        if keep_extra:
            expected.spare_extra()
        return findings, await verify.repair(expected, session.checkpoints, reading, session.ask)


async def _look(session: StoreSession, expected: Expected, reading: Any, findings: Findings, silent: bool) -> None:
    """Fold all files, then compare with the store; the terminal shows both counts meanwhile."""
    settings = session.settings
    roots = assembly.roots_of(settings, os.environ)
    with counting("files folded", quiet=silent) as shown:
        for done in verify.gather(expected, session.checkpoints, reading, findings):
            shown.add(done - shown.count)
            await asyncio.sleep(0)  # folding awaits nothing: this lets other tasks run
    verify.add_files(session.checkpoints, roots, findings, follow_links=settings.follow_links)
    verify.add_quarantine(expected, session.checkpoints, findings)
    findings.counts["expected"] = expected.count()
    with counting("points compared", await session.ask("count"), quiet=silent) as shown:
        await verify.compare(expected, session.ask, reading, findings, shown.add)


def summarise(
    findings: Findings, repaired: dict[str, int] | None, seconds: float, left: int | None = None
) -> dict[str, Any]:
    """Return the JSON: counts by kind, samples of what is wrong, what was repaired; `ok` when nothing is wrong now.

    After a repair `left` is how many points a second look found wrong. Without that look `ok` rests on what erasing and
    importing reported.
    """
    counts = findings.counts
    kinds = ("expected", "matching", *FOUND, "kept", "elsewhere", "foreign", "quarantined")
    points = sum(counts[kind] for kind in ("matching", "differing", "extra", "kept", "elsewhere", "foreign"))
    done = repaired or {"erased": 0, "imported": 0, "retold": 0}
    if left is None:
        left = findings.wrong if repaired is None else _left(counts, done)
    return {
        "ok": not left,
        "files": {kind: findings.files[kind] for kind in ("read", "pending", "gone", *PASSED_OVER)},
        "passed_over": {os.fsdecode(path): reason for path, reason in findings.passed_over.items()},
        "points": points,
        **{kind: counts[kind] for kind in kinds},
        "samples": findings.samples,
        "repaired": repaired is not None,
        **{kind: done[kind] for kind in ("erased", "imported", "retold")},
        "seconds": round(seconds, 3),
    }


def _left(counts: Any, done: dict[str, int]) -> int:
    """Return how many points are still wrong after a repair."""
    imported = counts["missing"] + counts["differing"] - done["imported"]
    erased = counts["extra"] - done["erased"]  # a point that differs may only lack a name
    return int(max(0, imported) + max(0, erased))


def _say(report: dict[str, Any]) -> None:
    """Print the report for people: what is right in one line, what is wrong with a few examples."""
    files = report["files"]
    click.echo(f"{files['read']:,} files give {report['expected']:,} points; the store has {report['points']:,}")
    for kind, words in (
        ("kept", "of files that are gone or were rewritten, kept"),
        ("elsewhere", "of other hosts"),
        ("foreign", "not of an importer, left alone"),
        ("quarantined", "in quarantine; `importer failures` says why"),
    ):
        if report[kind]:
            click.secho(f"  {report[kind]:,} {words}", dim=True)
    if files["pending"]:
        click.secho(f"  {files['pending']:,} files are not imported (yet); `importer backlog` does", dim=True)
    _say_passed_over(report)
    for words in report["behind"]:
        click.secho(f"  {words}", fg="yellow")
    for kind in FOUND:
        if report[kind]:
            click.secho(f"{report[kind]:,} {kind}", fg="red", bold=True)
            for sample in report["samples"].get(kind, []):
                click.echo("  " + "  ".join(filter(None, (sample["id"], sample.get("conversation_id")))))
    _say_end(report)


def _say_passed_over(report: dict[str, Any]) -> None:
    """Print how many files nothing was imported of, and the first few with what to do."""
    for fate in PASSED_OVER:
        if report["files"][fate]:
            click.secho(f"  {report['files'][fate]:,} files {fate}", fg="yellow")
    for path, reason in list(report["passed_over"].items())[:MOST_NAMED]:
        click.secho(f"    {path}: {reason}", fg="yellow")


def _say_end(report: dict[str, Any]) -> None:
    """Print what was done, or what to do."""
    if report["repaired"]:
        ending = "" if report["ok"] else "; some are left, run it again"
        retold = f" ({report['retold']:,} without embedding)" if report["retold"] else ""
        click.echo(f"{report['erased']:,} deleted, {report['imported']:,} imported again{retold}{ending}")
    elif report["ok"]:
        left_out = any(report["files"][fate] for fate in PASSED_OVER)
        click.secho("what was imported is as the files say" if left_out else "all is as the files say", fg="green")
    else:
        click.echo("`importer verify --repair` imports what is missing or differs, and deletes what is extra")
