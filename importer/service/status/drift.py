"""Judge whether an update of an assistant is no longer understood.

A store is suspicious when records of the tool's newest version are unknown far more often than those of the versions
before it. Records that name no version are judged by the newest month in which such were read: an update may drop what
named it. What to send to the maintainers are the kinds of those records, which hold no text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MONTH = "~"  # in front of the month that stands for a version (`reading.drift`)
FEW_LINES = 20  # of a version; fewer say nothing
FEW_UNKNOWN = 5
SHARE = 0.02  # of lines with unknown records, below which nothing is said
TIMES = 5.0  # more often than before
MANY = 0.25  # where no other version is there to compare with
MOST_KINDS = 8
_number = re.compile(r"\d+")


@dataclass(slots=True)
class Version:
    """What a version of a tool wrote: lines, and how many records in them are unknown, by their kinds."""

    lines: int = 0
    unknown: int = 0
    kinds: dict[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """How many of the lines are not understood; 1 is all."""
        return min(1.0, self.unknown / self.lines) if self.lines else 0.0


def versions(named: Mapping[str, int]) -> dict[str, dict[str, Version]]:
    """Return the versions of each tool, with what they wrote."""
    found: dict[str, dict[str, Version]] = {}
    for counter, number in named.items():
        parts = counter.split("/", 3)
        if len(parts) == 4 and parts[0] in ("version", "kind"):
            one = found.setdefault(parts[1], {}).setdefault(parts[2], Version())
            if parts[0] == "kind":
                one.kinds[parts[3]] = number
            elif parts[3] in ("lines", "unknown"):
                setattr(one, parts[3], number)
    return found


def suspicions(named: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the stores that an update has made hard to read, each with what to tell the maintainers."""
    return [one for name, known in sorted(versions(named).items()) for one in _of_tool(name, known)]


def _of_tool(name: str, known: Mapping[str, Version]) -> Iterator[dict[str, Any]]:
    """Yield the suspicions of a tool: its newest version, and the newest month of records that name none."""
    named = sorted((one for one in known if one and not one.startswith(MONTH)), key=_order)
    unnamed = sorted((one for one in known if not one or one.startswith(MONTH)), key=_order)
    if named:
        yield from _judged(name, named[-1], known[named[-1]], [known[one] for one in named[:-1]])
    if unnamed:
        others = [known[one] for one in (*unnamed[:-1], *named)]
        yield from _judged(name, unnamed[-1], known[unnamed[-1]], others)


def _judged(name: str, version: str, now: Version, before: Sequence[Version]) -> Iterator[dict[str, Any]]:
    """Yield a suspicion of what a version wrote, judged by what others did."""
    lines, unknown = sum(one.lines for one in before), sum(one.unknown for one in before)
    share = unknown / lines if lines >= FEW_LINES else 0.0
    limit = max(SHARE, TIMES * share) if lines >= FEW_LINES else MANY
    if now.lines >= FEW_LINES and now.unknown >= FEW_UNKNOWN and now.share > limit:
        kinds = sorted(now.kinds.items(), key=lambda one: (-one[1], one[0]))[:MOST_KINDS]
        yield {
            "format": name,
            "version": version,
            "read_share": round(1 - now.share, 3),
            "read_share_before": round(1 - share, 3) if lines >= FEW_LINES else None,
            "unknown": now.unknown,
            "kinds": dict(kinds),
        }


def _order(version: str) -> tuple[tuple[int, ...], str]:
    """Return what sorts versions: their numbers, then their letters."""
    return tuple(int(one[:9]) for one in _number.findall(version)), version


def words(one: Mapping[str, Any]) -> str:
    """Return a suspicion as a sentence."""
    kinds = ", ".join(f"{kind} ({number})" for kind, number in one["kinds"].items())
    before = f", {one['read_share_before']:.0%} before" if one["read_share_before"] is not None else ""
    version = f" {one['version']}" if one["version"] else ""
    if version.startswith(f" {MONTH}"):
        version = f", read in {one['version'].removeprefix(MONTH)}"
    return f"{one['format']}{version}: {one['read_share']:.0%} of its records are understood{before}; unknown: {kinds}"
