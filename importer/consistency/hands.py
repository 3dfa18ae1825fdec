"""What erasing and masking need of the process that does them, and what they report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from importer.consistency.refold import Unread
from importer.reading.gather import Reading
from importer.state.checkpoints import Checkpoints

Ask = Callable[..., Awaitable[Any]]
Settle = Callable[[Callable[[], Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Hands:
    """The state, how files are read, questions to the worker, and a call when nothing is in flight.

    `unread` is told of files that cannot be folded again.
    """

    checkpoints: Checkpoints
    reading: Reading
    ask: Ask
    settle: Settle
    unread: Callable[[bytes, Unread], None] = lambda _path, _error: None


@dataclass(slots=True)
class Erased:
    """Points deleted, and in words where the store says that deleted text may still stand.

    Of masking: points `replaced` by what their files give now, `masked` where they stand, and files to be read again.
    """

    deleted: int = 0
    left: list[str] = field(default_factory=list)
    replaced: int = 0
    masked: int = 0
    files: int = 0

    def add(self, other: Erased) -> None:
        """Add what another task did."""
        self.deleted += other.deleted
        self.replaced += other.replaced
        self.masked += other.masked
        self.files += other.files
        self.left = other.left or self.left


@dataclass(slots=True)
class Exposed:
    """Stored points in which today's redaction masks something, by the kind of the secrets."""

    points: int = 0
    kinds: Counter[str] = field(default_factory=Counter)


async def at_once(action: Callable[[], Any]) -> Any:
    """Do what is to be done when nothing is in flight: in a process that has sent nothing yet, that is now."""
    return action()
