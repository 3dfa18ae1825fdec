"""How fast it goes: running totals, marked every second, become rates over the last minute."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from importer.progress import Run

WINDOW_S = 60.0


class Mark(NamedTuple):
    """The totals of a run at a monotonic second. `chunks` are those embedded, not those that stood in the store."""

    at_s: float
    files: int
    lines: int
    bytes: int
    chunks: int
    tokens: int


class Rates(NamedTuple):
    """Per second, over the last `over_s` seconds."""

    over_s: float
    files_per_s: float
    lines_per_s: float
    bytes_per_s: float
    chunks_per_s: float
    tokens_per_s: float


@dataclass(slots=True)
class Meter:
    """Remembers the marks of the last `window_s` seconds."""

    window_s: float = WINDOW_S
    _marks: deque[Mark] = field(default_factory=deque)

    def mark(self, at_s: float, run: Run) -> None:
        """Notes where the run stands at that monotonic second."""
        tally = run.tally
        self._marks.append(Mark(at_s, run.files, tally.lines_read, tally.bytes_read, run.points, run.tokens))
        while at_s - self._marks[0].at_s > self.window_s:
            self._marks.popleft()

    def rates(self) -> Rates | None:
        """The speed of the last minute; None before there are two marks."""
        if len(self._marks) < 2:
            return None
        first, last = self._marks[0], self._marks[-1]
        over_s = last.at_s - first.at_s
        if over_s <= 0:
            return None
        each = [round((after - before) / over_s, 1) for before, after in zip(first[1:], last[1:], strict=True)]
        return Rates(round(over_s, 1), *each)
