"""A whole importer in one process; its worker is a few lines over a store in a dict and fails as ordered.

    stage = InProcessImporter(folder, base)
    stage.look(); stage.step("die midway"); stage.crash(); stage.finish()

Fates, one for each batch the worker takes, "done" when there are none left:

    done                  stored, receipt sent
    die in the model      SIGKILL before anything is stored, the chunks named
    die                   the same, no chunk named
    die midway            SIGKILL with points written, but neither holders changed nor points deleted
    die afterwards        SIGKILL after the durable write, before the receipt
    fail | away           the embedding fails; the store is away
"""

from __future__ import annotations

import asyncio
import itertools
import os
import pathlib
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from model_store import ModelStore
from oracle import CUTTING
from worker_told import told

from importer.delivery.delivery import Delivery
from importer.delivery.engine import Engine
from importer.delivery.policy import Recycle
from importer.delivery.progress import WorkerStats
from importer.errors import WorkerDied
from importer.protocol import wire
from importer.protocol.outcome import Failure, Receipt
from importer.reading import batching
from importer.reading.gather import Reading
from importer.reading.pipeline import Pipeline
from importer.sources.queue import FileQueue
from importer.sources.reconcile import Reconcile
from importer.sources.scan import Root
from importer.state.checkpoints import Checkpoints
from importer.worker.plan import looked_up, plan
from importer.worker.stores import Ownership
from importer.worker.stores.schema import payload

FATES = ("done", "die in the model", "die", "die midway", "die afterwards", "fail", "away")
LIMITS = batching.BatchLimits(chunks=6, spans=4)


class Worker:
    """A supervisor and its worker in one: it takes urgent batches first, the others in order."""

    def __init__(self, store: ModelStore, fates: deque[str]) -> None:
        self.store = store
        self.fates = fates
        self.stats = WorkerStats()
        self.worker: Any = None
        self.launch = SimpleNamespace(settings=told())
        self.backlog = False
        self.last_working: tuple[str, ...] = ()
        self._numbers = itertools.count(1)
        self._posted: list[tuple[int, wire.Import, asyncio.Future[wire.Reply]]] = []

    def number(self) -> int:
        return next(self._numbers)

    def room(self, files: int) -> int:
        return 1000

    def warm_up(self, files: int) -> None:
        """Do nothing: this worker is never replaced."""

    async def ready(self, *, preload: bool = True) -> Any:
        self.worker = self.worker or SimpleNamespace(
            child=SimpleNamespace(pid=0, heard_s=float("inf"), waiting=0),
            ready=SimpleNamespace(points=0),
            born_s=0.0,
            files=0,
            batches=0,
            lifetime_files=0,
        )
        return self.worker

    async def post(self, number: int, message: wire.Import) -> asyncio.Future[wire.Reply]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[wire.Reply] = loop.create_future()
        self._posted.append((number, message, future))
        loop.call_soon(self._work)
        return future

    async def canary(self, seconds: float) -> bool:
        return True

    async def recycle(self, reason: Recycle, *, successor: bool = False) -> None:
        self.worker = None
        self._posted.clear()

    def kill(self, *, dump: bool = False) -> None:
        self._die(())

    def _work(self) -> None:
        """Take the next batch, urgent ones first, and do to it what its fate says."""
        if not self._posted:
            return
        taken = min(self._posted, key=lambda posted: not posted[1].urgent)
        self._posted.remove(taken)
        number, request, future = taken
        fate = self.fates.popleft() if self.fates else "done"
        if fate in {"fail", "away"}:
            kind, code = ("EmbedError", 4) if fate == "fail" else ("StoreUnreachable", 75)
            future.set_result(wire.Failed(Failure(number, "embed", kind, fate, True), code))
            return
        if fate not in {"die", "die in the model"}:
            receipt = self._store(number, request, whole=fate != "die midway")
        if fate == "done":
            future.set_result(wire.Done(receipt))
            return
        self._posted.append(taken)
        self._die(tuple(chunk.id for chunk in request.chunks) if fate == "die in the model" else ())

    def _die(self, working: tuple[str, ...]) -> None:
        """Fail all that was posted; `working` was in the model."""
        self.worker, self.last_working = None, working
        for _, _, future in self._posted:
            if not future.done():
                future.set_exception(WorkerDied("as ordered", status=-9))
        self._posted.clear()

    def _store(self, number: int, request: wire.Import, *, whole: bool) -> Receipt:
        """Store as the real worker does; not `whole`: only the points, neither holders nor deletions."""
        ids = [one.id for one in (*request.chunks, *request.releases)]
        todo = plan(request.chunks, request.releases, *looked_up(self.store, ids))
        points = [SimpleNamespace(id=chunk.id, payload=payload(chunk, standing)) for chunk, standing in todo.write]
        standing: Mapping[str, Ownership] = todo.standing if whole else {}
        self.store.write(points, standing, todo.deletes if whole else ())
        return Receipt(number, len(points), todo.known, 1, len(self.store.points), 1, 0.0, 0.0)


