"""Outages: what cannot be reached, how often that was tried, and when to try again.

That is the store, an embedding provider, or the worker itself. An outage counts against no batch and loses nothing: the
batches wait. A daemon tries for ever, at growing intervals; a one-shot import gives up after `patience` failures. A
server that was away is probed every second while the interval grows to a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from importer import errors
from importer.delivery.in_flight import Settled
from importer.delivery.progress import Run
from importer.errors import EmbedUnreachable, ImporterError, StoreUnreachable, WorkerError
from importer.log import logger
from importer.protocol.backoff import backoff_s
from importer.protocol.worker_settings import addresses

log = logger()

TIMEOUT_S = 1.0
REST_PORT, GRPC_PORT = 6333, 6334  # Qdrant's, where the URL names none


class StoreProbe:
    """A probe of a server's addresses by connections that are closed at once.

    It reports the return of each once: if the import fails again, the growing waits of the outage go on. A server
    that takes connections and fails is not asked every second.
    """

    def __init__(self, location: str) -> None:
        self._refused = dict.fromkeys(map(_address, addresses(location)), False)

    def ports(self) -> tuple[int, ...]:
        """Return the ports that are asked."""
        return tuple(port for _, port in self._refused)

    async def is_back(self) -> bool:
        """Return whether an address takes connections now, within `TIMEOUT_S`, and did not at the last call."""
        before = dict(self._refused)
        for address in before:
            self._refused[address] = True  # unless it answers: a call that is cut short counts as no answer
        taken = await asyncio.gather(*map(_takes_connections, before))
        self._refused = {address: not took for address, took in zip(before, taken, strict=True)}
        return any(took and before[address] for address, took in zip(before, taken, strict=True))


def _address(url: str) -> tuple[str, int]:
    """Return host and port of an address."""
    parts = urlsplit(url)
    usual = GRPC_PORT if parts.scheme.startswith("grpc") else REST_PORT
    return parts.hostname or "localhost", parts.port or usual


async def _takes_connections(address: tuple[str, int]) -> bool:
    """Connect, and close at once; return False for an address that does not answer in time."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(*address), TIMEOUT_S)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def never() -> bool:
    """Return False: a store on this machine's disk does not come back, for it is never away."""
    return False


LONGEST_S = 300.0  # that a one-shot import waits when it is asked to
STORE = "store"
PROVIDER = "embedding provider"


@dataclass(slots=True)
class Outage:
    """Failures in a row. `patience` is how many end the import, None for a daemon, which never gives up.

    `away` is STORE or PROVIDER, the one that failed last, "" while both answer; `failures` counts those of both, so
    that two that fail in turn use up the same patience.
    """

    patience: int | None = None
    away: str = ""
    failures: int = 0
    boot_failures: int = 0

    def clear(self) -> None:
        """End the outage: a batch was stored, so store, provider and worker are there."""
        self.away, self.failures, self.boot_failures = "", 0, 0

    def unreachable(self, error: ImporterError) -> Settled:
        """Count a store or provider out of reach; return the wait. Raises its error when `patience` is used up."""
        kind = EmbedUnreachable if isinstance(error, EmbedUnreachable) else StoreUnreachable
        self.away = PROVIDER if kind is EmbedUnreachable else STORE
        self.failures += 1
        asked_s: float = getattr(error, "retry_after_s", 0.0)
        if self.patience is not None and asked_s > LONGEST_S:  # such as until tomorrow, when a day's budget is used up
            raise kind(error.message, hint=error.hint or "what is stored is kept; the same command goes on later")
        if self._gives_up(self.failures):
            hint = f"{error.hint or 'what is stored is kept'}; then the same command goes on"
            raise kind(f"{error.message}; tried {self.failures} times", hint=hint)
        wait_s = max(asked_s, backoff_s(self.failures))
        return Settled(reason=f"{self.away} unreachable: {error.message}", wait_s=wait_s)

    def boot_failed(self, error: WorkerError) -> Settled:
        """Count a worker that cannot start; return the wait. Raises `error` for odd settings or used up `patience`."""
        self.boot_failures += 1
        if error.exit_code == errors.USAGE or self._gives_up(self.boot_failures):
            raise error
        return Settled(reason=f"worker cannot start: {error.message}", wait_s=backoff_s(self.boot_failures))

    def _gives_up(self, failures: int) -> bool:
        return self.patience is not None and failures >= self.patience


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
