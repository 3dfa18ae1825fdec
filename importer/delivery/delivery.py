"""Batches in flight: sent in order, committed in order, retried, split and quarantined as `policy` decides.

A batch is done when its receipt came *and* its commits are written. One that fails goes back to the front of the queue,
so that no checkpoint is ever written before the chunks of an earlier batch are stored. An urgent batch (new lines of a
live conversation) shares no file with the others and settles beside them.

Where several workers embed (`pool`), the batches get their vectors beside one another and are then posted, in order.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from importer.delivery import policy, recovery
from importer.delivery.embed_pool import EmbedPool
from importer.delivery.in_flight import (
    InFlight,
    Settled,
    halved_budget,
    log_stored,
    note_death,
    parted,
    quarantine,
    split,
    to_blame,
    wait_for_first,
    with_vectors,
)
from importer.delivery.outage import PROVIDER, Outage
from importer.delivery.policy import FailureRecord, Reaction
from importer.delivery.progress import complete_files
from importer.delivery.supervisor import Supervisor, error_of
from importer.errors import EmbedUnreachable, ImporterError, StoreUnreachable, WorkerDied, WorkerError
from importer.log import logger
from importer.protocol import failpoints, wire
from importer.protocol.backoff import backoff_s
from importer.protocol.outcome import Receipt
from importer.protocol.records import Batch
from importer.reading import batching
from importer.state.checkpoints import Checkpoints

log = logger()

CANARY_LEAST_S, CANARY_MOST_S = (0.5, 10.0)  # a worker must live so long with harmless text


@dataclass(slots=True)
class Delivery:
    """The batches that are sent through the supervisor, and the writer of their commits.

    `limits` are those of a frame, `outage` knows what is away and when to give up.
    `deadline_s` says how long a batch of so many characters may show no progress; `clock` is monotonic seconds.

    `pool` is None for a single worker, which embeds what it stores.

    `queue` is in the order in which commits are to be written, and only its head is ever committed. Parts of one batch
    stand in it one behind the other. At most one batch is `urgent`; a death or an outage puts it at the head.
    """

    supervisor: Supervisor
    checkpoints: Checkpoints
    token_budget: int
    limits: batching.BatchLimits
    outage: Outage = field(default_factory=Outage)
    deadline_s: Callable[[int], float] = policy.deadline_s
    clock: Callable[[], float] = time.monotonic
    pool: EmbedPool | None = None
    queue: deque[InFlight] = field(default_factory=deque)
    urgent: InFlight | None = None

    def recover(self) -> None:
        """Count a death for all that the last run left in flight: a chunk may have taken the whole container down."""
        for attempt in self.checkpoints.leftovers():
            self.checkpoints.died(attempt.batch)
        recovery.give_back(self.checkpoints)

    def keep_head_only(self) -> None:
        """Drop all but the batch at the head: the others, stored or not, are imported again another time."""
        while self.queue and self.queue[-1].origin != self.queue[0].origin:
            self.queue.pop().drop_embedding()

    @property
    def busy(self) -> bool:
        """Whether any batch is unsettled."""
        return bool(self.queue) or self.urgent is not None

    @property
    def files_in_flight(self) -> int:
        """The number of files in the unsettled batches."""
        return sum(len(flight.batch.commits) for flight in self.unsettled())

    def unsettled(self) -> list[InFlight]:
        """Return all batches that are unsettled, the urgent one first."""
        return ([self.urgent] if self.urgent else []) + list(self.queue)

    def send(self, batch: Batch) -> None:
        """Take a batch into the queue, in parts where it has more chunks than a frame holds; `settle` posts them."""
        suspects = self.checkpoints.suspects() if batch.chunks else {}
        flights = parted(batch, suspects, self.limits, self.supervisor.number, self.token_budget)
        # Parts cannot go ahead: there is room for one, and its commits need all. Nor can news of what is stored before.
        alone = batch.urgent and not batch.news and self.urgent is None and len(flights) == 1 and not flights[0].suspect
        # Where several workers embed, what stands in the queue may be far from its turn, and let go of the same points.
        if alone and not (self.pool and any(flights[0].ids & one.ids for one in self.queue)):
            self.urgent = flights[0]
        else:
            self.queue.extend(flights)

    async def _post(self, flight: InFlight) -> None:
        """Record the attempt, then send. Raises what starting a worker raises; the batch stays unsettled."""
        batch = flight.batch
        if flight.empty:
            flight.done()
            return
        await self.supervisor.ready()  # first, so that no chunk is on record for a worker that cannot start
        ids = [chunk.id for chunk in batch.chunks]
        self.checkpoints.sending(batch.number, ids, alone=len(ids) == 1, takes=recovery.takes(batch))
        failpoints.hit("send")
        budget = min(flight.token_budget, self.token_budget)  # the governor may have halved it since it was packed
        vectors = flight.vectors.vectors if flight.vectors else {}
        message = wire.Import(batch.chunks, batch.releases, budget, batch.urgent, batch.news, vectors)
        flight.sent_s = self.clock()
        # a number of its own for each posting: the answer to a former one must not be taken for this one's
        flight.future = await self.supervisor.post(self.supervisor.number(), message)

    async def post_waiting(self) -> None:
        """Post what is not posted; a suspect only at the head, and nothing beside it. Raises like `_post`."""
        for flight in list(self.unsettled()):
            ordinary = flight is not self.urgent
            if ordinary and flight.suspect and flight is not self.queue[0]:
                return
            if ordinary and self.pool is not None and not self.pool.lets_post(flight, self.queue):
                return
            if flight.future is None:
                await self._check_record(flight)
                await self._post(flight)
            if ordinary and flight.suspect:
                return

    async def _check_record(self, flight: InFlight) -> None:
        """Quarantine a chunk that took whole importers down, on its record alone and without another try."""
        condemned = flight.batch.chunks and policy.after_death(flight.failures) is Reaction.QUARANTINE
        if condemned and await self._is_poison(flight, 0.0):
            quarantine(self.queue, flight, set(), "embed", "it ended every worker it was with")

    async def settle(self, wake: asyncio.Event, timeout_s: float) -> Settled:
        """Wait for an answer to the head or the urgent batch, `wake` or `timeout_s`; act on an answer.

        One call settles at most one batch. Raises StateUnwritable, after which the same call may be made again, and the
        errors that no waiting helps against: settings, a store that refuses, an outage that used up the patience.
        """
        try:
            if self.pool is not None and (failed := await self.pool.step(self.unsettled(), self.token_budget)):
                return await self._failed(*failed)
            await self.post_waiting()
        except WorkerDied as error:
            return await self._died(error)
        except (StoreUnreachable, EmbedUnreachable) as error:
            return await self._wait_for(error)
        except WorkerError as error:
            return self.outage.boot_failed(error)
        heads = [p for p in (self.urgent, self.queue[0] if self.queue else None) if p is not None and p.future]
        answers = [p.future for p in heads if p.future] + [p.embedding.task for p in self.queue if p.embedding]
        await wait_for_first(answers, wake, timeout_s)
        for flight in heads:
            if flight.future is not None and flight.future.done():
                return await self._act(flight, flight.future)
        self._check_deadlines()
        return Settled()

    async def _act(self, flight: InFlight, future: asyncio.Future[wire.Reply]) -> Settled:
        """Do what the reply asks for. Raises the error of a reply that is no answer to a batch."""
        try:
            reply = future.result()
        except WorkerDied as error:
            return await self._died(error)
        if isinstance(reply, wire.Done):
            return self._commit(flight, reply.receipt)
        if isinstance(reply, wire.Failed):
            return await self._failed(flight, reply)
        raise error_of(reply)

    def _commit(self, flight: InFlight, receipt: Receipt) -> Settled:
        """Write the commits of a stored batch. Raises StateUnwritable: it keeps its receipt, and this is done again."""
        failpoints.hit("received")
        self.outage.clear()
        if flight.vectors is not None:
            receipt = with_vectors(receipt, flight.vectors)
        counters = {"points": receipt.points, "known": receipt.known, "tokens": receipt.tokens}
        self.checkpoints.commit(flight.batch.commits, batch_number=flight.batch.number, counters=counters)
        if flight is self.urgent:
            self.urgent = None
        else:
            self.queue.remove(flight)
        self._count(flight, receipt)
        return Settled(flight.batch, receipt)

    def _count(self, flight: InFlight, receipt: Receipt) -> None:
        """Log a stored batch and count it towards the planned end of the worker that is there now."""
        worker = self.supervisor.worker
        if worker is not None:
            worker.files += complete_files(flight.batch) if flight.vectors is None else 0
            worker.batches += 1
        log_stored(flight.batch, receipt)

    async def _died(self, error: WorkerDied) -> Settled:
        """Unpost every batch; count a death for the one in the model, else for the head, and act on it."""
        there = [p for p in self.queue if p.future or (p.embedding and p.embedding.at_writer)]
        for flight in there:
            flight.drop_embedding()
        self._unpost(urgent=True)
        working = set(self.supervisor.last_working)
        culprit = to_blame(self.queue, working) or next(iter(there), self.queue[0])
        note_death(self.checkpoints, culprit, working)
        if culprit is not self.queue[0]:  # what stands before it goes first, untouched
            return Settled(reason="died")
        attempt = policy.after_death(culprit.failures)
        if attempt is not Reaction.QUARANTINE or await self._is_poison(culprit, self.clock() - culprit.sent_s):
            self._decide(culprit, attempt, str(error), working)
        return Settled(reason="died", wait_s=backoff_s(culprit.failures.deaths - 1, first_s=0.1, most_s=5.0))

    async def _is_poison(self, suspect: InFlight, tried_s: float) -> bool:
        """Return whether a worker lives longer with harmless text than the last with this suspect, else clear it."""
        if await self.supervisor.canary(min(max(2 * tried_s, CANARY_LEAST_S), CANARY_MOST_S)):
            return True
        log.warning("worker.unlucky", batch=suspect.batch.number, deaths=suspect.failures.deaths)
        self.checkpoints.clear_suspects(chunk.id for chunk in suspect.batch.chunks)
        suspect.failures = FailureRecord(len(suspect.batch.chunks), deaths=1)
        return False

    async def _failed(self, flight: InFlight, reply: wire.Failed) -> Settled:
        """Do what `policy` says. An outage does not count against the batch. Raises the error itself for HALT."""
        self._unpost(urgent=flight is self.urgent)
        flight.failures = replace(flight.failures, errors=flight.failures.errors + 1)
        failure = reply.failure
        attempt = policy.after_failure(failure, reply.exit_code, flight.failures)
        log.warning(
            "batch.failed", batch=flight.batch.number, stage=failure.stage, reason=failure.message, then=attempt
        )
        if attempt is Reaction.HALT:
            raise error_of(reply)
        if attempt is Reaction.WAIT:
            flight.failures = replace(flight.failures, errors=flight.failures.errors - 1)
            return await self._wait_for(error_of(reply))
        self._decide(flight, attempt, failure.message, set(failure.ids), stage=failure.stage)
        return Settled(reason="failed")

    def _decide(
        self, flight: InFlight, attempt: Reaction, reason: str, suspects: set[str], stage: str = "embed"
    ) -> None:
        """Change the queue, so that the next `post_waiting` tries the batch in another way."""
        if attempt is Reaction.RETRY:
            flight.token_budget = halved_budget(flight.token_budget)
        elif attempt is Reaction.SPLIT:
            split(self.queue, flight, suspects, self.supervisor.number)
            self.checkpoints.settled(flight.batch.number)
        elif attempt is Reaction.QUARANTINE:
            quarantine(self.queue, flight, suspects, stage, reason)

    async def _wait_for(self, error: ImporterError) -> Settled:
        """Recycle the worker during an outage, so that nothing heavy waits. Raises when the patience is used up."""
        settled = self.outage.unreachable(error)
        self._unpost(urgent=True)
        away = policy.Recycle.PROVIDER if self.outage.away == PROVIDER else policy.Recycle.STORE
        await self.supervisor.recycle(away)
        if self.pool is not None:
            for flight in self.queue:
                flight.drop_embedding()
            await self.pool.end(away)
        return settled

    async def close(self) -> None:
        """End all workers and wait for their end."""
        await self.supervisor.recycle(policy.Recycle.STOP)
        if self.pool is not None:
            await self.pool.end(policy.Recycle.STOP)

    def _unpost(self, *, urgent: bool) -> None:
        """Have all sent again, one behind the other (stored points cost nothing); an `urgent` batch goes first."""
        if urgent and self.urgent is not None:
            self.queue.appendleft(self.urgent)
            self.urgent = None
        for flight in self.queue:
            flight.recall()

    def _check_deadlines(self) -> None:
        """Kill a worker that sent no reply at all for longer than the head may take; its stacks reach the log first."""
        if self.pool is not None:
            self.pool.check_deadlines(self.queue, self.deadline_s)
        head = self.queue[0] if self.queue else self.urgent
        if head is None or head.future is None or self.supervisor.worker is None:
            return
        quiet_s = self.clock() - max(head.sent_s, self.supervisor.worker.child.heard_s)
        if quiet_s > self.deadline_s(head.chars):
            log.error("batch.late", batch=head.batch.number, quiet_s=round(quiet_s, 1))
            self.supervisor.kill(dump=True)
