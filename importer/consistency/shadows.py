"""Take prompts of a prompt history out of the store once the conversation that they were typed in is there as well.

An import leaves out what is known already. What becomes known later, or at the same time, is found here by what the
state says of both: each step may be repeated, so a kill at any place costs nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from importer import formats
from importer.errors import ImporterError, UsageError
from importer.formats._shared.turns import since_1970
from importer.log import logger
from importer.protocol import failpoints
from importer.state.checkpoints import Checkpoints
from importer.state.spoken import Repeated

SHADOWS = ("claude-history",)
Ask = Callable[..., Awaitable[Any]]


def original_of(source: str) -> str:
    """Return the format whose prompts one repeats, "" for none, or for a format that is not there any more."""
    try:
        return str(getattr(formats.load(source), "ORIGINAL", ""))
    except UsageError:
        return ""


async def catch_up(ask: Ask, checkpoints: Checkpoints, *, stop: Callable[[], bool] = lambda: False) -> bool:
    """Delete what is there twice, `ask` questions the worker; return True if nothing is left to do. Never raises.

    It ends early once `stop()` is true; what the store or the state refuses now is tried by the next call.
    """
    try:
        return all([await _catch_up(ask, checkpoints, shadow, stop) for shadow in SHADOWS])
    except ImporterError as error:
        logger().debug("prompts.not_deleted", reason=error.message, then="it is tried again")
        return False


async def _catch_up(ask: Ask, checkpoints: Checkpoints, shadow: str, stop: Callable[[], bool]) -> bool:
    """Delete what one format repeats of its original. Raises what the worker reports."""
    original, deleted = original_of(shadow), 0
    while repeated := checkpoints.spoken.repeated(shadow, original):
        for one in repeated:
            deleted += await ask("erase", source=shadow, conversation=one.conversation, **_time_of(one))
            failpoints.hit("prompts.deleted")
            checkpoints.spoken.settle(shadow, one)
            if stop():
                return False
    if deleted:
        logger().info("prompts.deleted", points=deleted, reason="their conversation has been imported since")
    return True


def _time_of(one: Repeated) -> dict[str, str]:
    """Return the bounds of one prompt's time; none where all of a conversation is meant."""
    if one.at_ms is None:
        return {}
    at = since_1970(one.at_ms)
    return {"since": at, "until": at}
