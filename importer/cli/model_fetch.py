"""Fetch the model when it is missing, in a process of its own that shows its progress.

What fetches and builds a model weighs more than the daemon may.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict

from importer.delivery import environment
from importer.delivery.supervisor import Supervisor
from importer.errors import ImporterError, ModelError
from importer.settings.load import Settings
from importer.settings.schema import LOCAL


async def fetch_model(settings: Settings) -> None:
    """Fetch the model, or verify the one that is there, and show the progress. Raises ModelError."""
    if settings.embed.provider != LOCAL:
        return
    fetching = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "importer.worker.models.fetch", "fetch", "--quiet"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        env=environment.of_fetch(os.environ),
    )
    try:
        await fetching.communicate(json.dumps(asdict(settings.embed)).encode())
    except asyncio.CancelledError:  # it must not outlive the command that waits for it
        with suppress(ProcessLookupError):
            fetching.kill()
        raise
    if fetching.returncode:
        raise ModelError("there is no model to embed with", hint="`importer model fetch` says more")


Fetch = Callable[[Settings], Awaitable[None]]


async def start_worker(supervisor: Supervisor, settings: Settings, *, fetch: Fetch = fetch_model) -> None:
    """Start the worker with the model that is on this machine; fetch the model only when it reports that none is.

    To ask first whether the model is there would cost every import a process (0.4 s). Other failures of this start are
    left to the engine, which starts the worker again. Raises ModelError when there is no model to be had.
    """
    if settings.embed.provider != LOCAL:
        return
    launch = supervisor.launch
    supervisor.launch = launch.offline()
    try:
        await supervisor.ready()
    except ModelError:
        await fetch(settings)
    except ImporterError:
        pass
    finally:
        supervisor.launch = launch
