"""Draw the timeline (pure): on which days was spoken, and in each day of which projects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from importer.protocol import clock, units
from importer.protocol.projects import last_part
from importer.serve import views
from importer.serve.figures.curve import bars
from importer.serve.html import Safe, join, tag
from importer.service.conversations.values import Listed

MOST_DAYS = 90  # of the bars
ASKED = (("project", "Project"), ("since", "From (tuesday, 7d, May …)"), ("until", "Up to"))


def days(found: Sequence[Listed], given: Mapping[str, str]) -> Safe:
    """Return conversations by the day on which they were spoken of last, and by project in each."""
    fields = [tag("label", label, tag("input", name=name, value=given.get(name, ""))) for name, label in ASKED]
    parts = list[Any]([tag("form", tag("div", *fields, tag("button", "Show")), class_="search")])
    parts += [tag("p", "Nothing was said then.", class_="note")] if not found else []
    if len(shown := counted(found, given)) > 1:
        parts.append(bars(shown))
    for day, group in groupby(found, key=_day):
        several = list(group)
        total = units.counted(len(several), "conversation")
        parts.append(tag("h2", f"{weekday(day)} ", tag("small", total), class_="day"))
        parts += _projects(several, given)
    return join(parts)


def _projects(found: Sequence[Listed], given: Mapping[str, str]) -> list[Safe]:
    """Return a day's conversations by project, the one with most of them first."""
    by_project: dict[str, list[Listed]] = {}
    for one in found:
        by_project.setdefault(one.project, []).append(one)
    parts: list[Safe] = []
    for project, several in sorted(by_project.items(), key=lambda item: -len(item[1])):
        if not given.get("project") and project:
            link = tag("a", last_part(project), href=f"/days?{urlencode({'project': project})}", title=project)
            parts.append(tag("h3", link, class_="project"))
        parts.append(views.rows(several, project=not project))
    return parts


def counted(found: Sequence[Listed], given: Mapping[str, str]) -> list[tuple[str, int, str]]:
    """Return every day from the first to the last with its count and its address; at most so many, the newest."""
    counts = Counter(day for one in found if (day := _day(one)))
    if not counts:
        return []
    last, first = date.fromisoformat(max(counts)), date.fromisoformat(min(counts))
    first = max(first, last - timedelta(days=MOST_DAYS - 1))
    every = [(first + timedelta(days=at)).isoformat() for at in range((last - first).days + 1)]
    kept = {"project": given["project"]} if given.get("project") else {}
    return [(day, counts[day], f"/days?{urlencode({**kept, 'since': day, 'until': day})}") for day in every]


def _day(one: Listed) -> str:
    """Return the day of a conversation's last turn, "" where it tells no time."""
    day = clock.shown(one.last)[:10]
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        return ""


def weekday(day: str) -> str:
    """Return a day with its name in the week, as people look for it: `Tuesday 2026-02-10`."""
    return f"{date.fromisoformat(day):%A} {day}" if day else "At an unknown time"
