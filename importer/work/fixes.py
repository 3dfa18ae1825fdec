"""Pure: which error of the past is the one asked for, and what was done after it until it worked.

An error is looked for by its words, digits and paths made alike, in the lines of what commands answered. Rare words
count more (one by the root of one and the number of outcomes that have it): "error" and "not found" alone find nothing.
What helped is the first later command with the same program that did not fail, else the first command that does more
than look; what was edited and run in between is told as the way there.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from importer.work.actions import seems_wrong
from importer.work.past import PastAction

LEAST_COVERED = 0.6  # of the weight of the error's words
UNSEEN = 0.3  # weight of a word that no outcome has: the name of a log file, or what is new in a known kind of error
MOST_LATER = 40  # actions after an error that may have helped
MOST_STEPS = 6
SEARCHED_WORDS, SEARCHED_LEAST = 4, 2  # the longest words of an error, of which a file must hold some
_LOOKING = """
    ls cat cd pwd echo head tail find which grep rg git-status git-log git-diff wc tree stat file less type env
"""
LOOKING = frozenset(_LOOKING.split())  # programs that change nothing
_WORD = re.compile(r"[^\W_][\w'-]*")
_PATHS = re.compile(r"(?:[A-Za-z]:)?(?:[\w.~-]*/)+[\w.-]*")
_PREFIX = re.compile(r"^(?:\s*(?:cd\s+\S+\s*(?:&&|;)|sudo|env|time|exec|[A-Z_]+=\S*))+\s*")


@dataclass(frozen=True, slots=True)
class Fix:
    """An error met before: `failed` is the place of the last such failure, `worked` of what helped, -1 for nothing."""

    score: float
    failed: int
    worked: int


def words(text: str) -> list[str]:
    """Return the words of an error, of any case, paths and digits made alike."""
    plain = _PATHS.sub(lambda found: found[0].rstrip("/").rpartition("/")[2], text)
    return [re.sub(r"\d+", "0", word.lower()) for word in _WORD.findall(plain) if len(word) > 1]


def needles(error: str) -> list[bytes]:
    """Return the words that a file must hold some of, longest first; letters beyond ASCII may be written otherwise."""
    plain = set(re.findall(r"[A-Za-z][A-Za-z_-]{2,}[A-Za-z]", _PATHS.sub(" ", error)))
    longest = sorted(plain or set(re.findall(r"\w+", error)), key=lambda word: (-len(word), word))
    return [word.encode() for word in longest[:SEARCHED_WORDS]]


def weights(error: str, outcomes: Iterable[str]) -> dict[str, float]:
    """Return what each word of an error weighs, going by how many outcomes have it."""
    asked = list(dict.fromkeys(words(error)))
    seen = Counter(word for text in outcomes for word in set(words(text)).intersection(asked))
    return {word: 1 / math.sqrt(1 + seen[word]) if seen[word] else UNSEEN for word in asked}


def covered(wanted: dict[str, float], error: str, output: str) -> float:
    """Return how much of an error stands close together in an output, from 0 to 1."""
    lines, height = output.splitlines(), error.count("\n") + 2
    told = [frozenset(words(line)) & wanted.keys() for line in lines]
    whole = sum(wanted.values())
    best = 0.0
    for at, here in enumerate(told):
        if here:
            near = frozenset[str]().union(*told[at : at + height])
            best = max(best, sum(wanted[word] for word in near) / whole)
    return best


def excerpt(error: str, output: str) -> str:
    """Return the lines of an output that have most of an error's words."""
    asked, lines = set(words(error)), output.splitlines()
    height = error.count("\n") + 2
    best = max(range(len(lines)), key=lambda at: len(asked.intersection(words(lines[at]))), default=0)
    return "\n".join(lines[best : best + height])


def found(actions: Sequence[PastAction], error: str, wanted: dict[str, float]) -> Fix | None:
    """Return the best such error of one conversation, with what helped; None if it was not met there."""
    scored = [(_score(one, error, wanted), at) for at, one in enumerate(actions)]
    scored = [(score, at) for score, at in scored if score]
    if not scored:
        return None
    best = max(score for score, _ in scored)
    failed = max(at for score, at in scored if score >= best - 0.05)  # the last try before it worked
    return Fix(best, failed, helped(actions, failed))


def _score(one: PastAction, error: str, wanted: dict[str, float]) -> float:
    """Return how well an outcome is that error, 0 for one that is not; what failed for sure counts more."""
    share = covered(wanted, error, one.output) if one.output else 0.0
    if share < LEAST_COVERED or (one.failed is not True and not seems_wrong(one.output)):
        return 0.0
    return share + 0.1 * (one.failed is True) - 0.1 * (one.call.kind != "command")


def helped(actions: Sequence[PastAction], failed: int) -> int:
    """Return the place of what worked after a failure, -1 where nothing did."""
    program = program_of(actions[failed].call.command)
    later = range(failed + 1, min(len(actions), failed + 1 + MOST_LATER))
    good = [at for at in later if actions[at].call.kind == "command" and _went_well(actions[at])]
    same = (at for at in good if program and program_of(actions[at].call.command) == program)
    other = (at for at in good if program_of(actions[at].call.command) not in LOOKING)
    return next(same, next(other, -1))


def steps(actions: Sequence[PastAction], fix: Fix) -> list[PastAction]:
    """Return what was edited and run between a failure and what worked, at most `MOST_STEPS`, the last of them."""
    between = actions[fix.failed + 1 : fix.worked] if fix.worked >= 0 else actions[fix.failed + 1 :][:MOST_STEPS]
    did = [one for one in between if one.call.kind == "edit" or _does(one)]
    return did[-MOST_STEPS:]


def _does(one: PastAction) -> bool:
    """Return True for a command that did more than look, and did not fail."""
    return one.call.kind == "command" and one.failed is not True and program_of(one.call.command) not in LOOKING


def program_of(command: str) -> str:
    """Return the program that a shell command runs, `git log` as git-log, without what leads to it (cd, sudo, A=1)."""
    rest = _PREFIX.sub("", command)
    parts = rest.split()[:2]
    if not parts:
        return ""
    name = parts[0].rpartition("/")[2]
    return f"{name}-{parts[1]}" if name == "git" and len(parts) > 1 else name


def _went_well(one: PastAction) -> bool:
    """Return True for an outcome that is no failure: by its code, or without one by its words."""
    return one.failed is False or (one.failed is None and not seems_wrong(one.output))
