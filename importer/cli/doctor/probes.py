"""What `doctor` asks of others: the daemon if one holds the state, else a worker of its own, and the model's process.

Nothing is made: where the store is not there yet, a worker tries the model with one in a temporary folder.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from importer.cli.commands import model as model_command
from importer.cli.doctor.serving import DaemonFacts, ModelFacts, StoreFacts, socket_of
from importer.delivery.policy import Recycle
from importer.delivery.supervisor import Launch, Supervisor
from importer.errors import ImporterError, StateError, StoreError, TryAgainLater
from importer.memory.profiles import Profile
from importer.service import client
from importer.service.launch import launch_of
from importer.service.status import store_location
from importer.service.status.store_location import SERVER, Location, Probe
from importer.service.status.store_ping import StoreServer
from importer.settings.load import Settings
from importer.settings.schema import LOCAL
from importer.state import lock
from importer.state.lock import Holder

STATUS_S = 10.0  # a daemon answers within one turn of its loop
WORKER_S = 90.0  # a cold disk, a large model, a busy machine
PROBE = {"text": "is everything there", "mode": "dense", "limit": 1}  # needs the model and the store alike

Ask = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a question: how many points there are, or the error that belongs to the model or the store."""

    points: int | None = None
    model: ImporterError | None = None
    store: ImporterError | None = None


def daemon(settings: Settings) -> DaemonFacts:
    """Who holds the state, and whether he answers. A `backlog` need not: it has no time for questions."""
    mode, owner = socket_of(settings.state_dir)
    try:
        holder = lock.holder(settings.state_dir) if os.path.isdir(settings.state_dir) else None
    except StateError:
        holder = None  # the state's own check tells
    facts = DaemonFacts(settings.state_dir, mode=mode, owner=owner, uid=os.geteuid())
    if holder is None:
        return replace(facts, mode=None)  # a socket that a killed daemon left is nobody's
    facts = replace(facts, pid=holder.pid, command=holder.command)
    try:
        found = client.ask_daemon(settings.state_dir, "status", timeout_s=STATUS_S)
    except (OSError, ImporterError) as error:
        return replace(facts, silent="" if _is_brief(holder) else str(error) or f"not in {STATUS_S:.0f} s")
    return replace(facts, state=found["state"], reason=found["reason"])


def _is_brief(holder: Holder) -> bool:
    """Whether the holder is a command that ends by itself: an import, a repair. Only the daemon serves a socket."""
    return holder.command.split()[-1:] not in ([], ["run"])


def serving(settings: Settings, profile: Profile | None, held: DaemonFacts) -> tuple[ModelFacts, StoreFacts]:
    """Model and store, each tried as far as that is possible without getting in anybody's way.

    Nothing is tried where settings contradict each other, where the model is not here, and where somebody who does not
    answer holds the state: an embedded store has one opener.
    """
    where = store_location.of_settings(settings)
    reached = _reached(settings, where)
    named = located(settings)
    tried = Tried()
    if profile is not None and (named.directory or not named.local) and not (held.pid and not held.state):
        tried = asyncio.run(_tried(settings, profile, where, reached, daemon=bool(held.state)))
    if tried.points is not None and reached.points is None:
        reached = replace(reached, points=tried.points)
    model, store = tried.model, tried.store
    return (
        replace(named, problem=model.message, hint=model.hint) if model else named,
        StoreFacts(where, reached, store.message if store else "", store.hint if store else ""),
    )


def _reached(settings: Settings, where: Location) -> Probe:
    """A look from outside, which needs no worker: a server is asked over REST, a folder is looked at."""
    if where.kind != SERVER:
        return store_location.probe_folder(where.location)
    return StoreServer(where.location, api_key=settings.store.api_key, ca_file=settings.store.ca_file).look(
        where.collection
    )


def located(settings: Settings) -> ModelFacts:
    """Whether the model is on this machine; nothing is fetched."""
    embed = settings.embed
    facts = ModelFacts(embed.model, embed.provider == LOCAL, "", embed.offline)
    if not facts.local:
        return facts
    arguments = [sys.executable, "-m", "importer.worker.models.fetch", "path", "--json"]
    asked = subprocess.run(
        arguments,
        input=json.dumps(asdict(embed)).encode(),
        env=model_command.environ(),
        capture_output=True,
        check=False,
    )
    if asked.returncode == 0:
        return replace(facts, directory=str(json.loads(asked.stdout)["directory"]))
    said = asked.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"]
    # Not here is one thing, here and damaged another; both end with the same code.
    return facts if "not on this machine" in said[0] else replace(facts, directory="?", problem=said[0])


async def _tried(settings: Settings, profile: Profile, where: Location, reached: Probe, *, daemon: bool) -> Tried:
    """One question to the daemon, or to a worker that ends with it."""
    if daemon:

        async def ask(op: str, **args: Any) -> Any:
            return await asyncio.to_thread(client.ask_daemon, settings.state_dir, op, timeout_s=WORKER_S, **args)

        return await _answer(ask, count=False)
    with tempfile.TemporaryDirectory(prefix="importer-doctor-") as elsewhere:
        # What is not there yet (404: the collection) is not made for the sake of a check.
        made = bool(reached.reachable) and reached.status != 404
        launch = _launch(settings, profile, "" if made else elsewhere)
        supervisor = Supervisor(launch, recycle_files=0)  # 0: for no number of files
        try:
            tried = await _answer(supervisor.ask, count=made and where.kind != SERVER)
        finally:
            await supervisor.recycle(Recycle.STOP)
    return tried


def _launch(settings: Settings, profile: Profile, elsewhere: str) -> Launch:
    """A worker that fetches nothing; with its store in `elsewhere` when that is given."""
    launch = launch_of(settings, profile, once=True)
    configure = {**launch.configure, "embed": {**launch.configure["embed"], "offline": True}}
    if elsewhere:
        configure |= {"location": "edge", "store": {**configure["store"], "directory": os.path.join(elsewhere, "edge")}}
    return replace(launch, configure=configure)


async def _answer(ask: Ask, *, count: bool) -> Tried:
    """Opens the store, then loads the model and searches; the first error tells whose it is."""
    try:
        async with asyncio.timeout(WORKER_S):
            points = int(await ask("count")) if count else None
            await ask("search", **PROBE)
    except StoreError as error:
        return Tried(store=error)
    except (TimeoutError, OSError) as error:
        return Tried(
            model=TryAgainLater(f"no answer in {WORKER_S:.0f} s", hint=str(error) or "is the machine overloaded?")
        )
    except ImporterError as error:
        of_store = error.exit_code in (StoreError.exit_code, TryAgainLater.exit_code)
        return Tried(store=error) if of_store else Tried(model=error)
    return Tried(points)
