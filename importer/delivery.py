"""Batches in flight: sent in order, committed in order, retried, split and quarantined as `policy` decides.

A batch is done when its receipt came *and* its commits are written. Whatever fails goes back to the front of the queue,
so that no checkpoint is ever written before the chunks of an earlier batch are stored. An urgent batch (new lines of a
live conversation) shares no file with the others and settles beside them.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from importer import batch as batches
from importer import errors, failpoints, policy, wire
from importer.checkpoints import Checkpoints
from importer.errors import StoreUnreachable, WorkerDied
from importer.log import logger
from importer.parcel import Parcel, Settled, first, smaller
from importer.policy import Attempt, Suspect, Trial
from importer.records import Batch, Receipt
from importer.supervisor import Supervisor, error_of

log = logger()


@dataclass(slots=True)
class Delivery:
    """Sends batches through the supervisor and writes their commits.

    `patience` is how many failures in a row of store or boot are borne, None for a daemon's, which never gives up.
    `deadline_s` says how long a batch of so many characters may show no progress; `clock` is monotonic seconds.
    """

    supervisor: Supervisor
    checkpoints: Checkpoints
    token_budget: int
    limits: batches.Limits
    patience: int | None = None
    deadline_s: Callable[[int], float] = policy.deadline_s
    clock: Callable[[], float] = time.monotonic
    queue: deque[Parcel] = field(default_factory=deque)
    urgent: Parcel | None = None
    store_failures: int = 0
    boot_failures: int = 0

    def recover(self) -> None:
        """What the last run left in flight when it died is suspect: a chunk may have taken the whole container down."""
        for attempt in self.checkpoints.leftovers():
            self.checkpoints.died(attempt.batch)

    def curtail(self) -> None:
        """Waits for the batch at the head alone: the others, stored or not, are imported again another time."""
        while self.queue and self.queue[-1].origin != self.queue[0].origin:
            self.queue.pop()

    @property
    def busy(self) -> bool:
        """Whether anything is unsettled."""
        return bool(self.queue) or self.urgent is not None

    @property
    def in_flight(self) -> int:
        """How many ordinary batches are unsettled."""
        return len(self.queue)

    def parcels(self) -> list[Parcel]:
        """All that is unsettled, urgent first."""
        return ([self.urgent] if self.urgent else []) + list(self.queue)

    def send(self, batch: Batch) -> None:
        """Takes a batch over, in parts where one line was too long for one; `settle` posts them."""
        numbers = iter(self.supervisor.number, None)
        suspects = self.checkpoints.suspects() if batch.chunks else {}
        parts = [part for one in self._apart(batch, suspects) for part in batches.carve(one, self.limits, numbers)]
        parcels = [Parcel(part, batch.number, self.token_budget, policy.recorded(part, suspects)) for part in parts]
        if batch.urgent and self.urgent is None and len(parcels) == 1 and not parcels[0].suspect:
            self.urgent = parcels[0]
        else:
            self.queue.extend(parcels)

    def _apart(self, batch: Batch, suspects: Mapping[str, Suspect]) -> tuple[Batch, ...]:
        """Chunks that several workers of former runs died with go by themselves, ahead of the others."""
        groups = policy.groups(suspects, [chunk.id for chunk in batch.chunks])
        return batches.apart(batch, groups, iter(self.supervisor.number, None))

    async def _post(self, parcel: Parcel) -> None:
        """Records the attempt, then sends. Raises what starting a worker raises; the parcel stays unsettled."""
        batch = parcel.batch
        if parcel.empty:
            parcel.done()
            return
        await self.supervisor.ready()  # first, so that nobody is on record for what happens to a worker's start
        self.checkpoints.sending(batch.number, [chunk.id for chunk in batch.chunks], alone=len(batch.chunks) == 1)
        failpoints.hit("send")
        budget = min(parcel.token_budget, self.token_budget)  # the governor may have halved it since it was packed
        message = wire.Import(batch.chunks, batch.releases, budget, batch.urgent)
        parcel.sent_s = self.clock()
        # a number of its own for each posting: the answer to a former one must not be taken for this one's
        parcel.future = await self.supervisor.post(self.supervisor.number(), message)

    async def post_waiting(self) -> None:
        """Posts what is not posted; a suspect only at the head, and nothing beside it. Raises like `_post`."""
        for parcel in list(self.parcels()):
            ordinary = parcel is not self.urgent
            if ordinary and parcel.suspect and parcel is not self.queue[0]:
                return
            if parcel.future is None:
                self._check_record(parcel)
                await self._post(parcel)
            if ordinary and parcel.suspect:
                return

    def _check_record(self, parcel: Parcel) -> None:
        """A chunk that took whole importers down is set aside on its record, without another try."""
        if parcel.batch.chunks and policy.after_death(parcel.trial) is Attempt.QUARANTINE:
            self._quarantine(parcel, "it ended every worker it was with", set(), "embed")

    async def settle(self, wake: asyncio.Event, timeout_s: float) -> Settled:
        """Waits for an answer to the head or the urgent batch, `wake` or `timeout_s`; acts on an answer."""
        try:
            await self.post_waiting()
        except StoreUnreachable as error:
            return await self._store_away(error.message, error.retry_after_s)
        except errors.WorkerError as error:
            return self._stillborn(error)
        heads = [p for p in (self.urgent, self.queue[0] if self.queue else None) if p is not None and p.future]
        await first([p.future for p in heads if p.future], wake, timeout_s)
        for parcel in heads:
            if parcel.future is not None and parcel.future.done():
                return await self._act(parcel, parcel.future)
        self._check_deadlines()
        return Settled()

    async def _act(self, parcel: Parcel, future: asyncio.Future[wire.Reply]) -> Settled:
        try:
            reply = future.result()
        except WorkerDied as error:
            return self._died(error)
        if isinstance(reply, wire.Done):
            return self._commit(parcel, reply.receipt)
        if isinstance(reply, wire.Failed):
            return await self._failed(parcel, reply)
        raise error_of(reply)

    def _commit(self, parcel: Parcel, receipt: Receipt) -> Settled:
        failpoints.hit("received")
        self.store_failures = self.boot_failures = 0
        counters = {"points": receipt.points, "known": receipt.known, "tokens": receipt.tokens}
        self.checkpoints.commit(parcel.batch.commits, batch_number=parcel.batch.number, counters=counters)
        self._forget(parcel)
        return Settled(parcel.batch, receipt)

    def _forget(self, parcel: Parcel) -> None:
        if parcel is self.urgent:
            self.urgent = None
        else:
            self.queue.remove(parcel)

    def _died(self, error: WorkerDied) -> Settled:
        """Every parcel is unposted; the one whose chunks were in the model (else the head) counts a death."""
        if self.urgent is not None:
            self.queue.appendleft(self.urgent)
            self.urgent = None
        working = set(self.supervisor.last_working)
        blamed = next((p for p in self.queue if working & {chunk.id for chunk in p.batch.chunks}), None)
        for parcel in self.queue:
            parcel.recall()
        culprit = blamed or self.queue[0]
        self.checkpoints.died(culprit.batch.number, sorted(working & {c.id for c in culprit.batch.chunks}))
        trial = culprit.trial
        culprit.trial = replace(trial, deaths=trial.deaths + 1, blamed=trial.blamed + (blamed is not None))
        if culprit is not self.queue[0]:  # what stands before it goes first, untouched
            return Settled(reason="died")
        self._decide(culprit, policy.after_death(culprit.trial), str(error), working)
        return Settled(reason="died", wait_s=policy.backoff_s(culprit.trial.deaths - 1, first_s=0.1, most_s=5.0))

    async def _failed(self, parcel: Parcel, reply: wire.Failed) -> Settled:
        self._requeue(parcel)
        parcel.trial = replace(parcel.trial, errors=parcel.trial.errors + 1)
        failure = reply.failure
        attempt = policy.after_failure(failure, reply.exit_code, parcel.trial)
        log.warning(
            "batch.failed", batch=parcel.batch.number, stage=failure.stage, reason=failure.message, then=attempt
        )
        if attempt is Attempt.HALT:
            raise error_of(reply)
        if attempt is Attempt.WAIT:
            parcel.trial = replace(parcel.trial, errors=parcel.trial.errors - 1)
            return await self._store_away(failure.message, failure.retry_after_s)
        self._decide(parcel, attempt, failure.message, set(failure.ids), stage=failure.stage)
        return Settled(reason="failed")

    def _requeue(self, failed: Parcel) -> None:
        """The failed parcel goes to the front; all behind it are sent again after it (stored points cost nothing)."""
        if failed is self.urgent:
            self.urgent = None
            self.queue.appendleft(failed)
        for parcel in self.queue:
            parcel.recall()

    def _decide(self, parcel: Parcel, attempt: Attempt, reason: str, suspects: set[str], stage: str = "embed") -> None:
        if attempt is Attempt.RETRY:
            parcel.token_budget = smaller(parcel.token_budget)
        elif attempt is Attempt.SPLIT:
            self._split(parcel, suspects)
        elif attempt is Attempt.QUARANTINE:
            self._quarantine(parcel, reason, suspects, stage)

    def _split(self, parcel: Parcel, suspects: set[str]) -> None:
        first, rest = batches.split(parcel.batch, suspects, (self.supervisor.number(), self.supervisor.number()))
        at = self.queue.index(parcel)
        del self.queue[at]
        for part in (rest, first):
            fresh = Parcel(part, parcel.origin, smaller(parcel.token_budget), Trial(len(part.chunks), deaths=1))
            self.queue.insert(at, fresh)
        self.checkpoints.settled(parcel.batch.number)
        log.info("batch.split", batch=parcel.batch.number, chunks=len(parcel.batch.chunks), suspects=len(first.chunks))

    def _quarantine(self, parcel: Parcel, reason: str, suspects: set[str], stage: str) -> None:
        """Drops the bad chunks; the rejects are written with the commit of their file, which a later part may carry."""
        bad = suspects & {chunk.id for chunk in parcel.batch.chunks} or {chunk.id for chunk in parcel.batch.chunks}
        carrier = next(p for p in reversed(self.queue) if p.origin == parcel.origin)
        carrier.batch = batches.reject(carrier.batch, parcel.batch, bad, stage, reason)
        parcel.batch = batches.drop(parcel.batch, bad)
        parcel.trial = Trial(len(parcel.batch.chunks))
        for chunk_id in sorted(bad):
            log.error("chunk.quarantined", id=chunk_id, stage=stage, reason=reason)

    async def _store_away(self, reason: str, retry_after_s: float) -> Settled:
        """The store cannot be reached: let the worker go, so that nothing heavy waits, and say when to look again."""
        self.store_failures += 1
        if self._out_of_patience(self.store_failures):
            raise StoreUnreachable(f"{reason}; tried {self.store_failures} times", hint="what is stored is kept")
        if self.urgent is not None:
            self.queue.appendleft(self.urgent)
            self.urgent = None
        for parcel in self.queue:
            parcel.recall()
        await self.supervisor.recycle(policy.Recycle.STORE)
        wait_s = max(retry_after_s, policy.backoff_s(self.store_failures))
        return Settled(reason=f"store unreachable: {reason}", wait_s=wait_s)

    def _stillborn(self, error: errors.WorkerError) -> Settled:
        """The worker cannot become ready: nobody is blamed, and only a one-shot import gives up."""
        self.boot_failures += 1
        if error.exit_code == errors.USAGE or self._out_of_patience(self.boot_failures):
            raise error
        return Settled(reason=f"worker cannot start: {error.message}", wait_s=policy.backoff_s(self.boot_failures))

    def _out_of_patience(self, failures: int) -> bool:
        return self.patience is not None and failures >= self.patience

    def _check_deadlines(self) -> None:
        head = self.queue[0] if self.queue else self.urgent
        if head is None or head.future is None or self.supervisor.worker is None:
            return
        quiet_s = self.clock() - max(head.sent_s, self.supervisor.worker.child.heard_s)
        if quiet_s > self.deadline_s(head.chars):
            log.error("batch.late", batch=head.batch.number, quiet_s=round(quiet_s, 1))
            self.supervisor.kill(dump=True)
