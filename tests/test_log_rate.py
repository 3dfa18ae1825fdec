"""Streaks: repeated failures are counted, said now and then, and end in one line."""

from __future__ import annotations

from typing import Any

from importer.log import MOST_KINDS, RateLimited, Streak, failed


class Heard:
    """A logger that remembers: (level, event, keys)."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, dict[str, Any]]] = []

    def warning(self, event: str, **keys: Any) -> None:
        self.events.append(("warning", event, keys))

    def info(self, event: str, **keys: Any) -> None:
        self.events.append(("info", event, keys))


def limited(heard: Heard, now: list[float]) -> RateLimited:
    return RateLimited(heard, clock=lambda: now[0])  # type: ignore[arg-type]  # the two methods it uses


def test_the_first_failure_is_said_then_one_a_minute() -> None:
    """A store that is away for two minutes, tried each second, costs three lines, and the count is exact."""
    streak: Streak | None = None
    said = []
    for second in range(130):
        streak, say = failed(streak, float(second), 60.0)
        said += [second] if say else []
    assert said == [0, 60, 120]
    assert streak is not None
    assert (streak.errors, streak.unsaid) == (130, 9)


def test_a_streak_ends_in_one_line() -> None:
    """Recovery tells how many failures there were, once; without a failure before, there is nothing to tell."""
    heard, now = Heard(), [100.0]
    streaks = limited(heard, now)
    for _ in range(5):
        streaks.failed("store.unreachable", url="http://db")
        now[0] += 1
    streaks.recovered("store.unreachable")
    streaks.recovered("store.unreachable")
    end = {"failure": "store.unreachable", "previous_errors": 5, "after_s": 5.0}
    assert heard.events == [
        ("warning", "store.unreachable", {"url": "http://db"}),
        ("info", "store.recovered", end),
    ]


def test_streaks_are_told_apart_and_bounded() -> None:
    """Each kind has its own streak; kinds without end, as from a name in the event, do not fill the memory."""
    heard = Heard()
    streaks = limited(heard, [0.0])
    for number in range(MOST_KINDS + 50):
        streaks.failed(f"file-{number}.unreadable")
    streaks.recovered("file-0.unreadable")
    assert len(heard.events) == MOST_KINDS + 50
    assert len(streaks._streaks) == MOST_KINDS


def test_what_was_left_unsaid_is_counted_in_the_next_line() -> None:
    """The second line of a streak says how many failures the log has kept to itself since the first."""
    heard, now = Heard(), [0.0]
    streaks = limited(heard, now)
    for now[0] in (0.0, 1.0, 2.0, 61.0):
        streaks.failed("store.unreachable")
    assert [keys for _, _, keys in heard.events] == [{}, {"unsaid": 2}]
