"""Conversations as people read them: turns with coloured roles on a terminal, Markdown to share, rows of a list.

Pure but for the terminal's width and colours, which click takes away where no terminal is.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from importer.cli.text import columns as columns_of
from importer.cli.text import cut, fitted, number
from importer.protocol import clock
from importer.protocol.foreign.quoting import line, printable
from importer.protocol.units import counted
from importer.service.conversations.shared import LABELS, headless
from importer.service.conversations.values import Listed, Opened, SaidTurn

COLOURS = {"user": "green", "assistant": "cyan", "subagent": "magenta", "exchange": "cyan"}
NARROW = 80  # columns, below which a row has no room for a date and its age
PHONE = 60  # columns, below which a row has no room for its title
FENCE = re.compile(r"^\s*(```|~~~)")


def width() -> int:
    """Return the columns of the terminal; 100 in a pipe."""
    return shutil.get_terminal_size((100, 24)).columns


def pages(opened: Opened, turns: Sequence[SaidTurn], first: int) -> Iterator[str]:
    """Yield the text of an opened conversation: its head, then its `turns`, which begin with number `first`."""
    yield f"{click.style(printable(opened.title or opened.conversation), bold=True)}\n"
    told = (opened.project, opened.source, f"{len(opened.turns):,} turns", opened.path or "from the store")
    yield click.style("  ".join(printable(one) for one in told if one), dim=True) + "\n\n"
    if first:
        yield click.style(f"… {_counted(first, 'earlier')}: --whole shows them\n\n", dim=True)
    for place, turn in enumerate(turns, first):
        yield _turn(turn, marked=place == opened.at)
    if left := len(opened.turns) - first - len(turns):
        yield click.style(f"… {_counted(left, 'later')}: --whole shows them\n", dim=True)


def _counted(turns: int, which: str) -> str:
    """Return a number of turns in words."""
    return counted(turns, f"{which} turn")


def _turn(turn: SaidTurn, *, marked: bool) -> str:
    """Return a turn: who said it and when, then the text, code as it stands."""
    label = click.style(LABELS.get(turn.role, turn.role), fg=COLOURS.get(turn.role), bold=True)
    at = click.style(f"  {clock.dated(turn.timestamp)}" if turn.timestamp else "", dim=True)
    mark = click.style("▶ ", fg="yellow", bold=True) if marked else ""
    return f"{mark}{label}{at}\n{''.join(_lines(turn.text))}\n"


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of a text; those of code are of another colour, and none is broken or joined."""
    inside = False
    for said in headless(printable(text.strip("\n"), keep="\n\t"), " ").split("\n"):
        fence = bool(FENCE.match(said))
        yield (click.style(said, fg="yellow", dim=fence) if inside or fence else said) + "\n"
        inside ^= fence


def rows(found: Sequence[Listed], ids: Sequence[str], columns: int) -> Iterator[str]:
    """Yield a line for each conversation: id, when it was last spoken in, turns, project and title; two on a phone.

    `ids` are the beginnings of ids that are enough to open them. The machine is told where there are several.
    """
    several = len({one.host for one in found}) > 1
    widest = max(map(len, ids), default=0)
    room = min(max((columns_of(_project(one)) for one in found), default=0), max(8, columns // 5))
    for name, one in zip(ids, found, strict=True):
        shown, at, title = click.style(f"{name:<{widest}}", fg="cyan"), when(one.last, columns), printable(one.title)
        if columns < PHONE:
            yield f"{shown}  {cut(f'{at.rstrip()}  {_project(one)}', max(10, columns - widest - 2))}"
            yield f"  {cut(title or '(no title)', columns - 2)}"
            continue
        turns = f"{number(one.turns):>5}" if one.turns else "    ?"
        start = f"  {at} {turns}  {fitted(_project(one), room)}  {f'{printable(one.host)}  ' if several else ''}"
        yield shown + start + cut(title, max(10, columns - widest - columns_of(start)))


def tabbed(found: Sequence[Listed]) -> Iterator[str]:
    """Yield a line for each conversation with the columns of a search's hits, parted by tabs; there is no passage."""
    for place, one in enumerate(found, 1):
        told = (place, one.id, one.id, one.last, one.source, one.project, one.title, "")
        yield "\t".join(line(str(value)) for value in told)


def project_rows(found: Sequence[Mapping[str, Any]], columns: int) -> Iterator[str]:
    """Yield a line for each project: when it was last spoken of, how much, its path and its assistants."""
    for one in found:
        conversations = counted(one["conversations"], "conversation")
        turns = counted(one["turns"], "turn")
        name, sources = printable(one["project"] or "(no project)"), ", ".join(one["sources"])
        if columns < PHONE:
            yield click.style(cut(name, columns), fg="cyan")
            yield cut(f"  {when(one['last'], columns).rstrip()}, {conversations}, {turns}", columns)
            continue
        head = f"{when(one['last'], columns)} {_aligned(conversations):>19} {_aligned(turns):>12}  "
        room = max(20, columns - columns_of(head + name) - 2)
        yield f"{head}{click.style(name, fg='cyan')}  {click.style(cut(sources, room), dim=True)}"


def _aligned(count: str) -> str:
    """Return a number of things with room for the letter that tells several."""
    return count if count.endswith("s") else f"{count} "


def when(stored: str, columns: int) -> str:
    """Return when a conversation was last spoken in: the date and its age, on a narrow terminal the age alone."""
    age, date = clock.ago(stored), clock.shown(stored) or "no time"
    return f"{age or date:<14}" if columns < NARROW else f"{date:<16}  {age:<14}"


def _project(one: Listed) -> str:
    """Return the last part of a project's path."""
    return printable(one.project.replace("\\", "/").rstrip("/").rpartition("/")[2])
