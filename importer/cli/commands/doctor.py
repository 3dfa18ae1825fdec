"""`importer doctor`: check this installation, and name the exact command or setting that repairs each problem.

This module gathers the facts, `cli.doctor` judges them. An error while facts are gathered becomes a finding.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import click

from importer.cli import context
from importer.cli.doctor import backup, examine, expiry, folders, host, languages, memory, probes, state, wiring
from importer.cli.doctor.examine import InstallationFacts
from importer.cli.doctor.expiry import ExpiryFacts
from importer.cli.doctor.finding import Finding
from importer.cli.doctor.languages import LanguageFacts
from importer.cli.output import JSON_OPTION, SOURCES_OPTION, emit
from importer.cli.text import brief
from importer.errors import DONE, QUARANTINED, StateError, UsageError
from importer.formats import claude_code
from importer.protocol.foreign.quoting import printable
from importer.protocol.units import NS
from importer.service import assembly
from importer.service.status import expiring
from importer.settings.load import Loaded, Settings
from importer.sources import scan
from importer.sources.reconcile import behind, wanted
from importer.sources.scan import Root

EPILOG = """\b
Examples:
  importer doctor                                       every check, with the fix of what is wrong
  importer doctor --json | jq '.checks[] | select(.ok|not)'
  importer --store http://localhost:6333 doctor         would it work with that server?

The exit code is 1 when something is wrong. Nothing is changed, fetched or imported.
"""


@click.command(epilog=EPILOG)
@SOURCES_OPTION
@JSON_OPTION
@click.pass_context
def command(ctx: click.Context, /, sources: tuple[str, ...], as_json: bool) -> int:
    """Check model, store, folders, permissions, limits, memory, disk, clock, versions and transcripts that expire."""
    findings = _findings(ctx, sources)
    found = examine.as_json(findings)
    if as_json:
        emit(found)
    else:
        for finding in findings:
            _print(finding)
        click.secho(_summary(findings), bold=True)
    return DONE if found["ok"] else QUARANTINED  # 1: there is something to do


def _findings(ctx: click.Context, sources: Sequence[str]) -> list[Finding]:
    """Run all checks; return only the finding about the settings when they cannot be loaded."""
    try:
        loaded = context.settings_of(ctx, {"sources": list(sources)} if sources else None, level="error")
        roots = assembly.roots_of(loaded.settings, os.environ)
    except UsageError as error:
        return [Finding("settings", False, error.message.replace("\n", "; "), error.hint or "importer config")]
    file = str((ctx.find_root().obj or {}).get("config") or os.environ.get("IMPORTER_CONFIG") or "")
    return examine.run_checks(gather(loaded, roots, file))


def gather(loaded: Loaded, roots: Sequence[Root], config_file: str) -> InstallationFacts:
    """Gather the facts of this installation. A worker is started for the last ones, which takes seconds.

    The holder of the state is found first: while a daemon runs, no other worker may be started.
    """
    settings = loaded.settings
    of_state = state.gather(settings.state_dir)
    of_memory = memory.gather(settings)
    held = probes.probe_daemon(settings)
    model, store = probes.probe_model_and_store(settings, held, fits=of_memory.profile is not None)
    return InstallationFacts(
        host=host.gather(loaded, config_file, of_state.newest_at),
        state=of_state,
        memory=of_memory,
        folders=folders.gather(roots, given=loaded.origins["sources"] != "default", mode=settings.tail.watch),
        expiry=_expiry(settings, roots),
        model=model,
        languages=_languages(settings),
        store=store,
        daemon=held,
        wiring=wiring.gather(settings.state_dir, os.environ, os.path.expanduser("~")),
        backup=backup.gather(settings, store.location, store.seen.points),
    )


def _languages(settings: Settings) -> LanguageFacts:
    """Look at how the newest conversations begin."""
    try:
        checkpoints = context.peek(settings)
    except StateError:
        checkpoints = None  # check_state reports it
    return languages.gather(settings.embed.model, checkpoints)


def _expiry(settings: Settings, roots: Sequence[Root]) -> ExpiryFacts:
    """Find the transcripts of Claude Code that are not wholly imported, by comparison with the checkpoints."""
    own_roots = [root for root in roots if root.format == claude_code.NAME and os.path.isdir(root.path)]
    try:
        checkpoints = context.peek(settings)
    except StateError:
        checkpoints = None  # check_state reports it
    changes = []
    for root in own_roots:
        for folder in scan.scan(root, wanted(root)):
            known = checkpoints.folder(folder.path) if checkpoints else {}
            late = (stat for stat in folder.files if behind(stat, known.get(os.path.basename(stat.path))))
            changes += [stat.mtime_ns / NS for stat in late]
    paths = [os.fsdecode(root.path) for root in own_roots]
    home, now = os.path.expanduser("~"), time.time()
    others = expiring.of_roots([root for root in roots if root not in own_roots], checkpoints, os.environ, home, now)
    return expiry.gather(os.environ, home, paths, changes, now, others=others)


def _print(finding: Finding) -> None:
    """Print one line for a check, and each repair on a line of its own, ready to be copied."""
    mark = click.style("note ", fg="yellow") if finding.fix else click.style("ok   ", fg="green")
    mark = mark if finding.ok else click.style("WRONG", fg="red", bold=True)
    click.echo(f"{mark} {finding.name:<14} {brief(finding.detail)}")
    for fix in finding.fix.splitlines():
        click.echo(click.style("                     fix: ", fg="cyan") + printable(fix))


def _summary(findings: Sequence[Finding]) -> str:
    """Return how many checks found something that is wrong, or to look at."""
    wrong, notes = sum(not one.ok for one in findings), sum(one.ok and bool(one.fix) for one in findings)
    if wrong:
        return f"{wrong} of {len(findings)} checks found something"
    return "nothing is wrong; see the notes" if notes else "everything is fine"
