"""The worker's loop: requests in, batches embedded and stored, receipts out.

It embeds on the main thread, reads ahead on one thread (`Inbox`) and writes to the store on another (`StoreWriter`).
Questions that take little are answered while lanes have runs under way; between two runs it answers all others and lets
an urgent batch go ahead.
"""

from __future__ import annotations

import contextlib
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import msgspec

from importer.errors import ImporterError, UsageError
from importer.protocol import failpoints, wire
from importer.protocol.foreign.arguments import bound
from importer.protocol.outcome import Failure, Receipt
from importer.worker import malloc
from importer.worker.embed import Embedded, embed_chunks, refused, usable, vectors_of
from importer.worker.gauge import Gauge, resident_bytes
from importer.worker.inbox import Inbox
from importer.worker.parallel import Ahead, Urgent, Windows
from importer.worker.plan import StoredPoints, WritePlan, both, looked_up, plan, touching
from importer.worker.questions import ANSWERS
from importer.worker.session import WorkerSession
from importer.worker.store_writer import StoreWriter, WriteJob
from importer.worker.stores import Point, schema
from importer.worker.token_budget import VectorsRefused

BREATH_S = 0.02  # between two pieces of upkeep: a question goes ahead
ASKED_S = 3.0  # after a question others are likely: people read on, agents ask again
IDLE_S = 1.0  # quiet this long: hand memory back and let the store merge its segments
AT_ONCE = {"search", "ping", "missing", "tokens"}


