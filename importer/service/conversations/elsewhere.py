"""List what further stores tell of conversations: the newest ones, with the machine on which each was said.

What went on since a while is asked for first, and what is older only where that is not enough: a server of many
machines holds far more than a list shows. One that is away is left out, and named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from importer.protocol import clock
from importer.service.conversations.values import Listed

WINDOWS_DAYS = (7, 90)
MOST_PROJECTS = 10_000

Ask = Callable[..., Any]


class Elsewhere:
    """The further stores of a state; `ask` puts a question to its worker, `away` says which did not answer, and why.

    Without `there` are none, and nothing is asked.
    """

    def __init__(self, ask: Ask, *, there: bool) -> None:
        self._ask, self._there = ask, there
        self.away: dict[str, str] = {}

    def projects(self) -> set[str]:
        """Return the projects that they hold."""
        if not self._there:
            return set()
        return set(self._ask("facet", key="project", limit=MOST_PROJECTS, elsewhere=True)) - {""}

    def recent(self, limit: int, since: str = "", until: str = "", **scope: Any) -> list[Listed]:
        """Return the newest conversations, at least `limit` if there are so many; `first` is "" where not known."""
        if not self._there:
            return []
        days = [clock.now() - timedelta(days=count) for count in WINDOWS_DAYS]
        starts = [""] if until else [since] if since else [*(f"{day:%Y-%m-%dT%H:%M:%SZ}" for day in days), ""]
        found: list[Listed] = []
        for start in starts:
            rows, away = told(self._ask, elsewhere=True, since=start, **scope)
            self.away |= away
            found = [one for one in rows if one.last >= since and (not until or one.first <= until)]
            if len(found) >= limit:
                break
        for one in found if start else ():
            one.first = ""  # it may have begun before
        return found


def told(ask: Ask, **asked: Any) -> tuple[list[Listed], Mapping[str, str]]:
    """Return the conversations that the points of a scope tell of, the newest first, and which stores are away."""
    found: dict[tuple[str, str], Listed] = {}
    away: dict[str, str] = {}
    after: str | None = None
    while True:
        page = ask("told", after=after, **asked)
        away |= page.get("away", {})
        for source, name, title, project, first, last, host in page["conversations"]:
            one = found.setdefault((source, name), Listed(name, title, project, source, first, last, 0, host))
            one.first = min(filter(None, (one.first, first)), default="")
            one.last, one.title = max(one.last, last), title or one.title
        if (after := page["next"]) is None:
            return sorted(found.values(), key=lambda one: one.last, reverse=True), away
