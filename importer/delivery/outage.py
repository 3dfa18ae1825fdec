"""What is away, how often that was tried, and when to try again: the store, an embedding provider, the worker itself.

Nobody is blamed for an outage and nothing is lost by it: the batches wait. A daemon waits for ever, ever more seldom; a
one-shot import gives up when its patience is at an end.

Whether a server that was away is back: asked every second while the patience with it grows to a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from importer import errors
from importer.delivery import policy
from importer.delivery.in_flight import Settled
from importer.errors import EmbedUnreachable, ImporterError, StoreUnreachable, WorkerError

TIMEOUT_S = 1.0
REST_PORT = 6333  # Qdrant's, where the URL names none


class StoreProbe:
    """Tries to connect and hangs up. A server that takes connections but fails is left to its time.

    That it is_back is said once: if the import fails again at once, the growing waits of the outage go on.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "localhost", parts.port or REST_PORT)
        self._refused = False

    async def is_back(self) -> bool:
        """Whether it takes connections now, and did not the last time."""
        open_now = await self._connects()
        back, self._refused = open_now and self._refused, not open_now
        return back

    async def _connects(self) -> bool:
        """Whether anybody takes a connection there, within `TIMEOUT_S`."""
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(*self._address), TIMEOUT_S)
        except (OSError, TimeoutError):
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True


async def never() -> bool:
    """Return False: a store on this machine's disk does not come back, for it is never away."""
    return False


STORE = "store"
PROVIDER = "embedding provider"


@dataclass(slots=True)
class Outage:
    """Failures in a row. `patience` is how many are borne, None for a daemon's, which never gives up.

    `away` is STORE or PROVIDER, whichever failed last, "" while both answer; `failures` counts those of both, so that
    two that fail in turn use up the same patience.
    """

    patience: int | None = None
    away: str = ""
    failures: int = 0
    boot_failures: int = 0

    def over(self) -> None:
        """A batch was stored: all that it takes is there."""
        self.away, self.failures, self.boot_failures = "", 0, 0

    def unreachable(self, error: ImporterError) -> Settled:
        """The store or the provider cannot be reached. Raises StoreUnreachable or EmbedUnreachable out of patience."""
        kind = EmbedUnreachable if isinstance(error, EmbedUnreachable) else StoreUnreachable
        self.away = PROVIDER if kind is EmbedUnreachable else STORE
        self.failures += 1
        if self._out_of_patience(self.failures):
            raise kind(f"{error.message}; tried {self.failures} times", hint="what is stored is kept")
        wished_s: float = getattr(error, "retry_after_s", 0.0)
        wait_s = max(wished_s, policy.backoff_s(self.failures))
        return Settled(reason=f"{self.away} unreachable: {error.message}", wait_s=wait_s)

    def boot_failed(self, error: WorkerError) -> Settled:
        """The worker cannot become ready. Raises the error itself for senseless settings, or out of patience."""
        self.boot_failures += 1
        if error.exit_code == errors.USAGE or self._out_of_patience(self.boot_failures):
            raise error
        return Settled(reason=f"worker cannot start: {error.message}", wait_s=policy.backoff_s(self.boot_failures))

    def _out_of_patience(self, failures: int) -> bool:
        return self.patience is not None and failures >= self.patience
