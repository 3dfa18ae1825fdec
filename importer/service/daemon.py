"""The daemon's life: start, watch, import, answer, rest, end. What is decided stands elsewhere; here it is wired.

signals ─► flags          watch ─► engine.hint / reconcile          every second ─► tick (watchdog, grace)
control socket ─► answers while the engine works, between two model runs of the warm worker
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from importer.consistency import leads, places, shadows
from importer.consistency.hands import Hands
from importer.delivery.engine import Engine
from importer.delivery.progress import RateWindow
from importer.errors import DONE, TRY_AGAIN, StateUnwritable, TryAgainLater
from importer.log import logger
from importer.memory.guard import Guard
from importer.protocol.foreign.arguments import converted
from importer.protocol.worker_settings import EmbedSettings
from importer.service import questions, watchdog
from importer.service.backlog_job import BacklogJobs
from importer.service.control import Answer, Control
from importer.service.identity import model_of
from importer.service.maintenance import Maintenance, when_quiet
from importer.service.status import status
from importer.service.watchdog import Notify
from importer.sources import events, watch

log = logger()

TICK_S = 1.0
REST_S = 10.0  # a tick while there is nothing to do; far below STUCK_S
AGAIN_S = 60.0  # before stored points are moved again, after a try that failed
STUCK_S = 120.0  # no turn of the loop for this long: the watchdog is not fed any more


async def no_model(_embed: EmbedSettings) -> None:
    """Leave the worker as it is."""


@dataclass(slots=True)
class Daemon:
    """One daemon; `run` returns its exit code. `reread` reads the settings again and applies them, for SIGHUP;
    `use_model` gives the worker another model.

    `ends_why` is the signal's name, or "memory" for its own limit; `paused_by` is the reason of a pause, "" for none.
    Seconds are monotonic; `stopping_since_s` is 0 until it is told to end.
    """

    engine: Engine
    state_dir: str
    grace_s: float
    timing: events.Timing
    polling: bool
    guard: Guard
    reread: Callable[[], None] = lambda: None
    use_model: Callable[[EmbedSettings], Awaitable[None]] = no_model
    notify: Notify = field(default_factory=Notify)
    mode: events.Mode = field(default_factory=lambda: events.Mode("events"))
    stopping_since_s: float = 0.0
    ends_why: str = ""
    paused_by: str = ""
    serves: Mapping[str, str] = field(default_factory=dict)  # its store and model, see `identity`
    preparing: str = ""  # what must be there before reading begins
    rate_window: RateWindow = field(default_factory=RateWindow)
    _stepped_s: float = field(default_factory=time.monotonic)
    _maintenance: Maintenance = field(init=False)
    _control: Control = field(init=False)
    _rescanning: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)  # ends the rest between two ticks

    def __post_init__(self) -> None:
        self._maintenance = Maintenance(self.engine, self._pause, self._resume, lambda: bool(self.paused_by))

    async def run(self) -> int:
        """Import until told to end, or until the daemon's memory limit is reached (exit 75 for the restart policy)."""
        control = self._control = Control(self.state_dir, self.answers(), serves=self.serves)
        self.guard.leave = self._exit_for_restart
        self.engine.rest_while(lambda: bool(self.paused_by or self.preparing or self._maintenance.erasing))
        self._signals()
        self.engine.recover()  # before anything is sent: what the last run died with may have to go by itself
        await control.start()
        self._maintenance.erase()  # what a kill has left undone
        tasks = [asyncio.ensure_future(coroutine) for coroutine in self._works()]
        for task in tasks:
            task.add_done_callback(lambda _: self.engine.wake_up())
        try:
            await self._work(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await control.stop()
            watchdog.rest()
            await self.engine.close()
            self.guard.flush()  # how the last worker ended
        log.info("daemon.stopped", reason=self.ends_why)
        return TRY_AGAIN if self.ends_why == "memory" else DONE

    async def _work(self, tasks: Sequence[asyncio.Future[None]]) -> None:
        """Step until told to end and all in flight is settled. Raises what ended one of the tasks."""
        engine = self.engine
        while not (engine.is_stopping and not engine.has_work()):
            await engine.step()
            self._stepped_s = time.monotonic()
            for task in tasks:
                if task.done():
                    task.result()  # a task of ours never ends by itself: raise what ended it
            if engine.is_idle:
                self._maintenance.erase()  # what conversations asked for that are not to be indexed
                await engine.sleep(watch_s(engine.is_stopping))

    async def _watch(self) -> None:
        """Take in what the watcher reports; begin again when the roots have changed."""
        while True:
            roots = self.engine.roots
            async with aclosing(watch.watch_events(roots, timing=self.timing, polling=self.polling)) as stream:
                async for event in stream:
                    await self._woken(event)
                    if self.engine.roots != roots:  # a re-read of the settings has changed them
                        break

    async def _woken(self, woken: events.WatchEvent) -> None:
        """Hint at the paths that changed; rescan for any other event."""
        if isinstance(woken, events.Changed):
            self.engine.hint(woken.paths)
        elif isinstance(woken, events.Mode):
            self.mode = woken
            log.info("watch.mode", mode=woken.name, reason=woken.reason)
        else:
            await self.rescan(woken.reason, woken.roots)

    async def rescan(self, reason: str, paths: frozenset[bytes] = frozenset()) -> int:
        """Look at all files of the named roots, or of all roots; return how many there are."""
        async with self._rescanning:
            started_s = time.monotonic()
            roots = [root for root in self.engine.roots if not paths or root.path in paths]
            try:
                files = await self.engine.reconcile(roots, elsewhere=not paths)
            except StateUnwritable as error:  # the next look comes anyway
                log.warning("rescan.failed", reason=error.message)
                return 0
        seconds = round(time.monotonic() - started_s, 3)
        log.debug("rescan.done", reason=reason, files=files, pending=self.engine.pending_files, seconds=seconds)
        self.notify.say("READY=1", f"STATUS={files} files, {self.engine.pending_files} pending")
        return files

    async def _tick(self) -> None:
        """Note rates, feed the watchdog and check the grace: every second, seldom while idle."""
        rest_s = min(REST_S, self.notify.watchdog_s / 2 or REST_S)  # as sd_watchdog_enabled(3) asks
        while True:
            resting = self.engine.is_idle and not self.stopping_since_s
            await events.wait_for_event(self._stopped, rest_s if resting else TICK_S)
            self._stopped.clear()
            self.rate_window.add(time.monotonic(), self.engine.run)
            self._feed_watchdog()
            self._check_grace()

    def _works(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """Return what goes on beside the import for as long as the daemon lives."""
        return self._watch(), self._tick(), self._catch_up(), self.guard.run()

    async def _catch_up(self) -> None:
        """Bring what earlier versions or rules stored up to date, now and again while nothing is imported."""
        engine = self.engine
        while True:
            await asyncio.sleep(REST_S)
            if engine.is_idle and not (self.stopping_since_s or self.paused_by or self.preparing):
                busy = lambda: not engine.is_idle or engine.is_stopping or bool(self.paused_by)  # noqa: E731
                tidy = await shadows.catch_up(engine.ask, engine.checkpoints, stop=busy)
                tidy &= await places.catch_up(engine.ask, engine.checkpoints, engine.reading, stop=busy)
                hands = Hands(engine.checkpoints, engine.reading, engine.ask, lambda act: when_quiet(engine, act))
                if not await leads.catch_up(hands, stop=busy) or not tidy:
                    await asyncio.sleep(AGAIN_S)

    def _feed_watchdog(self) -> None:
        """Feed the watchdogs while the loop makes progress: a daemon that hangs is to be restarted."""
        if time.monotonic() - self._stepped_s < STUCK_S:
            watchdog.feed(STUCK_S)
            if self.notify.watchdog_s:
                self.notify.say("WATCHDOG=1")

    def _check_grace(self) -> None:
        """Keep only the batch at the head after half of the grace. Raises TryAgainLater when all of it is over."""
        waited_s = time.monotonic() - self.stopping_since_s if self.stopping_since_s else 0.0
        if waited_s > self.grace_s / 2:
            self.engine.keep_head_only()
        if waited_s > self.grace_s:
            log.warning("daemon.grace_over", then="the batch in flight is imported again at the next start")
            raise TryAgainLater("the drain took longer than the grace period; everything committed is kept")

    def _signals(self) -> None:
        """Have the loop take signals like any other event: no handler runs between two lines that do not wait."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop, signal.Signals(number).name)
        loop.add_signal_handler(signal.SIGHUP, self._reread)

    def stop(self, why: str) -> None:
        """Drain and commit at the first call, end at once at the second; what was committed is kept either way."""
        if self.engine.is_stopping:
            self.engine.kill_worker()
            log.warning("daemon.ended_at_once", reason=why)
            os._exit(TRY_AGAIN if self.ends_why == "memory" else 128 + signal.SIGTERM)
        files = len({commit.checkpoint.path for commit in self.engine.snapshot().in_flight})
        then = f"what is in flight of {files} files is stored first; once more ends it at once" if files else "end"
        log.info("daemon.stopping", reason=why, files_in_flight=files, then=then)
        self.notify.say("STOPPING=1")
        self.ends_why = why
        self.stopping_since_s = time.monotonic()
        self._stopped.set()
        self.engine.stop()

    def _exit_for_restart(self, reason: str) -> None:
        """End because the daemon has grown too large, with the exit code that asks for a restart. Twice is once."""
        if not self.engine.is_stopping:
            log.warning("daemon.left", reason=reason, then="drain, commit, exit 75")
            self.stop("memory")

    def _reread(self) -> None:
        """Read the settings again and tell the service manager; RELOADING=1 wants the time (sd_notify(3))."""
        self.notify.say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        self.reread()
        self.notify.say("READY=1")

    def answers(self) -> Mapping[str, Answer]:
        """Return the answers of the control socket, by operation."""
        jobs = BacklogJobs(self.engine, self._rescanning, self._held_by, self.guard.look)
        return {
            "ping": self._ping,
            **questions.answers(self.engine.ask),
            "status": self._status,
            "pause": self._pause,
            "resume": self._resume,
            "import": jobs.start,
            "progress": jobs.progress,
            "use_model": self._use_model,
            **self._maintenance.answers(),
        }

    async def _use_model(self, embed: Mapping[str, Any]) -> Mapping[str, Any]:
        """Have the worker give way to one with another model, with which the store was embedded anew."""
        chosen = converted(embed, EmbedSettings)
        await self.use_model(chosen)
        self.serves = {**self.serves, **model_of(chosen)}
        self._control.serve(self.serves)
        if self.guard.forecasts is not None:
            self.guard.forecasts.begin_anew(chosen.model)
        return {"pid": os.getpid()}

    def state(self) -> tuple[str, str]:
        """Return the word for what it does, and the reason."""
        owed = status.owed(self.engine.checkpoints)
        return status.state_of(self.engine.snapshot(), self.paused_by, self.preparing, owed)

    async def _ping(self) -> Mapping[str, Any]:
        """Answer that the loop turns, and with its pid: all that a health check wants to know."""
        return {"pid": os.getpid()}

    async def _status(self) -> Any:
        """Answer from what this process knows, without a question to the worker, which may hang."""
        return status.of_daemon(
            self.engine.snapshot(),
            self.engine.checkpoints,
            self.mode,
            self.paused_by,
            waits_for=self.preparing,
            rates=self.rate_window.rates(),
        )

    def _held_by(self) -> str:
        """Return why nothing moves, "" when it does."""
        reason = self.state()[1]
        paused = f"the daemon is paused ({reason}); `importer resume` ends that"
        return paused if reason == self.paused_by != "" else reason

    async def _pause(self, reason: str = "asked to") -> Mapping[str, Any]:
        """Begin nothing new. What is in flight is settled all the same."""
        self.paused_by = reason
        return {"paused": True}

    async def _resume(self) -> Mapping[str, Any]:
        """Go on after any pause but one for memory, which the governor ends."""
        self.paused_by = ""
        self.engine.wake_up()
        return {"paused": False}


def watch_s(stopping: bool) -> float:
    """Return how long an idle loop sleeps unless it is woken: it has nothing to poll."""
    return 0.05 if stopping else 30.0
