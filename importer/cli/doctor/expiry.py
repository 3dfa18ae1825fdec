"""Check for conversations that their assistant is about to delete and that are not imported yet.

Claude Code deletes session files whose last change is older than `cleanupPeriodDays` (its settings; default 30) when a
session starts; 0 makes older versions write no transcripts at all, and newer ones refuse it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from importer.cli.doctor.finding import Finding, Problem, judge
from importer.formats import claude_code
from importer.service.status import expiring
from importer.service.status.expiring import DAY_S, SOON_DAYS, Due

DEFAULT_DAYS = int(claude_code.RETENTION.default_days)


@dataclass(frozen=True, slots=True)
class ExpiryFacts:
    """What was found about the deletion of transcripts.

    `last_changes` are the times (UTC s) of the transcripts of Claude Code that are not wholly imported. `days` is how
    long it keeps them, `settings_file` the file that sets this, or could; `unreadable` is why it could not be read.
    `others` is what other assistants delete soon, by the names of their formats.
    """

    days: int
    settings_file: str
    folders: Sequence[str]
    last_changes: Sequence[float]
    now: float
    unreadable: str = ""
    others: Mapping[str, Due] = field(default_factory=dict)


def gather(
    environ: Mapping[str, str],
    home: str,
    folders: Sequence[str],
    last_changes: Iterable[float],
    now: float,
    *,
    others: Mapping[str, Due] | None = None,
) -> ExpiryFacts:
    """Gather the facts. `folders` are the roots of Claude Code that exist."""
    days, settings_file, unreadable = retention_days(claude_code.RETENTION.files(environ, home))
    return ExpiryFacts(days, settings_file, folders, tuple(last_changes), now, unreadable, others or {})


def retention_days(files: Sequence[str]) -> tuple[int, str, str]:
    """Return `(days, the file that sets them, why a file could not be read)`; the first file that sets them counts.

    A file that cannot be read is reported, and the next one is read.
    """
    days, path, unreadable = expiring.kept(files, claude_code.RETENTION)
    return int(days), path, unreadable


def check_expiry(facts: ExpiryFacts) -> Finding:
    """Check that no transcript is about to be deleted before it is imported.

    Its age is counted from the last change, as the assistant counts it. A deleted file's points stay; only lines that
    were never read are lost. Without folders of that assistant there is nothing to check.
    """
    if not facts.folders and not facts.others:
        return Finding("expiry", True, "no transcripts of Claude Code here, and nothing that another assistant deletes")
    fine = f"Claude Code keeps transcripts for {facts.days} days; nothing that expires soon is left to import"
    return judge("expiry", fine, [*(_problems(facts) if facts.folders else ()), *_of_others(facts.others)])


def _of_others(others: Mapping[str, Due]) -> Iterator[Problem]:
    """Yield what other assistants delete soon, with the same two ways out."""
    for name, one in others.items():
        period = one.period
        said = f"{one.files} conversations not imported yet are deleted by {period.tool} within {SOON_DAYS} days"
        longer = f"; or set {period.longer} in {period.file}"
        yield Problem(f"{said} ({name}), the first in {one.first_days:.1f} days", f"importer backlog{longer}")


def _problems(facts: ExpiryFacts) -> Iterator[Problem]:
    """Yield unreadable settings, a period of no use, and transcripts that are due within `SOON_DAYS`.

    The last have two ways out: import them now, or have the assistant keep them for longer.
    """
    longer = f'set "cleanupPeriodDays": 365 in {facts.settings_file}'
    if facts.unreadable:
        yield Problem(facts.unreadable, f"make it readable and valid JSON; until then {DEFAULT_DAYS} days are assumed")
    if facts.days <= 0:
        yield Problem(f"cleanupPeriodDays is {facts.days}: no transcripts are written, or they vanish at once", longer)
        return
    # Already expired ones too: the sweep comes with the next session.
    due = [at for at in facts.last_changes if facts.now - at > (facts.days - SOON_DAYS) * DAY_S]
    if due:
        left = max(0.0, facts.days - (facts.now - min(due)) / DAY_S)
        soon = f"{len(due)} transcripts not imported yet are deleted by Claude Code within {SOON_DAYS} days"
        sources = " ".join(f"--source {claude_code.NAME}={folder}" for folder in facts.folders)
        yield Problem(f"{soon}, the first in {left:.1f} days", f"importer backlog {sources}; or {longer}")
