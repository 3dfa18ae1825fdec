"""A whole engine over a real state, with nothing started: for what looks at an engine."""

from __future__ import annotations

import os
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

from state_values import checkpoint

from importer.delivery.delivery import InFlight
from importer.delivery.policy import FailureRecord
from importer.delivery.supervisor import Worker
from importer.protocol.records import Batch, Commit, Tally
from importer.protocol.wire import Ready
from importer.service import assembly
from importer.service.assembly import Parts
from importer.settings import load
from importer.sources.scan import Root
from importer.state.checkpoints import Checkpoints
from importer.state.open_database import FILE_NAME


def loaded(state_dir: str, **flags: Any) -> load.Loaded:
    """Return settings with this state, untouched by the environment."""
    return load.load({"state_dir": state_dir, **flags}, {}, {}, home="/home/u", host="here")


def parts(state_dir: str, stack: ExitStack, *roots: Root, **flags: Any) -> Parts:
    """Return an engine and what belongs to it; `stack` closes its state."""
    chosen = loaded(state_dir, **flags).settings
    os.makedirs(state_dir, exist_ok=True)
    checkpoints = stack.enter_context(Checkpoints.open(os.path.join(chosen.state_dir, FILE_NAME)))
    return assembly.parts_of(chosen, checkpoints, roots, once=False)


def fly(engine: Any, *tallies: Tally, path: bytes = b"/r/a", **changes: Any) -> None:
    """Put a batch in flight whose commits have these tallies."""
    commits = tuple(Commit(checkpoint(path, **changes), tally) for tally in tallies)
    engine._delivery.queue.append(InFlight(Batch(1, (), (), commits), 1, 2048, FailureRecord(1)))


def hire(engine: Any, pid: int, points: int = 0, files: int = 0) -> None:
    """Give the engine a living worker of that process id."""
    engine._supervisor.worker = living(pid, points, files)


def hire_beside(engine: Any, place: int, pid: int, files: int = 0) -> None:
    """Give the engine a living worker that only embeds; it has a pool for it."""
    engine._delivery.pool.supervisor(place).worker = living(pid, 0, files)


def living(pid: int, points: int, files: int) -> Worker:
    """Return a worker with that process id."""
    child: Any = SimpleNamespace(pid=pid, waiting=0)
    return Worker(child, Ready(pid, points, "f", "edge"), 0.0, 200, files=files)
