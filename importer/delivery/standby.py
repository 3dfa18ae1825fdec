"""The next worker, on its way while the last one still works: it loads the model and waits for the store.

A worker takes half a second of processor to get there, most of it imports. Beside the last batches of the one before,
no batch waits for it. It opens no store (an embedded one has a single opener) until it is given its settings once more.
"""

from __future__ import annotations

import asyncio
import contextlib

from importer.delivery.process import Child
from importer.errors import ImporterError
from importer.log import logger
from importer.protocol import wire

log = logger()


class Standby:
    """At most one spare worker. A failure of it shows when a worker is started in the ordinary way."""

    def __init__(self) -> None:
        self._coming: asyncio.Task[Child] | None = None

    def prepare(self, command: tuple[str, ...], environ: dict[str, str], configure: wire.Configure) -> None:
        """Start a spare worker, unless there is one."""
        if self._coming is None:
            self._coming = asyncio.ensure_future(_spawn(command, environ, configure))

    async def adopt(self) -> Child | None:
        """Return the spare worker if it lives, None without one; from now on it belongs to the caller."""
        coming, self._coming = self._coming, None
        if coming is None:
            return None
        with contextlib.suppress(OSError, ImporterError):
            child = await coming
            if not child.ended.done():
                return child
        return None

    async def dismiss(self, grace_s: float) -> None:
        """End the spare worker and wait for its end."""
        if (child := await self.adopt()) is not None:
            await child.stop(grace_s)


async def _spawn(command: tuple[str, ...], environ: dict[str, str], configure: wire.Configure) -> Child:
    """Start a worker that stands by: it answers nothing before it gets its settings a second time."""
    child = await Child.spawn(command, environ)
    child.tell(configure)
    log.info("worker.preparing", pid=child.pid)
    return child
