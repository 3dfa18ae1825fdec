"""Answer what conversations did: which of them touched a file, and what helped against an error.

The transcripts that the state knows are read anew, newest first; one that does not hold the words asked for is passed
over after one look through its bytes. What was forgotten is not read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

from importer.errors import UsageError
from importer.service.conversations.library import Library
from importer.state.spoken import Spoken
from importer.work import blame, fixes
from importer.work.past import PastAction, done_in, mentions, shown

SHOWN_CHARS, ERROR_CHARS = 300, 400


def touches(
    library: Library, target: blame.AskedFile, line: blame.AskedLine | None, limit: int
) -> list[dict[str, Any]]:
    """Return the conversations that touched a file, the likely writer of the line first, then the newest."""
    found = []
    for one, actions in _past(library, [os.fsencode(target.name)], 1):
        touch = blame.touch(actions, target, line.text if line else "")
        if touch is not None:
            found.append((blame.order(touch, line), one, touch))
    found.sort(key=lambda each: each[0], reverse=True)
    return [
        {
            **_head(one),
            **{name: getattr(touch, name) for name in ("first", "last", "edits", "commands", "reads")},
            "wrote_line": touch.wrote,
        }
        for _, one, touch in _once(found)[:limit]
    ]


def remedies(library: Library, error: str, limit: int) -> list[dict[str, Any]]:
    """Return where an error was met before, the likest first, with what helped. Raises UsageError for no words."""
    needles = fixes.needles(error)
    if not needles:
        raise UsageError("an error of no words", hint="quote a line of what the command said")
    least = min(len(needles), fixes.SEARCHED_LEAST)
    # Read twice, to weigh the words and to find: the outcomes of all conversations together may be larger than memory.
    outcomes = (action.output for _, actions in _past(library, needles, least) for action in actions)
    wanted = fixes.weights(error, outcomes)
    found = [
        ((fix.score + 0.2 * (fix.worked >= 0), one.last), one, _remedy(error, actions, fix))
        for one, actions in _past(library, needles, least)
        if (fix := fixes.found(actions, error, wanted)) is not None
    ]
    found.sort(key=lambda each: each[0], reverse=True)
    return [{**_head(one), **met} for _, one, met in _once(found)[:limit]]


def _past(library: Library, needles: Sequence[bytes], least: int) -> Iterator[tuple[Spoken, list[PastAction]]]:
    """Yield each file that may hold the words with what was done in it, newest first."""
    reading, seen = library.reading(), set[bytes]()
    for one in library.told():
        fresh = one.path not in seen
        seen.add(one.path)
        if fresh and mentions(one.path, needles, least) and (actions := done_in(one, reading)):
            yield one, actions


def _once(found: Sequence[tuple[Any, Spoken, Any]]) -> list[tuple[Any, Spoken, Any]]:
    """Return each conversation's first row: forks and copies repeat what was done."""
    kept: dict[tuple[str, str], tuple[Any, Spoken, Any]] = {}
    for each in found:
        kept.setdefault((each[1].source, each[1].conversation), each)
    return list(kept.values())


def _head(one: Spoken) -> dict[str, Any]:
    """Return what tells a conversation to people."""
    return {"conversation": one.conversation, "title": one.title, "project": one.project, "source": one.source}


def _remedy(error: str, actions: Sequence[PastAction], fix: fixes.Fix) -> dict[str, Any]:
    """Return an error that was met, and what helped; secrets are masked."""
    failed = actions[fix.failed]
    worked = actions[fix.worked] if fix.worked >= 0 else None
    return {
        "at": failed.at,
        "command": shown(failed.call.command, SHOWN_CHARS),
        "said": shown(fixes.excerpt(error, failed.output), ERROR_CHARS),
        "steps": [_step(one) for one in fixes.steps(actions, fix)],
        "worked": shown(worked.call.command, SHOWN_CHARS) if worked else "",
        "score": round(fix.score, 3),
    }


def _step(one: PastAction) -> dict[str, str]:
    """Return one step on the way to what worked."""
    if one.call.kind == "edit":
        return {"kind": "edit", "text": shown(", ".join(one.call.paths) or one.call.tool, SHOWN_CHARS)}
    return {"kind": "command", "text": shown(one.call.command, SHOWN_CHARS)}
