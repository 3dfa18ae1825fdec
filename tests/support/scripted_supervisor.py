"""Supervisors whose workers follow a script; see `scripted_worker`."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from worker_told import told

from importer.delivery import environment
from importer.delivery.policy import Recycle
from importer.delivery.supervisor import Launch, Supervisor

T = TypeVar("T")
PROGRAM = str(pathlib.Path(__file__).with_name("scripted_worker.py"))


def supervisor(folder: pathlib.Path, *lives: Sequence[str], log: str = "lives", **more: Any) -> Supervisor:
    """Return a supervisor of workers with these scripts, the last one for all that follow."""
    script = {"SCRIPTED_LIVES": json.dumps(lives or [["ready"]]), "SCRIPTED_LOG": str(folder / log)}
    launch = Launch(environment.of_worker(os.environ, {}, 1) | script, told(), (sys.executable, PROGRAM))
    return Supervisor(launch, **{"recycle_files": 0, "boot_s": 60.0, **more})


def births(folder: pathlib.Path, name: str = "lives") -> int:
    """Return how many workers were started."""
    path = folder / name
    return len(path.read_text().splitlines()) if path.exists() else 0


def played(one: Supervisor, act: Callable[[Supervisor], Awaitable[T]]) -> T:
    """Run `act` in a loop of its own and return what it gives; no worker outlives it."""

    async def run() -> T:
        try:
            return await asyncio.wait_for(act(one), 60)
        finally:
            await one.recycle(Recycle.STOP)

    return asyncio.run(run())
