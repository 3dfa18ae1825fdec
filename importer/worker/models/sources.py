"""What a source of models is, and how all sources tell how far a download is.

A source that cannot serve raises `Unavailable` with a reason to show, and the next one is asked; offline, none is.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from importer.worker.models.catalog import Description

Progress = Callable[[str, int, int], None]  # (stage, done_bytes, total_bytes); total 0 when unknown

REPORT_S = 0.2  # between two reports of how far a download is


class Unavailable(Exception):
    """A source cannot serve the model; the text gives the reason."""


class ModelSource(Protocol):
    """A place that models come from. `name` is for messages."""

    name: str

    def bring(self, description: Description, folder: str, progress: Progress) -> str:
        """Put the description's files into `folder`, which may hold what an earlier try left; return the exact origin.

        Raises Unavailable. The caller checks the published sums.
        """


@contextmanager
def reporting(report: Callable[[], None]) -> Iterator[None]:
    """Call `report` every REPORT_S seconds while the block runs, and once at its end."""
    ended = threading.Event()

    def repeat() -> None:
        with suppress(Exception):  # an error here comes again in the last report, and is raised there
            while not ended.wait(REPORT_S):
                report()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    report()


def folder_bytes(folder: str) -> int:
    """Return the size of all files below a folder, without those that vanish meanwhile."""
    sizes = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                sizes += os.lstat(os.path.join(parent, name)).st_size
    return sizes


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's text, or its type, cut at 200 characters."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
