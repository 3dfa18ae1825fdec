"""Conversations as people read them: turns with coloured roles on a terminal, Markdown to share, rows of a list.

Pure but for the terminal's width and colours, which click takes away where no terminal is.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence

import click

from importer.cli.text import number
from importer.protocol import clock
from importer.protocol.foreign.quoting import printable
from importer.service.conversations.shared import LABELS
from importer.service.conversations.values import Listed, Opened, SaidTurn

COLOURS = {"user": "green", "assistant": "cyan", "subagent": "magenta", "exchange": "cyan"}
SHORT_ID = 8  # characters at least
NARROW = 80  # columns, below which a row has no room for a date and its age
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
    return f"{turns:,} {which} turn{'s' * (turns != 1)}"


def _turn(turn: SaidTurn, *, marked: bool) -> str:
    """Return a turn: who said it and when, then the text, code as it stands."""
    label = click.style(LABELS.get(turn.role, turn.role), fg=COLOURS.get(turn.role), bold=True)
    at = click.style(f"  {clock.dated(turn.timestamp)}" if turn.timestamp else "", dim=True)
    mark = click.style("▶ ", fg="yellow", bold=True) if marked else ""
    return f"{mark}{label}{at}\n{''.join(_lines(turn.text))}\n"


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of a text; those of code are of another colour, and none is broken or joined."""
    inside = False
    for line in printable(text.strip("\n"), keep="\n\t").split("\n"):
        fence = bool(FENCE.match(line))
        yield (click.style(line, fg="yellow", dim=fence) if inside or fence else line) + "\n"
        inside ^= fence


def rows(found: Sequence[Listed], columns: int) -> Iterator[str]:
    """Yield a line for each conversation: id, when it was last spoken in, turns, project and title."""
    ids = short_ids([one.id for one in found])
    widest = max(map(len, ids), default=0)
    room = max((len(_project(one)) for one in found), default=0)
    room = min(room, max(8, columns // 5))
    for name, one in zip(ids, found, strict=True):
        turns = f"{number(one.turns):>5}" if one.turns else "    ?"
        start = f"{name:<{widest}}  {when(one.last, columns)} {turns}"
        rest = f"  {_cut(_project(one), room):<{room}}  {printable(one.title)}"
        cut = _cut(rest, max(10, columns - len(start)))
        yield click.style(f"{name:<{widest}}", fg="cyan") + start[widest:] + cut


def when(stored: str, columns: int) -> str:
    """Return when a conversation was last spoken in: the date and its age, on a narrow terminal the age alone."""
    age, date = clock.ago(stored), clock.shown(stored) or "no time"
    return f"{age or date:<14}" if columns < NARROW else f"{date:<16}  {age:<14}"


def short_ids(ids: Sequence[str]) -> list[str]:
    """Return the beginnings of ids by which each is told from the others, SHORT_ID characters at least."""
    sizes = (SHORT_ID, 13, 18, 23, 28, 36, 200)
    return [next(one[:size] for size in sizes if sum(o.startswith(one[:size]) for o in {*ids}) == 1) for one in ids]


def _project(one: Listed) -> str:
    """Return the last part of a project's path."""
    return printable(one.project.replace("\\", "/").rstrip("/").rpartition("/")[2])


def _cut(text: str, room: int) -> str:
    """Return a text that fits into so many columns."""
    return text if len(text) <= room else text[: max(0, room - 1)] + "…"