class InProcessImporter:
    """One importer over `folder`, its state in `base`; `store` and state outlive its crashes."""

    def __init__(self, folder: str, base: pathlib.Path, *, slice_bytes: int = 3000) -> None:
        self.store = ModelStore()
        self.fates: deque[str] = deque()
        self._root = Root(os.fsencode(folder))
        self._path = str(base / "checkpoints.sqlite3")
        self._slice_bytes = slice_bytes
        self._loop = asyncio.new_event_loop()
        self._start()

    def _start(self) -> None:
        self.checkpoints = Checkpoints.open(self._path)
        reading = Reading(CUTTING, "", slice_bytes=self._slice_bytes, max_chunks=5)
        pipeline = Pipeline(reading, self.checkpoints)
        worker: Any = Worker(self.store, self.fates)
        delivery = Delivery(worker, self.checkpoints, 2048, LIMITS)
        looker = Reconcile(self.checkpoints, FileQueue())
        self.engine = Engine([self._root], pipeline, delivery, LIMITS, looker)
        self.engine.recover()

    def crash(self) -> None:
        """Drop all that is not durable, as a SIGKILL of the importer does, and start again."""
        self._loop.close()
        self._loop = asyncio.new_event_loop()
        self.checkpoints.close()
        self._start()

    def look(self) -> None:
        """Do a full rescan."""
        self._loop.run_until_complete(self.engine.reconcile())

    def hint(self, paths: Iterable[str]) -> None:
        """Report events for these paths."""
        self.engine.hint([os.fsencode(path) for path in paths])

    def step(self, *fates: str, steps: int = 1) -> None:
        """Do some units of work, with these fates for the batches that the worker takes meanwhile."""
        self.fates.extend(fates)
        for _ in range(steps):
            self.engine._pacing.retry_at_s = 0.0  # time does not pass here
            if self.engine.has_work():
                self._loop.run_until_complete(self.engine.step())

    def finish(self) -> None:
        """End all faults and import everything pending, within two rescans."""
        self.fates.clear()
        for _ in range(2):
            self.look()
            for _ in range(2000):
                if not self.engine.has_work():
                    break
                self.step()
        assert not self.engine.has_work(), self.engine.run

    def close(self) -> None:
        """Close the loop and the state."""
        self._loop.close()
        self.checkpoints.close()

    def shelf(self) -> Shelf:
        """Return the store in the form the oracle reads."""
        return Shelf(self.store)


class Shelf:
    """A dict of payloads that can be compared: every vector is of unit length here."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store

    def count(self) -> int:
        return len(self._store.points)

    def lookup(self, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        return self._store.lookup(ids)

    def scroll(self, after: Any, limit: int, *, with_vectors: bool) -> Any:
        points = [SimpleNamespace(id=id, payload=stored, dense=(1.0,)) for id, stored in self._store.points.items()]
        return SimpleNamespace(points=points, next=None)
