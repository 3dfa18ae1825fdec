"""Whether a server that was away is back: asked every second while the patience with it grows to a minute."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

TIMEOUT_S = 1.0
REST_PORT = 6333  # Qdrant's, where the URL names none


class Knock:
    """Tries to connect and hangs up. A server that takes connections but fails is left to its time.

    That it returned is said once: if the import fails again at once, the growing waits of the outage go on.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "localhost", parts.port or REST_PORT)
        self._refused = False

    async def returned(self) -> bool:
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
