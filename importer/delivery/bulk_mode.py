"""Tells the worker when a large backlog begins and when it is over: a server need not index meanwhile.

It is said only when it changes. If it cannot be said, the import goes on and is merely dearer.

A worker that starts during one is told in its first frame (`Supervisor.backlog`); a living one is asked to `backlog`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from importer.delivery.supervisor import Supervisor
from importer.errors import ImporterError
from importer.log import logger

log = logger()

LARGE_FILES = 500  # from so many on it is worth the two requests that switch indexing off and on again


@dataclass(slots=True)
class BulkMode:
    """One backlog after the other. `large_files` is from how many pending files on one is large; never by default."""

    large_files: float = math.inf
    under_way: bool = False

    def observe(self, pending: int) -> None:
        """Whether a large one is under way: it begins with many files and lasts until none is pending."""
        self.under_way = pending >= self.large_files or (self.under_way and pending > 0)

    async def apply(self, supervisor: Supervisor, *, work: bool, stopping: bool) -> None:
        """Tells the worker what has changed, once. `work`: whether anything is left, be it pending or unsettled."""
        on = work and (self.under_way or supervisor.backlog)
        if on == supervisor.backlog:
            return
        supervisor.backlog = on
        if supervisor.worker is None and (on or stopping):  # whoever opens the collection next sees to it
            return
        try:
            await supervisor.ask("backlog", on=on)
        except ImporterError as error:  # it only makes the import dearer, and the next worker is told again
            log.warning("backlog.untold", on=on, reason=error.message)