class WorkerServer:
    """Serves one daemon until its input ends. `write` takes one whole frame; `session` opens store and model."""

    def __init__(self, inbox: Inbox, write: Callable[[bytes], object], session: WorkerSession) -> None:
        self._inbox = inbox
        self._write = write
        self._session = session
        self._sending = threading.Lock()
        self._writer = StoreWriter(session.store, self._stored, lambda job, why: self._fail(job.number, "store", why))
        self._ahead = Ahead(self._split)
        self._embedding: frozenset[str] = frozenset()
        self._asked_s = -ASKED_S
        self._urgent = Urgent(inbox.coming, self._answer_at_once, lambda: time.monotonic() - self._asked_s < ASKED_S)
        self._gauge = Gauge()

    def run(self) -> None:
        """Answer requests until end of file; what is embedded by then is stored."""
        self._writer.start()
        wait_s: float | None = IDLE_S
        while not self._inbox.closed:
            item = self._inbox.take(wait_s)
            if item is not None:
                self._serve(*item)
                wait_s = IDLE_S
            elif not self._inbox.closed:
                # One rest in each pause: having rested, the next request is waited for without waking up again.
                wait_s = BREATH_S if self._rest() else None
        self._writer.stop()

    def _rest(self) -> bool:
        """Keep the store in order and give freed memory back to the system; return True while there is more to do."""
        self._writer.settle()
        self._session.rest()
        more = False
        with contextlib.suppress(ImporterError):  # it is tried again in the next pause
            more = self._session.upkeep()
        malloc.trim()
        return more

    def _serve(self, number: int, request: wire.Request) -> None:
        """Serve one request. Errors named here become a `Failed`; any other ends the process, which is a death."""
        try:
            if isinstance(request, wire.Import):
                self._import(number, request)
            elif isinstance(request, wire.Embed):
                self._send(number, self._vectors(number, request))
            elif isinstance(request, wire.Ask):
                self._answer(number, request)
        except (ImporterError, OSError, RuntimeError, ValueError, MemoryError) as error:
            self._fail(number, "ask" if isinstance(request, wire.Ask) else "embed", error)

    def _answer(self, number: int, request: wire.Ask) -> None:
        """Answer a question; all but those of `AT_ONCE` wait for the writes under way first."""
        answer, self._asked_s = ANSWERS.get(request.op), time.monotonic()
        if answer is None:
            raise ValueError(f"unknown question {request.op!r}")
        if request.op not in AT_ONCE:
            self._writer.settle()
        given = dict(request.args)
        also = [str(location) for location in given.pop("also", None) or ()]
        args = bound(answer, given, first=1)
        try:
            with self._session.beside(also) as session:
                frame = wire.encode(number, wire.Answer(answer(session, **args)))
        except (ImporterError, OSError, MemoryError):
            raise
        except (ValueError, OverflowError) as error:  # an id that is none, a number beyond the engine's
            raise UsageError(f"malformed question: {error}") from error
        except Exception as error:  # a bug in one answer must not end the import of all that waits
            traceback.print_exc()
            raise RuntimeError(f"{request.op} failed: {type(error).__name__}: {error}") from error
        if len(frame) > wire.MAX_FRAME_BYTES:
            raise UsageError(f"the answer is larger than {wire.MAX_FRAME_BYTES} bytes", hint="ask for less")
        with self._sending:
            self._write(frame)

    def _import(self, number: int, request: wire.Import) -> None:
        """Embed one batch while others are being stored. `_embedding` has the ids of all, for an urgent one nests."""
        ids = frozenset(chunk.id for chunk in request.chunks) | {release.id for release in request.releases}
        outer, self._embedding = self._embedding, self._embedding | ids
        try:
            self._writer.submit(self._embed(number, request, ids))
        finally:
            self._embedding = outer

    def _embed(self, number: int, request: wire.Import, ids: frozenset[str]) -> WriteJob:
        """Return the write that a batch needs: only chunks that the store does not have are embedded.

        What is left to do at the points that a queued write touches is known once it is done, so they come last: the
        batch that goes on with a file lets go of what the one before left open, and the model need not wait for that.
        News of conversations changes points that are stored, and no others.
        Raises PointsRejected, which names the chunks, for vectors that must not be stored.
        """
        started = time.monotonic()
        later, tells_news = self._writer.touched(ids), self._writer.tells_news
        found = looked_up(self._session.store, sorted(ids - later))
        if tells_news:
            later, found = later | frozenset(found.stored), StoredPoints()
        todo, points, tokens = self._made(number, request, ids - later, found)
        if later:
            self._writer.settle(later)
            found = looked_up(self._session.store, sorted(later))
            rest, more, more_tokens = self._made(number, request, later, found)
            todo, points, tokens = both(todo, rest), [*points, *more], tokens + more_tokens
        seconds = time.monotonic() - started
        changes = (tuple(points), todo.standing, todo.deletes)
        return WriteJob(number, *changes, ids, todo.known, todo.again, tokens, seconds, request.news)

    def _made(
        self, number: int, request: wire.Import, ids: frozenset[str], found: StoredPoints
    ) -> tuple[WritePlan, list[Point], int]:
        """Return what these points of a batch need, the new ones with their vectors, and the tokens embedded for that.

        Those that come with their vectors are not embedded. Raises PointsRejected like `_embed`.
        """
        chunks, releases = touching(request.chunks, request.releases, ids)
        todo = plan(chunks, releases, found.stored, found.payloads, found.unsure)
        given = usable(request.vectors, self._session.dimension) if request.vectors else {}
        points = [schema.point(*one, given[one[0].id]) for one in todo.write if one[0].id in given]
        fresh = [one for one in todo.write if one[0].id not in given]
        order = [chunk.id for chunk, _ in fresh]
        tokens = 0
        try:
            for part in self._runs(number, request, [chunk.text for chunk, _ in fresh], order):
                tokens += part.tokens
                points += [schema.point(*fresh[i], part.vectors[k]) for k, i in enumerate(part.indexes)]
        except VectorsRefused as error:
            raise refused(error, order) from error
        # Nothing is in the model now: a death from here on is none of its chunks' fault.
        self._send(number, wire.Working(()))
        return todo, points, tokens

    def _vectors(self, number: int, request: wire.Embed) -> wire.Vectors:
        """Embed for another worker to store; what is to be stored here is served between two model runs."""
        ids = [id for id, _ in request.texts]
        embedder = self._session.embedder
        self._gauge.loaded()

        def between(indexes: Sequence[int]) -> None:
            self._gauge.look()
            self._between(number, [ids[i] for i in indexes])
            failpoints.hit("embed")
            failpoints.hit("chunk", (request.texts[i][1] for i in indexes))

        budget = request.token_budget or self._session.token_budget
        split = partial(self._ahead.windows, number)
        made = vectors_of(embedder, request, budget, between=between, split=split, urgent=self._urgent)
        self._send(number, wire.Working(()))
        failpoints.hit("vectors")
        return msgspec.structs.replace(made, memory=self._gauge.told(self._session.loaded))

    def _runs(self, number: int, request: wire.Import, texts: list[str], order: list[str]) -> Iterator[Embedded]:
        """Embed, and tell the daemon before each model run which chunks are in it."""
        if not texts:
            return
        # A batch that is tried again may bring a smaller one.
        budget = request.token_budget or self._session.token_budget

        embedder = self._session.embedder
        self._gauge.loaded()

        def between(indexes: Sequence[int]) -> None:
            self._gauge.look()
            self._between(number, [order[i] for i in indexes])
            failpoints.hit("embed")
            failpoints.hit("chunk", (texts[i] for i in indexes))

        split = partial(self._ahead.windows, number)
        yield from embed_chunks(embedder, texts, budget, between=between, split=split, urgent=self._urgent)

    def _between(self, number: int, ids: Sequence[str]) -> None:
        """Let urgent requests go ahead before a model run, then tell the daemon which chunks are next."""
        while (item := self._inbox.take_between(self._fits, ordinary=not self._embedding)) is not None:
            self._serve(*item)
        # The next batch is split meanwhile, if the embedder may be called by several threads at once.
        item = self._inbox.upcoming() if getattr(self._session.embedder, "lanes", 1) > 1 else None
        if item is not None and (texts := _texts(item[1])):
            self._ahead.begin(item[0], texts)
        self._send(number, wire.Working(tuple(ids)))

    def _answer_at_once(self) -> None:
        """Answer questions that take little while runs are under way; all else comes between two of them."""
        while (item := self._inbox.take_between(_at_once, ordinary=False)) is not None:
            self._serve(*item)

    def _split(self, texts: Sequence[str]) -> Windows:
        """Split by the model, which is loaded only when it is needed."""
        return self._session.embedder.split(texts)

    def _fits(self, request: wire.Request) -> bool:
        """Return True if a request may overtake: an urgent batch only batches that it shares no point with.

        Its plan would be made from what the store has now, while the points of the batch under way are on their way
        there.
        """
        if isinstance(request, wire.Import):
            touched = {chunk.id for chunk in request.chunks} | {release.id for release in request.releases}
            return not touched & self._embedding
        return True

    def _stored(self, job: WriteJob, seconds: float) -> None:
        """Send the receipt, on the writer's thread, once the write is durable.

        The job counts as pending until this returns, so the upkeep here overlaps neither that of `_rest`, which settles
        first, nor another write.
        """
        self._session.count(job)
        failpoints.hit("receipt")
        receipt = Receipt(
            batch=job.number,
            points=len(job.points),
            known=job.known,
            tokens=job.tokens,
            total=self._session.points,
            rss_bytes=resident_bytes(),
            embed_s=job.embed_s,
            store_s=seconds,
            memory=self._gauge.told(self._session.loaded),
        )
        self._send(job.number, wire.Done(receipt))
        try:
            self._session.rest()  # a backlog makes no pause in which it could be done
            self._session.upkeep()
            self._gauge.look()
        except ImporterError:
            pass  # a full disk is told by the next write
        except Exception:  # of a plug-in's store: it must not end this thread, whose end would not be noticed
            traceback.print_exc()

    def _fail(self, number: int, stage: str, error: Exception) -> None:
        """Send a failure; an error that is none of ours may be an accident, so it counts as retryable."""
        known = error if isinstance(error, ImporterError) else None
        failure = Failure(
            batch=number,
            stage=stage,
            kind=type(error).__name__,
            message=str(error),
            retryable=known.retryable if known else True,
            ids=getattr(error, "ids", ()),
            retry_after_s=getattr(error, "retry_after_s", 0.0),
        )
        exit_code = known.exit_code if known else 1  # what a one-shot import ends with, if it has to
        self._send(number, wire.Failed(failure, exit_code, known.hint if known else ""))

    def _send(self, number: int, reply: wire.Reply) -> None:
        """Send one whole frame at a time: two threads send."""
        with self._sending:
            self._write(wire.encode(number, reply))


def _at_once(request: wire.Request) -> bool:
    """Return True for a question that waits for no write."""
    return isinstance(request, wire.Ask) and request.op in AT_ONCE


def _texts(request: wire.Request) -> list[str]:
    """Return the texts that a request has embedded, as far as can be told before the store is asked."""
    if isinstance(request, wire.Embed):
        return [text for _, text in request.texts]
    return [chunk.text for chunk in request.chunks] if isinstance(request, wire.Import) and not request.vectors else []
