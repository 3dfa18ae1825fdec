"""Repeated failures are counted, logged now and then, and end in one line."""

from __future__ import annotations

from typing import Any

from importer.log import MOST_KINDS, RateLimited


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


def test_the_first_failure_is_logged_then_one_a_minute() -> None:
    """A store that is away for two minutes, tried each second, costs three lines, and the count is exact."""
    heard, now = Heard(), [0.0]
    log = limited(heard, now)
    said = []
    for second in range(130):
        now[0] = float(second)
        before = len(heard.events)
        log.failed("store.unreachable")
        said += [second] * (len(heard.events) - before)
    assert said == [0, 60, 120]
    log.recovered("store.unreachable")
    assert heard.events[-1][2]["previous_errors"] == 130


def test_repeated_failures_end_in_one_line() -> None:
    """Recovery tells how many failures there were, once; without a failure before, there is nothing to tell."""
    heard, now = Heard(), [100.0]
    log = limited(heard, now)
    for _ in range(5):
        log.failed("store.unreachable", url="http://db")
        now[0] += 1
    log.recovered("store.unreachable")
    log.recovered("store.unreachable")
    end = {"failure": "store.unreachable", "previous_errors": 5, "after_s": 5.0}
    assert heard.events == [
        ("warning", "store.unreachable", {"url": "http://db"}),
        ("info", "store.recovered", end),
    ]


def test_kinds_are_told_apart_and_bounded() -> None:
    """Each kind is counted by itself; kinds without end, as from a name in the event, do not fill the memory."""
    heard = Heard()
    log = limited(heard, [0.0])
    for number in range(MOST_KINDS + 50):
        log.failed(f"file-{number}.unreadable")
    log.recovered("file-0.unreadable")
    assert len(heard.events) == MOST_KINDS + 50
    assert len(log._kinds) == MOST_KINDS


def test_what_was_left_unsaid_is_counted_in_the_next_line() -> None:
    """The second line of a kind says how many failures were not logged since the first."""
    heard, now = Heard(), [0.0]
    log = limited(heard, now)
    for now[0] in (0.0, 1.0, 2.0, 61.0):
        log.failed("store.unreachable")
    assert [keys for _, _, keys in heard.events] == [{}, {"unsaid": 2}]
