"""What `importer doctor` looks at: an area each, facts gathered by `look`, judged by pure functions.

    look(…) ──► Facts (frozen) ──► check(facts) ──► Finding(name, ok, detail, fix)

A check names the exact command or setting that repairs what it finds; a planted fact is all a test needs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Problem(NamedTuple):
    """What is wrong, and the command or setting that repairs it."""

    detail: str
    fix: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: `detail` says what was found, `fix` (only when not `ok`) what to do, a line for each repair."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


def verdict(name: str, fine: str, problems: Iterable[Problem]) -> Finding:
    """The finding: all problems and all their repairs, or what is fine.

    Equal problems and equal fixes are told once: a folder of closed files is one repair.
    """
    found = list(dict.fromkeys(problems))
    if not found:
        return Finding(name, True, fine)
    fixes = dict.fromkeys(problem.fix for problem in found)
    return Finding(name, False, "; ".join(problem.detail for problem in found), "\n".join(fixes))
