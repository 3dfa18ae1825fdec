"""Repeated failures in the log: the first is said, the next ones are counted, and one line tells that it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # `importer.log` imports structlog in its own light way
    from structlog.typing import FilteringBoundLogger

EVERY_S = 60.0
MOST_KINDS = 256  # a kind that carries a file's name by mistake must not fill the memory


@dataclass(frozen=True, slots=True)
class Streak:
    """Failures of one kind on end: all of them, those not said since the last line, and when that and the first was."""

    errors: int
    unsaid: int
    said_at_s: float
    since_s: float


def failed(streak: Streak | None, now_s: float, every_s: float = EVERY_S) -> tuple[Streak, bool]:
    """The streak with one more failure, and whether to say it: the first, then one every `every_s`."""
    if streak is None:
        return Streak(1, 0, now_s, now_s), True
    if now_s - streak.said_at_s >= every_s:
        return Streak(streak.errors + 1, 0, now_s, streak.since_s), True
    return Streak(streak.errors + 1, streak.unsaid + 1, streak.said_at_s, streak.since_s), False


class RateLimited:
    """A logger for failures that repeat. `clock` is monotonic seconds."""

    def __init__(
        self, log: FilteringBoundLogger, *, every_s: float = EVERY_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._every_s = every_s
        self._clock = clock
        self._streaks: dict[str, Streak] = {}

    def failed(self, event: str, **keys: Any) -> None:
        """A failure of the kind `event`: a warning, or a count for the next one."""
        before = self._streaks.pop(event, None)  # put back at the end, so that the oldest kind is dropped below
        streak, say = failed(before, self._clock(), self._every_s)
        while len(self._streaks) >= MOST_KINDS:
            self._streaks.pop(next(iter(self._streaks)))
        self._streaks[event] = streak
        if say:
            unsaid = {"unsaid": before.unsaid} if before and before.unsaid else {}
            self._log.warning(event, **keys, **unsaid)

    def recovered(self, event: str, **keys: Any) -> None:
        """The end of that kind of failure: one line `<first word>.recovered` if there was any, else nothing."""
        streak = self._streaks.pop(event, None)
        if streak:
            after_s = round(self._clock() - streak.since_s, 3)
            name = f"{event.partition('.')[0]}.recovered"
            self._log.info(name, failure=event, previous_errors=streak.errors, after_s=after_s, **keys)
