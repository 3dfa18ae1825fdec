"""The result of one check of `importer doctor`, and how each area is checked: facts are gathered, then judged.

    gather(…) ──► Facts (frozen) ──► check_…(facts), pure ──► Finding(name, ok, detail, fix)

A check names the exact command or setting that repairs the problem it finds; a test needs nothing but changed facts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong, and the command or setting that repairs it."""

    detail: str
    fix: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: `detail` is what was found, `fix` holds one repair a line.

    With a `fix` and `ok` it is advice: nothing is broken, and only the person knows whether there is anything to do.
    """

    name: str
    ok: bool
    detail: str
    fix: str = ""


def judge(name: str, fine: str, problems: Iterable[Problem]) -> Finding:
    """Return the finding of a check: all problems with their repairs, or `fine` when there is none.

    Equal problems and equal repairs are told once: a folder of unreadable files is one repair.
    """
    found = list(dict.fromkeys(problems))
    if not found:
        return Finding(name, True, fine)
    fixes = dict.fromkeys(problem.fix for problem in found)
    return Finding(name, False, "; ".join(problem.detail for problem in found), "\n".join(fixes))


def advise(name: str, fine: str, hints: Iterable[Problem]) -> Finding:
    """Return the finding of a check whose problems are no faults: the same, as advice."""
    return replace(judge(name, fine, hints), ok=True)
