"""Lists over further stores: the newest first, no more read than needed, each with its machine, what is away named."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from importer.protocol import clock
from importer.service.conversations.elsewhere import Elsewhere


def ago(days: int) -> str:
    return f"{clock.now() - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


class Server:
    """A further store with one point a conversation, spoken in so many days ago; it answers page by page."""

    def __init__(self, *days: int, away: str = "") -> None:
        self.rows = [["codex", f"c{day}", "", "/p", ago(day), ago(day), "north"] for day in days]
        self.away = {"http://far": away} if away else {}
        self.asked: list[str] = []

    def __call__(self, op: str, after: int | None = None, elsewhere: bool = False, since: str = "", **_: Any) -> Any:
        assert (op, elsewhere) == ("told", True)
        if after is None:
            self.asked.append(since)
        passing = [row for row in self.rows if row[5] >= since]
        at = after or 0
        last = at + 1 >= len(passing)
        return {"conversations": passing[at : at + 1], "next": None if last else at + 1, "away": self.away}


def test_what_went_on_of_late_is_enough() -> None:
    """Older conversations are asked for only where a list has room for them."""
    server = Server(400, 2, 30, 1)
    found = Elsewhere(server, there=True).recent(2)
    assert [(one.id, one.host, one.first) for one in found] == [("c1", "north", ""), ("c2", "north", "")]
    assert len(server.asked) == 1
    found = Elsewhere(server, there=True).recent(4)
    assert [one.id for one in found] == ["c1", "c2", "c30", "c400"]
    assert all(one.first == one.last for one in found)
    assert server.asked[-1] == ""


def test_times_that_are_asked_for_are_kept_to() -> None:
    """Since bounds what is read; until needs to know when each began."""
    server = Server(400, 2, 30)
    assert [one.id for one in Elsewhere(server, there=True).recent(9, ago(31))] == ["c2", "c30"]
    assert [one.id for one in Elsewhere(server, there=True).recent(9, ago(401), ago(3))] == ["c30", "c400"]
    assert [asked[:1] for asked in server.asked] == ["2", ""]


def test_one_that_is_away_is_named() -> None:
    """And without further stores nothing is asked."""
    elsewhere = Elsewhere(Server(away="the line is cut"), there=True)
    assert elsewhere.recent(9) == []
    assert elsewhere.away == {"http://far": "the line is cut"}
    none = Elsewhere(lambda *_: 1 / 0, there=False)
    assert (none.recent(9), none.projects(), none.away) == ([], set(), {})
