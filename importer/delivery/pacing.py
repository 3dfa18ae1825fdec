"""When the next batch may be read or sent: after the wait of an outage and the memory governor's delay."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from importer.delivery.in_flight import Settled
from importer.delivery.progress import Run
from importer.log import logger

log = logger()


@dataclass(slots=True)
class Pacing:
    """Waits of one run; why it waits stands in `run.holding`.

    `is_store_back` asks whether a store that was away takes connections again. `delay_s` lies between two batches.
    `retry_at_s` is monotonic; before that, nothing is read, sent or settled.
    """

    run: Run
    is_store_back: Callable[[], Awaitable[bool]]
    delay_s: float = 0.0
    retry_at_s: float = 0.0

    def wait_s(self) -> float:
        """Return how long to wait before the next batch, 0 for not at all."""
        return max(0.0, self.retry_at_s - time.monotonic())

    async def check_store(self) -> None:
        """End the wait if the store that was away is back."""
        if self.run.holding and await self.is_store_back():
            self.retry_at_s = 0.0

    def take_in(self, settled: Settled) -> None:
        """Begin the wait that the delivery asks for, logged when its reason is new; a stored batch ends it."""
        if settled.reason != self.run.holding and settled.wait_s:
            log.warning("import.held", reason=settled.reason, wait_s=round(settled.wait_s, 1))
        if settled.wait_s:
            self.retry_at_s = time.monotonic() + settled.wait_s
            self.run.holding = settled.reason
        if settled.batch is not None:
            self.retry_at_s = time.monotonic() + self.delay_s
            if self.run.holding:
                log.info("import.resumed", after=self.run.holding)
            self.run.holding = ""
