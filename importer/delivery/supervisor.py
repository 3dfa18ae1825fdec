"""The owner of at most one worker: it starts it, talks to it, ends it, and tells planned ends from crashes."""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

from msgspec import structs

from importer import errors
from importer.delivery import policy
from importer.delivery.policy import Recycle
from importer.delivery.process import Child, Ended, Standby
from importer.delivery.progress import WorkerStats
from importer.errors import ImporterError, WorkerDied, WorkerError
from importer.log import logger
from importer.protocol import wire
from importer.protocol.system.workers_lock import WorkersLock
from importer.protocol.worker_settings import StoreSettings, WorkerSettings, addresses

log = logger()

STANDBY_FILES = 10  # of work are left when the next worker is started: they take a second, as its start does
STOP_S = 5.0  # the store is flushed with every batch, so ending is quick


@dataclass(frozen=True, slots=True)
class Launch:
    """What a worker is started with: its command, its environment, its first frame.

    `standby`: there is room for the next one beside it, which imports what it needs and loads no model before the end
    of this one. `lock` is held by all workers of this process, and waited for by those of the next.
    """

    environ: Mapping[str, str]
    settings: WorkerSettings
    command: tuple[str, ...] = (sys.executable, "-P", "-m", "importer.worker")  # -P: no code from the current folder
    standby: bool = False
    lock: WorkersLock | None = None

    async def spawn(self) -> Child:
        """Start a worker. Raises OSError, and StoreUnreachable while another process's worker ends."""
        if (lock := self.lock) is None:
            return await Child.spawn(self.command, self.environ)
        held = await lock.enter()
        try:
            child = await Child.spawn(self.command, self.environ, held)
        except BaseException:
            lock.leave()
            raise
        child.ended.add_done_callback(lambda _: lock.leave())
        return child

    def embedding(self) -> Launch:
        """Return the launch of a worker that opens no store and only embeds."""
        return replace(self, command=(*self.command, "embeds"), standby=False)

    def offline(self) -> Launch:
        """Return the launch of a worker that fetches no model."""
        embed = structs.replace(self.settings.embed, offline=True)
        return replace(self, settings=structs.replace(self.settings, embed=embed))


@dataclass(slots=True)
class Worker:
    """The living worker and its counters.

    `born_s` is monotonic; `lifetime_files` 0 means for ever. `planned` is set before it is told to end, so that its
    exit is not taken for a crash.
    """

    child: Child
    ready: wire.Ready
    born_s: float
    lifetime_files: int
    files: int = 0
    batches: int = 0
    planned: Recycle | None = None


MOST_PATIENCE = 16  # times `boot_s`


