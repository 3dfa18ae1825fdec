"""What can be done about the quarantine while a daemon works: rows are marked when nothing is in flight.

A row that is to be tried again makes its file be read from the start. Beside a batch that would go wrong: its commit
would put the checkpoint back behind the line, and the row would count as done without having been read.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from importer.delivery.engine import Engine
from importer.errors import ImporterError, TryAgainLater, UsageError
from importer.service.control import Answer
from importer.state.checkpoints import Checkpoints
from importer.state.quarantine import Quarantine

QUIET_S = 60.0  # for the batches in flight to settle; below what a client of the control socket waits


def answers(engine: Engine) -> Mapping[str, Answer]:
    """The operations for the control socket; `ids` None means all.

    Dropping needs no quiet: it touches no checkpoint, so a commit beside it does no harm.
    """

    async def failures_retry(ids: Sequence[int] | None = None) -> Mapping[str, Any]:
        done: Mapping[str, Any] = await when_quiet(engine, lambda: retry(engine.checkpoints, ids))
        engine.hint(os.fsencode(path) for path in done["paths"])
        return done

    async def failures_drop(ids: Sequence[int] | None = None) -> Mapping[str, Any]:
        return drop(engine.checkpoints, ids)

    return {"failures_retry": failures_retry, "failures_drop": failures_drop}


def retry(checkpoints: Checkpoints, ids: Sequence[int] | None) -> dict[str, Any]:
    """Marks the rows; their files are read from the start by the next import, which embeds nothing twice.

    Raises UsageError, before anything is changed, for ids that are unknown.
    """
    refuse_unknown(checkpoints.quarantine, ids)
    rows = checkpoints.quarantine.count(ids)
    paths = checkpoints.quarantine.retry(ids)
    return {"rows": rows, "paths": [os.fsdecode(path) for path in paths]}


def drop(checkpoints: Checkpoints, ids: Sequence[int] | None) -> dict[str, Any]:
    """Forgets the rows; the lines stay passed over. Raises UsageError, as `retry` does."""
    refuse_unknown(checkpoints.quarantine, ids)
    return {"rows": checkpoints.quarantine.drop(ids)}


def refuse_unknown(quarantine: Quarantine | None, ids: Sequence[int] | None) -> None:
    """Raises UsageError for ids that are not in quarantine: a slip must not look like a success. None means all."""
    unknown = [str(number) for number in ids or () if not (quarantine and quarantine.count([number]))]
    if unknown:
        raise UsageError(f"not in quarantine: {', '.join(unknown)}", hint="`importer failures` shows what is")


async def when_quiet(engine: Engine, action: Callable[[], Any], *, timeout_s: float = QUIET_S) -> Any:
    """What `action` returns or raises, done by the engine between two batches. Raises TryAgainLater."""
    done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def act() -> None:
        if done.done():  # whoever asked was told that nothing was changed, and so it stays
            return
        try:
            done.set_result(action())
        except ImporterError as error:
            done.set_exception(error)

    engine.when_quiet.append(act)
    engine.wake.set()
    try:
        return await asyncio.wait_for(done, timeout_s)
    except TimeoutError:
        held = engine.run.holding or "the batches in flight take long"
        raise TryAgainLater(f"nothing was changed: {held}", hint="try again in a minute") from None
