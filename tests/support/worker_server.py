"""A worker's server on a thread, over a store in a dict and an embedder that waits at a gate."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from model_store import ModelStore
from plugins.fake_embedder import FakeEmbedder

from importer.protocol import wire
from importer.protocol.records import Chunk, Release
from importer.worker.embedders import Window
from importer.worker.inbox import Inbox
from importer.worker.serve import WorkerServer
from importer.worker.session import WorkerSession

WAIT_S = 20.0


def chunk(name: str, holder: str = "", words: int = 3) -> Chunk:
    return Chunk(name, " ".join([f"text-of-{name}"] * words), {"chunk": 0}, holder)


class Shelf(ModelStore):
    """A store in a dict that says when it wrote, waits at a gate to do so, and fails when told to."""

    kind, location, fingerprint, pending_optimize = "shelf", "shelf:", "print", False

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[str, Any]] = []
        self.errors: list[Exception] = []
        self.optimise_error: Exception | None = None
        self.gate = threading.Semaphore(1000)

    def optimize(self) -> bool:
        self.pending_optimize = False
        self.events.append(("optimised", ()))
        if self.optimise_error:
            raise self.optimise_error
        return True

    def write(self, points: Sequence[Any], holders: Any, deletes: Sequence[str]) -> None:
        assert self.gate.acquire(timeout=WAIT_S)
        if self.errors:
            raise self.errors.pop(0)
        super().write(points, holders, deletes)
        self.events.append(("written", tuple(point.id for point in points)))

    def count(self) -> int:
        return len(self.points)

    def search(self, query: Any, dense: Any) -> list[Any]:
        return []


class Gated(FakeEmbedder):
    """An embedder that runs when its gate opens, and changes the vectors as `spoil` says."""

    def __init__(self) -> None:
        super().__init__("model", 8)
        self.gate = threading.Semaphore(1000)
        self.running = threading.Semaphore(0)
        self.spoil: Callable[[Sequence[Window], Any], Any] = lambda _windows, vectors: vectors

    def embed(self, windows: Sequence[Window]) -> Any:
        self.running.release()
        assert self.gate.acquire(timeout=WAIT_S)
        return self.spoil(windows, super().embed(windows))


@dataclass
class Worker:
    """A served session: `post` sends, `replies` gathers what comes back, in order."""

    store: Shelf = field(default_factory=Shelf)
    embedder: Gated = field(default_factory=Gated)
    replies: list[tuple[int, wire.Reply]] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)
    pipe: tuple[int, int] = field(default_factory=os.pipe)
    reading: threading.Event = field(default_factory=threading.Event)
    inbox: Inbox | None = None

    def read(self, size: int) -> bytes:
        self.reading.set()
        found = os.read(self.pipe[0], size)
        self.reading.clear()
        return found

    def post(self, number: int, message: wire.Request) -> None:
        os.write(self.pipe[1], wire.encode(number, message))

    def send(self, number: int, *chunks: Chunk, releases: Sequence[Release] = (), urgent: bool = False) -> None:
        self.post(number, wire.Import(chunks, tuple(releases), 20, urgent))

    def take(self, frame: bytes) -> None:
        decoded = wire.read_frame(io.BytesIO(frame).read)
        assert decoded is not None
        reply = wire.decode_reply(decoded[1])
        with self.came:
            self.replies.append((decoded[0], reply))
            self.store.events.append((type(reply).__name__, decoded[0]))
            self.came.notify_all()

    def answer(self, number: int) -> Any:
        """Wait for the final reply to a request and return it."""
        with self.came:
            assert self.came.wait_for(lambda: self.finals(number), WAIT_S), f"no reply to {number}: {self.replies}"
            return self.finals(number)[0]

    def finals(self, number: int) -> list[wire.Reply]:
        return [reply for one, reply in self.replies if one == number and not isinstance(reply, wire.Working)]

    def order(self) -> list[int]:
        """Return the numbers in the order of their final replies."""
        return [number for number, reply in self.replies if not isinstance(reply, wire.Working)]


@contextmanager
def serving(worker: Worker) -> Iterator[Worker]:
    inbox = worker.inbox = Inbox(worker.read)
    inbox.start()
    session = WorkerSession(worker.store, lambda: worker.embedder, token_budget=20)  # type: ignore[arg-type]
    thread = threading.Thread(target=WorkerServer(inbox, worker.take, session).run)
    thread.start()
    try:
        yield worker
    finally:
        os.close(worker.pipe[1])
        worker.embedder.gate.release(1000)
        thread.join(WAIT_S)
        assert not thread.is_alive()
        os.close(worker.pipe[0])
