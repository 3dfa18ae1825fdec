"""What a source of models is, and what the sources share: time limits, and telling how far a download is.

A source that cannot serve raises `Unavailable` with a reason to show, and the next one is asked; offline, none is.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol, TypeVar

from importer.worker.models.catalog import Description

T = TypeVar("T")
Progress = Callable[[str, int, int], None]  # (stage, done_bytes, total_bytes); total 0 when unknown

LOOK_S = 0.2  # between two looks at how far a download is


class Unavailable(Exception):
    """This source cannot serve the model; the text says why."""


class Source(Protocol):
    """Somewhere models come from. `name` is for messages."""

    name: str

    def bring(self, description: Description, folder: str, progress: Progress) -> str:
        """Put the description's files into `folder`, which may hold what an earlier try left; returns the exact origin.

        Raises Unavailable. Sums are checked by the caller.
        """


def within(limit_s: float, call: Callable[[], T]) -> T:
    """What `call` returns or raises. Raises TimeoutError after `limit_s`; the call is left behind in its thread.

    Time-outs of a connection do not cover its name's resolution, which may take half a minute.
    """
    outcome: list[tuple[T | None, BaseException | None]] = []
    # A daemon thread: a call that never returns does not keep the process from ending.
    threading.Thread(target=lambda: outcome.append(_outcome(call)), daemon=True).start()
    give_up = time.monotonic() + limit_s
    while not outcome and time.monotonic() < give_up:
        time.sleep(0.01)
    if not outcome:
        raise TimeoutError(f"nothing within {limit_s:.0f} s")
    value, error = outcome[0]
    if error is not None:
        raise error
    return value  # type: ignore[return-value]  # without an error it is the call's own value


def _outcome(call: Callable[[], T]) -> tuple[T | None, BaseException | None]:
    """A value or an error, to be handed over to another thread."""
    try:
        return call(), None
    except BaseException as error:
        return None, error


@contextmanager
def reporting(look: Callable[[], None]) -> Iterator[None]:
    """Calls `look` every LOOK_S seconds meanwhile, and once at the end."""
    ended = threading.Event()

    def watch() -> None:
        with suppress(Exception):  # what stops the watching will stop the last look too, and there it is raised
            while not ended.wait(LOOK_S):
                look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    look()


def folder_bytes(folder: str) -> int:
    """What the files below a folder take, as far as they can be seen just now."""
    sizes = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                sizes += os.lstat(os.path.join(parent, name)).st_size
    return sizes


def first_line(error: BaseException) -> str:
    """What an exception says, short enough for a list of reasons."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
