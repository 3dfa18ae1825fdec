"""Find what assistants are about to delete before it is imported.

Only what a format declares (`RETENTION`) and the tool's own settings tell how long conversations are kept; their age is
counted from the last change, as the tools count it. A deleted file's points stay: what is lost was never read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from importer import formats
from importer.formats._retention import FOREVER, Retention
from importer.protocol.system.plain import plain
from importer.protocol.units import NS
from importer.sources import scan
from importer.sources.inventory import at_home
from importer.sources.queue import Pending
from importer.sources.reconcile import behind, wanted
from importer.sources.scan import Root
from importer.state.checkpoints import Checkpoints

SOON_DAYS = 3  # a long weekend
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Period:
    """How long an assistant keeps conversations: the days, and the file that sets them, or could."""

    tool: str
    days: float
    file: str
    longer: str
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """What of an assistant is deleted soon: how many files, the days until the first one is, and the period."""

    period: Period
    files: int
    first_days: float

    def fields(self) -> Mapping[str, Any]:
        """Return what `status --json` says of it."""
        return {"files": self.files, "first_days": round(self.first_days, 1), "kept_days": self.period.days}


def periods(environ: Mapping[str, str], home: str) -> dict[str, Period]:
    """Return the period of each format whose tool deletes conversations. Reads the tools' settings."""
    found = ((name, getattr(formats.load(name), "RETENTION", None)) for name in formats.names())
    given = at_home(environ, home)
    return {name: _period(one, given, home) for name, one in found if one is not None}


def _period(retention: Retention, environ: Mapping[str, str], home: str) -> Period:
    days, file, unreadable = kept(retention.files(environ, home), retention)
    return Period(retention.tool, days, file, retention.longer, unreadable)


def kept(files: Sequence[str], retention: Retention) -> tuple[float, str, str]:
    """Return the days, the file that sets them, and why a file could not be read; the first one that says so counts."""
    unreadable = ""
    for path in files:
        try:
            with open(path, encoding="utf-8", opener=plain) as file:
                days = retention.days(file.read())
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            unreadable = f"{path}: {error}"
            continue
        if days is not None:
            return days, path, unreadable
    return retention.default_days, files[-1] if files else "", unreadable


def due(late: Iterable[tuple[str, float]], known: Mapping[str, Period], now: float) -> dict[str, Due]:
    """Return what is deleted soon, by format, of files that are not imported: each with its format and last change."""
    ages: dict[str, list[float]] = {}
    for name, changed in late:
        period = known.get(name)
        if period and period.days != FOREVER and changed and now - changed > (period.days - SOON_DAYS) * DAY_S:
            ages.setdefault(name, []).append((now - changed) / DAY_S)
    return {
        name: Due(known[name], len(days), max(0.0, known[name].days - max(days))) for name, days in sorted(ages.items())
    }


def late_files(roots: Iterable[Root], checkpoints: Checkpoints | None) -> Iterator[tuple[str, float]]:
    """Yield the format and the last change (UTC seconds) of each file of the roots that is not wholly imported."""
    for root in roots:
        for folder in scan.scan(root, wanted(root)):
            known = checkpoints.folder(folder.path) if checkpoints else {}
            for stat in folder.files:
                if behind(stat, known.get(os.path.basename(stat.path))):
                    yield root.format, stat.mtime_ns / NS


def of_roots(
    roots: Sequence[Root], checkpoints: Checkpoints | None, environ: Mapping[str, str], home: str, now: float
) -> dict[str, Due]:
    """Return what is deleted soon of the roots, looking only into those of tools that delete. `now` is UTC seconds."""
    known = periods(environ, home)
    swept = [root for root in roots if root.format in known and known[root.format].days != FOREVER]
    return due(late_files(swept, checkpoints), known, now)


def of_waiting(waiting: Iterable[Pending], now: float) -> dict[str, dict[str, Any]]:
    """Return what is deleted soon of the files that wait to be read, as the status tells it. `now` is UTC seconds."""
    late = ((one.format, one.mtime_ns / NS) for one in waiting)
    return told(due(late, periods(os.environ, os.path.expanduser("~")), now))


def told(found: Mapping[str, Due]) -> dict[str, dict[str, Any]]:
    """Return what is deleted soon as the status tells it, by format."""
    return {name: dict(one.fields()) for name, one in found.items()}
