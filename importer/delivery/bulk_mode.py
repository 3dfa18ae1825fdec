"""The server's indexing is off while a large backlog is imported.

The worker is told only when that changes. If it cannot be told, the import goes on and costs more.
A worker that starts meanwhile is told in its first frame (`Supervisor.backlog`); a living one is asked to `backlog`.
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
    """The mode of one import. A backlog of at least `large_files` pending files is large; none is by default."""

    large_files: float = math.inf
    is_on: bool = False

    def observe(self, pending: int) -> None:
        """Turn the mode on at `large_files` pending files, and off when none is pending."""
        self.is_on = pending >= self.large_files or (self.is_on and pending > 0)

    async def apply(self, supervisor: Supervisor, *, work: bool, stopping: bool) -> None:
        """Tell the worker of a change, once. `work` says that files are pending or batches unsettled."""
        on = work and (self.is_on or supervisor.backlog)
        if on == supervisor.backlog:
            return
        supervisor.backlog = on
        if supervisor.worker is None and (on or stopping):  # the next worker that opens the collection sees to it
            return
        try:
            await supervisor.ask("backlog", on=on)
        except ImporterError as error:  # the import costs more, and the next worker is told again
            log.warning("backlog.untold", on=on, reason=error.message)
