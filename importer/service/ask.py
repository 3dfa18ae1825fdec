"""The one way to ask about what is stored: an `Asker` finds the process that answers, or starts it.

    run, backlog or an answerer ◄─ control.sock ─ Asker        none there ─► start an answerer, ask again

A question changes nothing, so it is asked again while the process that answers is killed, replaced or taken over, until
its time is over. A store or a model that this client was given, and the process does not have, is never ignored.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from importer.errors import ImporterError, StateError, TryAgainLater, UsageError
from importer.service import client
from importer.service.client import ANSWER_S, OtherSettings
from importer.service.identity import STORE, identity
from importer.service.questions import SPANNING
from importer.settings.load import MIGRATED, Settings

if TYPE_CHECKING:
    from importer.settings.load import Loaded

MOST_DEATHS = 8  # of workers, on one question
FIRST_WAIT_S, MOST_WAIT_S = 0.02, 0.25  # between two tries
STATE_FILE = "checkpoints.sqlite3"  # what makes a directory a state; see `state.open_database`


class _Elsewhere(Exception):
    """The question is for a worker of this process."""


class Asker:
    """One client of one state. `given` are the dotted names of the settings that its user chose."""

    def __init__(self, settings: Settings, given: Collection[str] = ()) -> None:
        self.settings = settings
        self._identity = identity(settings)
        self._wants = {"wants": dict(self._identity), "given": sorted(set(given) & set(self._identity))}

    @classmethod
    def of(cls, loaded: Loaded) -> Asker:
        """Return the client for settings as they were loaded."""
        return cls(
            loaded.settings, [name for name, origin in loaded.origins.items() if origin not in {"default", MIGRATED}]
        )

    def ask(self, op: str, *, timeout_s: float = ANSWER_S, **args: Any) -> Any:
        """Return the answer to one question. Raises what the worker reports, and TryAgainLater after `timeout_s`.

        Raises StateError where there is no state: to look makes none.
        """
        args = self._beside(op, args)
        try:
            return self._shared(op, timeout_s, args)
        except _Elsewhere:
            import asyncio  # noqa: PLC0415  what another process answers needs no loop

            with self._alone(timeout_s):
                return asyncio.run(ask_own_worker(self.settings, op, **args))

    def warm_up(self) -> None:
        """Have a process answer, with its model loaded, where none does; what fails is told by the first question."""
        if self.has_state:
            with contextlib.suppress(ImporterError, OSError, _Elsewhere):
                if self._find():
                    self._shared("tokens", ANSWER_S, {"texts": [""]})

    async def ask_beside_others(self, op: str, *, timeout_s: float = ANSWER_S, **args: Any) -> Any:
        """Return the same from within a running loop, without holding it up."""
        import asyncio  # noqa: PLC0415

        args = self._beside(op, args)
        try:
            return await asyncio.to_thread(self._shared, op, timeout_s, args)
        except _Elsewhere:
            alone = self._alone(timeout_s)
            await asyncio.to_thread(alone.__enter__)
            try:
                return await ask_own_worker(self.settings, op, **args)
            finally:
                alone.__exit__(None, None, None)

    def _beside(self, op: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments, with the further stores of the settings where the question may be put to them."""
        also = self.settings.search.also
        spans = op in SPANNING or bool(args.get("elsewhere"))
        return {**args, "also": list(also)} if also and spans else dict(args)

    def _shared(self, op: str, timeout_s: float, args: Mapping[str, Any]) -> Any:
        """Return the answer of the process that answers for this state. Raises _Elsewhere where there can be none."""
        self._check_state()
        end_s, wait_s, deaths = time.monotonic() + timeout_s, FIRST_WAIT_S, 0
        while True:
            left_s = max(0.1, end_s - time.monotonic())
            try:
                return client.ask_daemon(self.settings.state_dir, op, timeout_s=left_s, wants=self._wants, **args)
            except (TimeoutError, ConnectionError, OtherSettings) as error:
                if self._mended(error):
                    continue
            except ImporterError as error:
                deaths += 1
                if not error.retryable or deaths > MOST_DEATHS:
                    raise
            if time.monotonic() >= end_s:
                raise self._held()
            time.sleep(wait_s)
            wait_s = min(MOST_WAIT_S, wait_s * 2)

    def _mended(self, error: Exception) -> bool:
        """Do what an unanswered question asks for; return True when it can be asked again at once."""
        if isinstance(error, TimeoutError):
            raise _too_long(self.settings.state_dir) from error
        if isinstance(error, OtherSettings):
            self._replace(error)
            return False
        return self._find()

    @property
    def has_state(self) -> bool:
        """Whether anything was ever imported under these settings."""
        return os.path.exists(os.path.join(self.settings.state_dir, STATE_FILE))

    def _check_state(self) -> None:
        """Raise StateError where nothing was ever imported, _Elsewhere for a store that needs no state of ours.

        Raises StateError for a folder that others can write to, too: its socket may be theirs, and so the answers.
        """
        if self.has_state:
            from importer.state import lock  # noqa: PLC0415  light, and no client without a state needs it

            lock.refuse_shared(self.settings.state_dir)
            return
        folder, location = self.settings.state_dir, self.settings.store.location
        if location != "edge" and ("://" in location or os.path.exists(self._identity["store.location"])):
            raise _Elsewhere
        raise no_state(folder)

    def _find(self) -> bool:
        """Start an answerer when no process has the state; return True when one can be asked now."""
        from importer.service import answerer_launch  # noqa: PLC0415  not needed where one answers
        from importer.state import lock  # noqa: PLC0415

        if lock.holder(self.settings.state_dir) is not None:
            return False  # it is beginning or ending, or a command that answers nothing
        try:
            return answerer_launch.start(self.settings)
        except answerer_launch.NoSocketError as error:
            raise _Elsewhere from error

    def _replace(self, other: OtherSettings) -> None:
        """Have an answerer with other settings end. Beside a daemon or an import, raise _Elsewhere or UsageError."""
        if other.yields:
            with contextlib.suppress(ConnectionError, TimeoutError):
                client.ask_daemon(self.settings.state_dir, client.YIELD, timeout_s=5.0)
            return
        if set(other.served) & set(STORE):
            raise _Elsewhere
        told = ", ".join(f"{name} = {value}" for name, value in other.served.items())
        asked = ", ".join(f"{name} = {self._identity[name]}" for name in other.served)
        hint = "leave that setting away, or stop the running import first"
        raise UsageError(f"the store is open with {told}, and this asks for {asked}", hint=hint)

    def _held(self) -> ImporterError:
        """Return the error for a state whose holder answers no questions."""
        from importer.state import lock  # noqa: PLC0415

        who = lock.holder(self.settings.state_dir)
        name = f"process {who.pid} ({who.command})" if who and who.pid else "another process"
        told = f"{name} has the state {self.settings.state_dir} and answers no questions meanwhile"
        return TryAgainLater(told, hint="wait until it has ended, then ask again; nothing was changed")

    def _alone(self, timeout_s: float) -> Any:
        """Return the context in which this process has a worker of its own, one at a time where there is a state."""
        from importer.service import answerer_launch  # noqa: PLC0415

        return answerer_launch.alone(self.settings.state_dir, timeout_s)


def no_state(folder: str) -> StateError:
    """Return the error for a directory in which nothing was ever imported: to look at it makes no state."""
    hint = "`importer backlog` imports what there is, and makes one; --state-dir names another"
    return StateError(f"there is no state at {folder}", hint=hint)


def _too_long(state_dir: str) -> TryAgainLater:
    """Return the error for a process that is there and does not answer."""
    hint = "its log says what it does; `kill -USR2` of its worker prints the worker's stack"
    return TryAgainLater(f"the process that has {state_dir} does not answer in time", hint=hint)


async def ask_own_worker(settings: Settings, op: str, **args: Any) -> Any:
    """Start a worker, return its answer to one question, and end it. Raises what the worker reports."""
    from importer.service.launch import own_worker  # noqa: PLC0415  brings the supervisor and asyncio

    async with own_worker(settings, beside=True) as worker:
        return await worker.ask(op, **args)