@dataclass
class Supervisor:
    """At most one worker. `clock` is monotonic seconds, `draw` a random number in 0..1.

    Starting and ending hold the same lock, so no worker opens its store beside one that is still ending: an embedded
    one takes no second opener. Deaths are noted by a callback, before those who wait hear of them.

    `boot_s` is how long a worker may take to become ready (a cold disk, a large model); the next one gets twice as
    long, up to sixteen times, so that a slow but sound start ends on the busiest machine, too. `accept` looks at what a
    fresh worker says of its store and raises what must keep it from being used.
    """

    launch: Launch
    _: KW_ONLY
    recycle_files: int
    boot_s: float
    clock: Callable[[], float] = time.monotonic
    draw: Callable[[], float] = random.random
    accept: Callable[[wire.Ready], None] = lambda _ready: None
    stats: WorkerStats = field(default_factory=WorkerStats)
    worker: Worker | None = None
    started: asyncio.Event = field(default_factory=asyncio.Event)  # at every start; the guard rests while there is none
    backlog: bool = False  # whether a large one is under way; a fresh worker is told
    judged_bytes: int = 0  # of the worker's last sample, where several share the counters
    last_working: tuple[str, ...] = ()  # what was in the model when the last worker died
    _standby: Standby = field(default_factory=Standby)
    _warm_up_files: int = 0  # files in flight for a worker that is not there yet
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))  # 0 is that of the settings
    _slow_starts: int = 0  # in a row, each with no answer in its time
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _dumping: asyncio.Future[None] | None = None
    _beside: asyncio.Future[Any] | None = None  # the start of a successor

    def number(self) -> int:
        """Return a fresh number for a batch or a question."""
        return next(self._numbers)

    async def ready(self, *, preload: bool = True) -> Worker:
        """Return the living worker; start one if there is none. Raises WorkerError, StoreRefused, or what is away."""
        async with self._starting:
            if self.worker is None or self.worker.child.ended.done():
                self.worker = await self._start(preload)
                self.started.set()
                if self._warm_up_files:
                    self.warm_up(self._warm_up_files)
            return self.worker

    def room(self, files: int) -> int:
        """Return how many more files the worker may get while so many are in flight."""
        lifetime = self.worker.lifetime_files if self.worker is not None else self.recycle_files
        return lifetime - files - (self.worker.files if self.worker is not None else 0) if lifetime else sys.maxsize

    def warm_up(self, files: int) -> None:
        """Start the next worker if `files` in flight nearly complete the life of this one and more are to come.

        While this one is still starting, that is decided when it is ready.
        """
        worker, self._warm_up_files = self.worker, files if self.worker is None else 0
        if (
            self.launch.standby
            and worker is not None
            and 0 < worker.lifetime_files <= worker.files + files + STANDBY_FILES
        ):
            configure = wire.Configure(self.launch.settings, standby=True)
            self._standby.prepare(self.launch.spawn, configure)

    async def ask(self, op: str, /, **args: Any) -> Any:
        """Return the answer to one question, from the living worker or a fresh one. Raises what the worker reports."""
        question = wire.question(op, args)
        try:
            reply = await (await self.ready(preload=False)).child.ask(self.number(), question)
        except WorkerDied:  # of what it was importing, most likely; a question is free to ask again
            reply = await (await self.ready(preload=False)).child.ask(self.number(), question)
        if isinstance(reply, wire.Answer):
            return reply.value
        raise error_of(reply)

    async def canary(self, seconds: float) -> bool:
        """Return whether a worker lives for so long while it embeds a harmless text."""
        try:
            reply = await (await self.ready()).child.ask(self.number(), wire.Ask("canary", {"seconds": seconds}))
        except ImporterError:
            return False
        return isinstance(reply, wire.Answer)

    async def post(self, number: int, message: wire.Import | wire.Embed) -> asyncio.Future[wire.Reply]:
        """Send a batch; return the future of its reply, which fails with WorkerDied."""
        worker = await self.ready()
        return worker.child.post(number, message)

    async def recycle(self, reason: Recycle, *, successor: bool = False) -> None:
        """End the worker on purpose, when nothing is in flight.

        `successor`: the next one is needed at once, and starts while the caller goes on. Who needs it waits for it, and
        tries again if that start failed.
        """
        async with self._starting:  # an embedded store has one opener: the next worker waits for the end of this one
            worker, self.worker = self.worker, None
            if not successor:
                await self._standby.dismiss(STOP_S)
            if worker is None or worker.child.ended.done():
                return
            worker.planned = reason  # before it is told, or its exit would count as a crash
            self.stats.recycles[str(reason)] += 1
            self._ended(worker, str(reason))
            ended = await worker.child.stop(STOP_S)
        log.info("worker.recycled", reason=str(reason), pid=worker.child.pid, files=worker.files, status=ended.status)
        if successor:
            self._beside = asyncio.gather(self.ready(), return_exceptions=True)

    def kill(self, *, dump: bool = False) -> None:
        """Kill the worker, with `dump` after it wrote its stacks; what it had in flight fails with WorkerDied."""
        if self.worker is None:
            return
        if dump:
            self._dumping = asyncio.ensure_future(self.worker.child.dump_and_kill())
        else:
            self.worker.child.kill()

    async def _start(self, preload: bool) -> Worker:
        """Start a worker, have it open its store, and accept that store.

        Raises what the worker reports, what `accept` refuses, and WorkerError for silence or death. No process is left
        behind then.
        """
        self.stats.spawns += 1
        started_s = self.clock()
        try:
            child = await self._standby.adopt() or await self.launch.spawn()
        except OSError as error:
            self.stats.boot_failures += 1
            hint = "memory, processes or open files are short; `importer doctor` says more"
            raise WorkerError(f"no worker can be started: {error.strerror or error}", hint=hint) from error
        try:
            configure = wire.Configure(self.launch.settings, preload=preload, backlog=self.backlog)
            patience_s = self.boot_s * min(2**self._slow_starts, MOST_PATIENCE) + _opening_s(self.launch.settings.store)
            reply = await asyncio.wait_for(child.ask(0, configure), patience_s)
            self._slow_starts = 0
        except TimeoutError as error:
            self._slow_starts += 1
            raise await self._boot_failed(child, f"no answer in {patience_s:g} s") from error
        except WorkerDied as error:
            raise await self._boot_failed(child, str(error)) from error
        except asyncio.CancelledError:
            child.kill()
            raise
        if not isinstance(reply, wire.Ready):
            await child.stop(STOP_S)
            self.stats.boot_failures += 1
            raise error_of(reply)
        try:
            self.accept(reply)
        except ImporterError:
            await child.stop(STOP_S)
            raise
        worker = Worker(child, reply, self.clock(), policy.lifetime_files(self.recycle_files, self.draw()))
        child.ended.add_done_callback(lambda done: self._on_exit(worker, done.result()))
        log.info("worker.started", pid=child.pid, points=reply.points, seconds=round(self.clock() - started_s, 3))
        return worker

    async def _boot_failed(self, child: Child, reason: str) -> WorkerError:
        """Kill a worker that gave no answer to its settings; return the error, with its last prints."""
        self.stats.boot_failures += 1
        child.kill()
        ended = await child.ended
        return WorkerError(
            f"the worker cannot start: {reason}; it last said: {ended.stderr_tail or 'nothing'}",
            hint="run `importer doctor`; the log at level debug has all it printed",
        )

    def _on_exit(self, worker: Worker, ended: Ended) -> None:
        """Count the end of a worker. Only one that was not planned is a crash."""
        if worker.planned is not None:
            return
        self.stats.crashes += 1
        self._ended(worker, f"crash: {ended.cause}")
        self.last_working = ended.working  # those that take in the death need it next
        if self.worker is worker:
            self.worker = None
        log.warning("worker.died", pid=worker.child.pid, cause=ended.cause, stderr=ended.stderr_tail)

    def _ended(self, worker: Worker, reason: str) -> None:
        """Note an end for the history."""
        lived_s = self.clock() - worker.born_s
        judged_bytes = self.judged_bytes or self.stats.judged_bytes
        self.stats.note_ending((time.time(), reason, worker.child.pid, worker.files, judged_bytes, lived_s))


def _opening_s(store: StoreSettings) -> float:
    """Return how long a worker may wait for its store: servers that hang cost a time-out each, which it then tells."""
    return store.timeout_s * sum("://" in url for url in addresses(store.location))


def error_of(reply: wire.Reply) -> ImporterError:
    """Return the exception that a `Failed` reply stands for."""
    if not isinstance(reply, wire.Failed):
        return WorkerError(f"unexpected reply: {type(reply).__name__}")
    failure, hint = reply.failure, reply.hint
    if failure.kind == errors.ModelError.__name__:
        return errors.ModelError(failure.message, hint=hint)
    if failure.kind == errors.EmbedUnreachable.__name__:
        return errors.EmbedUnreachable(failure.message, retry_after_s=failure.retry_after_s, hint=hint)
    if reply.exit_code == errors.StoreUnreachable.exit_code:
        return errors.StoreUnreachable(failure.message, retry_after_s=failure.retry_after_s, hint=hint)
    if reply.exit_code == errors.StoreRefused.exit_code:
        return errors.StoreRefused(failure.message, hint=hint)
    error = WorkerError(failure.message, hint=hint)
    error.exit_code = reply.exit_code
    return error
