"""Pure: lists of conversations and of projects as a model reads them: row by row, as many as fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from importer.protocol import clock
from importer.protocol.foreign.quoting import plain
from importer.protocol.projects import last_part
from importer.protocol.units import counted
from importer.serve.fitting import AnswerPart, Draft, GrowthStep
from importer.service.conversations.values import Listed

NAMED = 30  # characters of a title or a name where there is no room for all of it
OLDER = "(these are the newest: a larger limit, since, until and the other filters reach older ones)"
Row = tuple[str, Mapping[str, Any]]


def conversations(found: Iterable[Listed], notes: Sequence[str]) -> Draft:
    """Return a list of conversations."""
    told = list(found)
    several = len({one.host for one in told}) > 1
    return _draft("conversations", [_conversation(one, several) for one in told], [*notes], "No conversation passes.")


def projects(found: Iterable[Mapping[str, Any]], notes: Sequence[str]) -> Draft:
    """Return a list of projects."""
    return _draft("projects", [_project(one) for one in found], [*notes], "No project is known.")


def _draft(name: str, rows: Sequence[tuple[Row, Row]], notes: list[str], none: str) -> Draft:
    """Return rows as an answer: each needs the one before it, so that none is passed over."""
    notes += [] if rows else [none]
    begin = len(notes)
    told = [
        AnswerPart((short[0], full[0]), (short[1], full[1]), needs=begin + at - 1 if at else -1)
        for at, (short, full) in enumerate(rows)
    ]
    parts = [*(AnswerPart((note,), (None,)) for note in notes), *told, AnswerPart(("",), (None,))]
    steps = [GrowthStep(at, 0) for at in (*range(begin), len(parts) - 1)]
    steps += [GrowthStep(begin + at, length) for at in range(len(rows)) for length in (0, 1)]

    def values(told: Sequence[Any]) -> dict[str, Any]:
        return {name: [one for one in told[begin:] if one]}

    return Draft(parts, steps, values, joint="\n")


def _conversation(one: Listed, several: bool) -> tuple[Row, Row]:
    """Return one conversation, in short and in full; of `several` machines each is named."""
    age, title = clock.dated(one.last), one.title or "(no title)"
    values = {"conversation": one.id, "title": one.title[:NAMED], "age": age, "turns": one.turns}
    where = f"on {plain(one.host)}, " if several and one.host else ""
    turns = f"{counted(one.turns, 'turn')}, " if one.turns else ""
    names = f"{where}{turns}conversation {plain(one.id)}"
    short = ", ".join([*(plain(text[:NAMED]) for text in (title, last_part(one.project)) if text), names])
    full = ", ".join([*(plain(text) for text in (title, one.project, one.source) if text), names])
    more = {"title": one.title, "project": one.project, "source": one.source, "at": one.last}
    return (f"{age}: {short}", values), (f"{age}: {full}", {**values, **more})


def _project(one: Mapping[str, Any]) -> tuple[Row, Row]:
    """Return one project, in short and in full."""
    name = str(one["project"])
    short = last_part(name)[:NAMED] or name[:NAMED]
    told = f"{counted(one['conversations'], 'conversation')}, {counted(one['turns'], 'turn')}"
    told += f", last {clock.dated(one['last'])}"
    values = {"project": short, "conversations": one["conversations"], "turns": one["turns"]}
    more = {"project": name, "first": one["first"], "last": one["last"], "sources": list(one["sources"])}
    full = f"{plain(name or '(no project)')}: {told}, {', '.join(one['sources'])}"
    return (f"{plain(short or '(no project)')}: {told}", values), (full, {**values, **more})
