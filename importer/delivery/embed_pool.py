"""Several workers that embed, for the one of them that stores.

    queue, in order   ──► ask the writer which chunks it lacks ──► a worker embeds these ──► vectors
    head of the queue ──► posted to the writer with its vectors, behind what stands before it ──► receipt

A batch is with one worker at a time. Its vectors stay with it until its commits are written, so the death of the writer
costs none of them, and the death of another worker only what that one had. The writer is sent the same batches in the
same order as if it were alone, and embeds itself what comes without a vector.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace

from importer.delivery import allotment
from importer.delivery.allotment import WRITER, WorkerPlace
from importer.delivery.in_flight import Embedding, InFlight, halved_budget, note_death, to_blame
from importer.delivery.policy import Recycle
from importer.delivery.progress import complete_files
from importer.delivery.supervisor import Supervisor
from importer.errors import ImporterError, WorkerDied, WorkerError
from importer.log import logger
from importer.protocol import failpoints, wire
from importer.protocol.backoff import backoff_s
from importer.state.checkpoints import Checkpoints

log = logger()


@dataclass(slots=True)
class EmbedPool:
    """The writer and the `others`, which only embed. `clock` is monotonic seconds.

    One of the others that cannot be started rests for a while: that costs speed, and holds nothing up.
    """

    writer: Supervisor
    others: Sequence[Supervisor]
    checkpoints: Checkpoints
    _: KW_ONLY
    clock: Callable[[], float] = time.monotonic
    _failures: Counter[int] = field(default_factory=Counter)  # starts on end that failed, by place
    _rest_until_s: dict[int, float] = field(default_factory=dict)
    _used_s: dict[int, float] = field(default_factory=dict)  # when a place gave its last vectors
    _leaving: dict[int, Recycle] = field(default_factory=dict)  # why one is to end as soon as it has nothing to do
    _ending: set[int] = field(default_factory=set)
    _asked: set[asyncio.Future[object]] = field(default_factory=set)

    @property
    def count(self) -> int:
        """How many workers there are at most."""
        return 1 + len(self.others)

    @property
    def room(self) -> int:
        """How many files a batch may have, so that a worker passes its lifetime by no more than that."""
        return self.writer.recycle_files or sys.maxsize

    def supervisor(self, place: int) -> Supervisor:
        """Return the supervisor of the worker at a place."""
        return self.writer if place == WRITER else self.others[place - 1]

    def places(self, queue: Collection[InFlight]) -> list[WorkerPlace]:
        """Return every worker as the next batch sees it. A suspect has the writer to itself."""
        places = [self._place(at, queue) for at in range(self.count)]
        if any(flight.suspect for flight in queue):
            places[WRITER] = replace(places[WRITER], most=0)
        return places

    def _place(self, at: int, queue: Iterable[InFlight]) -> WorkerPlace:
        """Return one worker as the next batch sees it."""
        theirs = [flight for flight in queue if flight.embedding is not None and flight.embedding.at == at]
        supervisor = self.supervisor(at)
        worker = supervisor.worker
        files = sum(len(flight.batch.commits) for flight in theirs) + (worker.files if worker else 0)
        lifetime = worker.lifetime_files if worker else supervisor.recycle_files
        rests = self._rest_until_s.get(at, 0.0) > self.clock() or at in self._leaving
        return WorkerPlace(len(theirs), allotment.most_of(at, self.count), files, lifetime, rests)

    def lets_post(self, flight: InFlight, queue: Collection[InFlight]) -> bool:
        """Return whether a batch may go to the writer now, as far as its vectors are concerned."""
        if flight.suspect:  # alone there, so that the cause of the next death is clear
            return not any(one.embedding is not None and one.embedding.at == WRITER for one in queue)
        if flight.is_waiting:  # where no worker can take it the writer does all, as if it were alone
            return not any(place.is_of_use for place in self.places(queue))
        return flight.embedding is None

    async def step(self, unsettled: Collection[InFlight], token_budget: int) -> tuple[InFlight, wire.Failed] | None:
        """Take in what is embedded and give what waits to workers with room, both in order.

        Returns a batch that a living worker failed with. Raises WorkerDied when it was the writer, and what else keeps
        that one from starting or answering.
        """
        for flight in unsettled:
            if flight.embedding is not None and flight.embedding.task.done():
                reply = self._taken(flight, flight.embedding, unsettled)
                if isinstance(reply, wire.Failed):
                    return flight, reply
        await self._renew(unsettled)
        earlier = set[str]()
        for flight in unsettled:
            if flight.is_waiting:
                at = allotment.choose(self.places(unsettled))
                if at is None:
                    return None
                self._begin(flight, at, earlier, min(flight.token_budget, token_budget))
            earlier |= {chunk.id for chunk in flight.batch.chunks}
        return None

    async def _renew(self, unsettled: Collection[InFlight]) -> None:
        """End those that have lived long enough and have nothing to do; the next batch starts them anew."""
        for at, place in enumerate(self.places(unsettled)):
            reason = self._leaving.get(at) or (Recycle.FILES if place.is_spent else None)
            if at != WRITER and reason and not place.load:
                await self._end(at, reason)

    async def _end(self, at: int, reason: Recycle) -> None:
        """End one worker, once; no batch comes to it meanwhile."""
        if at not in self._ending:
            self._leaving[at] = reason
            self._ending.add(at)
            try:
                await self.supervisor(at).recycle(reason)
            finally:
                self._ending.discard(at)
                self._leaving.pop(at, None)

    def load(self, at: int, unsettled: Iterable[InFlight]) -> int:
        """Return how many batches are with the worker at a place."""
        return sum(one.embedding is not None and one.embedding.at == at for one in unsettled)

    def used_s(self, at: int) -> float:
        """Return when the worker at a place gave its last vectors, in monotonic seconds."""
        return self._used_s.get(at, 0.0)

    def retire(self, at: int, reason: Recycle, *, now: bool = False) -> None:
        """End a worker as soon as it has nothing to do; `now` if it has nothing."""
        self._leaving[at] = reason
        if now:
            self._hold(self._end(at, reason))

    def trim(self, at: int) -> None:
        """Ask a worker to give memory back, beside the import."""
        self._hold(self.supervisor(at).ask("trim"))

    def _hold(self, work: Coroutine[object, object, object]) -> None:
        """Have something done that is not waited for. A worker that dies meanwhile shows elsewhere."""
        task: asyncio.Future[object] = asyncio.ensure_future(work)
        self._asked.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Future[object]) -> None:
        """Take the exception, which asyncio would complain about otherwise."""
        self._asked.discard(task)
        if not task.cancelled():
            task.exception()

    def _begin(self, flight: InFlight, at: int, earlier: Collection[str], budget: int) -> None:
        ids = allotment.to_embed([chunk.id for chunk in flight.batch.chunks], earlier)
        flight.embedding = Embedding(at, self.clock())
        flight.embedding.task = asyncio.ensure_future(self._embed(flight, flight.embedding, ids, budget))

    async def _embed(self, flight: InFlight, embedding: Embedding, ids: list[str], budget: int) -> wire.Reply:
        """Return the vectors of those of the chunks that the store lacks, or how that failed. Raises like `ask`."""
        missing = set(await self.writer.ask("missing", ids=ids)) if ids else set[str]()
        embedding.asking = False
        chunks = flight.batch.chunks
        texts = {chunk.id: chunk.text for chunk in reversed(chunks) if chunk.id in missing}
        if not texts:
            return wire.Vectors({}, 0, 0.0)
        supervisor = self.supervisor(embedding.at)
        await supervisor.ready()  # first, so that no chunk is on record for a worker that cannot start
        self._failures[embedding.at] = 0
        self.checkpoints.sending(flight.batch.number, [chunk.id for chunk in chunks], alone=len(chunks) == 1)
        failpoints.hit("send")
        embedding.begun_s = self.clock()
        return await (await supervisor.post(supervisor.number(), wire.Embed(tuple(texts.items()), budget)))

    def _taken(self, flight: InFlight, embedding: Embedding, unsettled: Iterable[InFlight]) -> wire.Reply | None:
        """Keep the vectors of a batch, or act on the end of the worker that was to make them. Raises like `step`."""
        try:
            reply = embedding.task.result()
            flight.drop_embedding()
            if isinstance(reply, wire.Vectors):
                self._keep(flight, embedding, reply)
            return reply
        except WorkerDied:
            if embedding.at_writer:  # it stands as one that was with it, for the delivery to find the one to blame
                raise
            self._died(unsettled, embedding.at)
        except WorkerError as error:
            flight.drop_embedding()
            if embedding.at_writer:
                raise
            self._rest(embedding.at, error)
        except ImporterError:
            flight.drop_embedding()
            raise
        return None

    def _keep(self, flight: InFlight, embedding: Embedding, vectors: wire.Vectors) -> None:
        """Keep the vectors, and count the batch towards the planned end of the worker that made them."""
        failpoints.hit("embedded")
        self.checkpoints.settled(flight.batch.number)  # until it is posted no death can be its fault
        flight.vectors, self._used_s[embedding.at] = vectors, self.clock()
        worker = self.supervisor(embedding.at).worker
        if worker is not None:
            worker.files += complete_files(flight.batch)
            worker.batches += embedding.at != WRITER  # the writer counts those it stores

    def _died(self, unsettled: Iterable[InFlight], at: int) -> None:
        """Give up what the dead worker at this place had, and count its death for the batch that was in the model."""
        working = set(self.supervisor(at).last_working)
        theirs = [one for one in unsettled if one.embedding is not None and one.embedding.at == at]
        began = [one for one in theirs if one.embedding is not None and not one.embedding.asking]
        for one in theirs:
            one.drop_embedding()
        culprit = to_blame(began, working) or next(iter(began), None)
        if culprit is not None:
            note_death(self.checkpoints, culprit, working)
            culprit.token_budget = halved_budget(culprit.token_budget)

    def _rest(self, at: int, error: ImporterError) -> None:
        """Do without a worker that cannot be started, for a while that grows."""
        self._failures[at] += 1
        wait_s = backoff_s(self._failures[at])
        self._rest_until_s[at] = self.clock() + wait_s
        log.warning("worker.missing", place=at, reason=error.message, wait_s=round(wait_s, 1))

    def check_deadlines(self, queue: Iterable[InFlight], deadline_s: Callable[[int], float]) -> None:
        """Kill a worker that sent no reply at all for longer than a batch may take; its stacks reach the log first."""
        for flight in queue:
            if (embedding := flight.embedding) is None:
                continue
            supervisor = self.writer if embedding.asking else self.supervisor(embedding.at)
            heard_s = supervisor.worker.child.heard_s if supervisor.worker else self.clock()
            quiet_s = self.clock() - max(embedding.begun_s, heard_s)
            if quiet_s > deadline_s(flight.chars):
                log.error("batch.late", batch=flight.batch.number, quiet_s=round(quiet_s, 1))
                supervisor.kill(dump=True)
                return

    async def end(self, reason: Recycle) -> None:
        """End the others on purpose, and wait for their end."""
        await asyncio.gather(*(one.recycle(reason) for one in self.others))
