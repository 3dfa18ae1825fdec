"""Frames from the daemon, read by a thread of their own so that a question can overtake the batch being embedded.

What is urgent is told by the request itself: questions, and batches that the daemon marked so. Texts to embed for the
daemon come last: batches to store wait for no model run of theirs.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from importer.errors import WireError
from importer.protocol import wire

Item = tuple[int, wire.Request]


class Inbox:
    """Three queues: urgent, to store, to embed. `read(n)` blocks and may return less, b"" at end of file."""

    def __init__(self, read: Callable[[int], bytes], *, on_close: Callable[[], None] = lambda: None) -> None:
        self._read = read
        self._on_close = on_close
        self._changed = threading.Condition()
        self._urgent: deque[Item] = deque()
        self._ordinary: deque[Item] = deque()
        self._embeds: deque[Item] = deque()
        self._coming: Future[None] = Future()
        self.closed = False
        self.error: Exception | None = None

    def start(self) -> None:
        """Start reading."""
        threading.Thread(target=self._run, name="inbox", daemon=True).start()

    def take(self, timeout_s: float | None = None) -> Item | None:
        """Take the next request, urgent ones first; None at end of file or after `timeout_s` seconds (see `closed`)."""
        with self._changed:
            self._changed.wait_for(lambda: self._urgent or self._ordinary or self._embeds or self.closed, timeout_s)
            if self._urgent:
                return self._urgent.popleft()
            # At the end of input no daemon waits for receipts: batches without one are sent again to the next worker.
            waiting = self._ordinary or self._embeds
            return waiting.popleft() if waiting and not self.closed else None

    def take_between(self, fits: Callable[[wire.Request], bool], *, ordinary: bool) -> Item | None:
        """Take the first urgent request, if it `fits` between two model runs, or an `ordinary` batch; never wait.

        Only the first one is looked at: urgent requests do not overtake each other.
        """
        with self._changed:
            if self._urgent and fits(self._urgent[0][1]):
                return self._urgent.popleft()
            return self._ordinary.popleft() if ordinary and self._ordinary and not self.closed else None

    def coming(self) -> Future[None]:
        """Return a future that is done when the next urgent request comes; those that came before are in the queue."""
        with self._changed:
            if self._coming.done():
                self._coming = Future()
            return self._coming

    def upcoming(self) -> Item | None:
        """Return the request that comes next if none is urgent, and leave it in the queue."""
        with self._changed:
            waiting = self._ordinary or self._embeds
            return waiting[0] if waiting else None

    def _run(self) -> None:
        """Read until end of file, or a frame that cannot be trusted (`error`): either way nothing more comes.

        `on_close` is called on this thread, so also while the main thread is stuck in a model run.
        """
        try:
            while (frame := wire.read_frame(self._read)) is not None:
                self._put((frame[0], wire.decode_request(frame[1])))
        except (WireError, OSError) as error:
            self.error = error
        with self._changed:
            self.closed = True
            self._changed.notify_all()
        self._on_close()

    def _put(self, item: Item) -> None:
        """Queue a request; questions are urgent, for a command or a page waits for the answer."""
        urgent = isinstance(item[1], wire.Ask) or (isinstance(item[1], wire.Import) and item[1].urgent)
        ordinary = self._embeds if isinstance(item[1], wire.Embed) else self._ordinary
        with self._changed:
            (self._urgent if urgent else ordinary).append(item)
            if urgent and not self._coming.done():
                self._coming.set_result(None)
            self._changed.notify_all()
