"""Move stored points to the project that their folder belongs to, where rules or the disk have told it since.

Payloads change, nothing is embedded. Each step is bounded and may be repeated: a point that was moved is not found by
its old project any more. The state says when all was looked at, by which rules; a folder found later takes that back.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

from importer.errors import ImporterError
from importer.log import logger
from importer.reading.gather import Reading
from importer.state.checkpoints import Checkpoints
from importer.state.folders import MOVED

RULES = "1"  # of `chunking.projects`; to be raised when they part or join other projects
MOST_PROJECTS = 10_000
Ask = Callable[..., Awaitable[Any]]


async def catch_up(
    ask: Ask, checkpoints: Checkpoints, reading: Reading, *, stop: Callable[[], bool] = lambda: False
) -> bool:
    """Move what is due, once and for all where nothing hinders it; return True if nothing is left to do. Never raises.

    What the store or the state refuses now is tried by the next call.
    """
    if not _is_due(checkpoints):
        return True
    try:
        moved, done = await move_points(ask, checkpoints, reading, stop=stop)
        if done:
            checkpoints.remember(**{MOVED: RULES})
    except ImporterError as error:
        logger().debug("projects.not_moved", reason=error.message, then="it is tried again")
        return False
    if moved:
        logger().info("projects.moved", points=moved)
    return done


def _is_due(checkpoints: Checkpoints) -> bool:
    """Return True if points may be stored under a project that their folder is not of any more."""
    return checkpoints.meta(MOVED) != RULES and checkpoints.newest_commit_at() > 0


async def move_points(
    ask: Ask, checkpoints: Checkpoints, reading: Reading, *, stop: Callable[[], bool] = lambda: False
) -> tuple[int, bool]:
    """Move what is stored under other projects than today's; return how many points, and whether all are done.

    `ask` questions the worker. It ends early once `stop()` is true. Raises what the worker reports.
    Beside a writer of the state only points are moved.
    """
    projects = await ask("facet", key="project", limit=MOST_PROJECTS)
    moved = 0
    for project, to, source in _moves(projects, checkpoints, reading):
        scope = {"project": project, "host": reading.host, "source": source}
        checkpoints.folder_projects.move(project, to, source)
        while page := await ask("move_points", to=to, **scope):
            moved += page
            if stop():
                return moved, False
    return moved, True


def _moves(projects: Iterable[str], checkpoints: Checkpoints, reading: Reading) -> Iterator[tuple[str, str, str]]:
    """Yield the projects whose points are to move, where to, and of which source alone ("" for all)."""
    names = {project for project in projects if not project.startswith("/")}
    for project in projects:
        to = reading.project_of(project, b"")
        if to != project:
            names.discard(project)
            yield project, to, ""
    for project, path, source in _mere_names(names, checkpoints) if names else ():
        to = reading.project_of(project, path)
        if to != project:
            yield project, to, source


def _mere_names(names: set[str], checkpoints: Checkpoints) -> Iterator[tuple[str, bytes, str]]:
    """Yield names that stand for a project in the path of a known file, each once for each source."""
    seen = set[tuple[str, str]]()
    for _, checkpoint in checkpoints.all_files():
        for part in map(os.fsdecode, checkpoint.path.split(b"/")[:-1]):
            if part in names and (part, checkpoint.format) not in seen:
                seen.add((part, checkpoint.format))
                yield part, checkpoint.path, checkpoint.format
