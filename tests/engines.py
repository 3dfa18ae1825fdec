"""A whole engine over a real state, with nothing started: for what looks at an engine."""

from __future__ import annotations

import os
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

from states import checkpoint

from importer import settings
from importer.checkpoints import Checkpoints
from importer.cli import wiring
from importer.cli.wiring import Parts
from importer.delivery import Parcel
from importer.discover import Root
from importer.policy import Trial
from importer.records import Batch, Commit, Tally
from importer.supervisor import Worker
from importer.wire import Ready


def loaded(state_dir: str, **flags: Any) -> settings.Loaded:
    """Settings with this state, untouched by the environment."""
    return settings.load({"state_dir": state_dir, **flags}, {}, {}, home="/home/nobody", host="here")


def parts(state_dir: str, stack: ExitStack, *roots: Root, **flags: Any) -> Parts:
    """An engine and what belongs to it; `stack` closes its state."""
    chosen = loaded(state_dir, **flags).settings
    os.makedirs(state_dir, exist_ok=True)
    checkpoints = stack.enter_context(Checkpoints.open(wiring.database_of(chosen)))
    return wiring.parts_of(chosen, checkpoints, roots, once=False)


def fly(engine: Any, *tallies: Tally, path: bytes = b"/r/a", **changes: Any) -> None:
    """Puts a batch in flight whose commits have these tallies."""
    commits = tuple(Commit(checkpoint(path, **changes), tally) for tally in tallies)
    engine.delivery.queue.append(Parcel(Batch(1, (), (), commits), 1, 2048, Trial(1)))


def hire(engine: Any, pid: int, points: int = 0, files: int = 0) -> None:
    """Gives the engine a living worker of that process id."""
    child: Any = SimpleNamespace(pid=pid, waiting={})
    engine.delivery.supervisor.worker = Worker(child, Ready(pid, points, "f", "edge"), 0.0, 200, files=files)
