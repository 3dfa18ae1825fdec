"""Probe what must answer: the daemon that holds the state, else a worker started for this, and the model's process.

Nothing is made: where the store is not there yet, the worker tries the model with a store in a temporary folder.
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

from importer.cli.doctor.serving import DaemonFacts, ModelFacts, StoreFacts, socket_of
from importer.delivery import environment
from importer.errors import ImporterError, StateError, StoreError, TryAgainLater
from importer.protocol import engines
from importer.protocol.worker_settings import addresses
from importer.service import client
from importer.service.ask import Asker
from importer.service.launch import own_worker
from importer.service.status import cluster_ping, store_location
from importer.service.status.cluster_ping import Cluster
from importer.service.status.store_location import SERVER, Location, Probe
from importer.service.status.store_ping import StoreServer
from importer.settings.schema import LOCAL, Settings
from importer.state import lock
from importer.state.lock import Holder

STATUS_S = 10.0  # a daemon answers within one turn of its loop
WORKER_S = 90.0  # a cold disk, a large model, a busy machine
QUESTION = {"text": "is everything there", "mode": "dense", "limit": 1}  # needs the model and the store alike

Ask = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """The outcome of a question: the number of points, or the error of the model or of the store."""

    points: int | None = None
    model: ImporterError | None = None
    store: ImporterError | None = None


def probe_daemon(settings: Settings) -> DaemonFacts:
    """Find the process that holds the state, and ask its status. A `backlog` has no socket and need not answer."""
    mode, owner = socket_of(settings.state_dir)
    try:
        holder = lock.holder(settings.state_dir) if os.path.isdir(settings.state_dir) else None
    except StateError:
        holder = None  # check_state reports it
    facts = DaemonFacts(settings.state_dir, mode=mode, owner=owner, uid=os.geteuid())
    if holder is None or holder.command == lock.ANSWERER:
        return replace(facts, mode=None)  # a socket left over from a killed daemon leads nowhere
    facts = replace(facts, pid=holder.pid, command=holder.command)
    try:
        found = client.ask_daemon(settings.state_dir, "status", timeout_s=STATUS_S)
    except (OSError, ImporterError) as error:
        return replace(facts, silent="" if _ends_by_itself(holder) else str(error) or f"not in {STATUS_S:.0f} s")
    return replace(facts, state=found["state"], reason=found["reason"])


def _ends_by_itself(holder: Holder) -> bool:
    """Return True if the holder is an import or a repair, which serve no socket, and not the daemon."""
    return holder.command.split()[-1:] not in ([], ["run"])


def probe_model_and_store(settings: Settings, held: DaemonFacts, *, fits: bool) -> tuple[ModelFacts, StoreFacts]:
    """Find the model and the store, and ask a question that needs both, where that disturbs no other process.

    Without `fits` (the memory profile allows no worker), without the model on this machine, and while a process that
    does not answer holds the state, nothing is asked: an embedded store has one opener.
    """
    location = store_location.of_settings(settings)
    seen, cluster = _look_from_outside(settings, location)
    named = find_model(settings)
    answer = ProbeOutcome()
    if fits and (named.directory or not named.local) and not (held.pid and not held.state):
        answer = asyncio.run(_ask_daemon(settings) if held.state else _ask_own_worker(settings, location, seen))
    if answer.points is not None and seen.points is None:
        seen = replace(seen, points=answer.points)
    model, store = answer.model, answer.store
    return (
        replace(named, problem=model.message, hint=model.hint) if model else named,
        StoreFacts(
            location,
            seen,
            store.message if store else "",
            store.hint if store else "",
            cluster=cluster,
            writes=_may_write(settings, location) if cluster.nodes and seen.reachable else None,
        ),
    )


def _look_from_outside(settings: Settings, location: Location) -> tuple[Probe, Cluster]:
    """Probe the store without a worker: ask a server's nodes over REST, look at a folder."""
    if location.kind != SERVER:
        return store_location.probe_folder(location.location), Cluster()
    store = settings.store
    return cluster_ping.look(location.location, location.collection, api_key=store.api_key, ca_file=store.ca_file)


def _may_write(settings: Settings, location: Location) -> bool | None:
    """Return whether the key may write, by the first node that tells."""
    for url in addresses(location.location):
        server = StoreServer(url, api_key=settings.store.api_key, ca_file=settings.store.ca_file)
        if (found := server.may_write(location.collection)) is not None:
            return found
    return None


def find_model(settings: Settings) -> ModelFacts:
    """Find the model on this machine; nothing is fetched."""
    embed = settings.embed
    engine = engines.described(embed.provider, embed.engine, embed.precision)
    facts = ModelFacts(embed.model, embed.provider == LOCAL, "", embed.offline, engine=engine)
    if not facts.local:
        return facts
    arguments = [sys.executable, "-P", "-m", "importer.worker.models.fetch", "path", "--json"]
    done = subprocess.run(
        arguments,
        input=json.dumps(asdict(embed)).encode(),
        env=environment.of_fetch(os.environ),
        capture_output=True,
        check=False,
    )
    if done.returncode == 0:
        return replace(facts, directory=str(json.loads(done.stdout)["directory"]))
    message = (done.stderr.decode(errors="replace").strip().splitlines() or ["its process ended without a message"])[0]
    # A model that is missing and one that is damaged end with the same code.
    return facts if "not on this machine" in message else replace(facts, directory="?", problem=message)


async def _ask_daemon(settings: Settings) -> ProbeOutcome:
    """Ask the daemon, whose worker has the store open."""

    async def ask(op: str, **args: Any) -> Any:
        return await asyncio.to_thread(client.ask_daemon, settings.state_dir, op, timeout_s=WORKER_S, **args)

    return await _answer(ask, count=False)


async def _ask_own_worker(settings: Settings, location: Location, seen: Probe) -> ProbeOutcome:
    """Ask the process that answers for an embedded store, or a worker that fetches nothing, and end it.

    A store that is not there yet (404: the collection) is not made for a check: the worker gets one in a folder that is
    deleted afterwards.
    """
    made = bool(seen.reachable) and seen.status != 404
    tried = replace(settings, embed=replace(settings.embed, offline=True))
    asker = Asker(tried)
    if made and location.kind != SERVER and asker.has_state:
        return await _answer(asker.ask_beside_others, count=True)
    with tempfile.TemporaryDirectory(prefix="importer-doctor-") as folder:
        if not made:
            tried = replace(tried, state_dir=folder, store=replace(settings.store, location=store_location.EDGE))
        async with own_worker(tried, beside=True) as worker:
            return await _answer(worker.ask, count=made and location.kind != SERVER)


async def _answer(ask: Ask, *, count: bool) -> ProbeOutcome:
    """Have the store opened, the model loaded and a search made; tell if an error is the model's or the store's."""
    try:
        async with asyncio.timeout(WORKER_S):
            points = int(await ask("count")) if count else None
            await ask("search", **QUESTION)
    except StoreError as error:
        return ProbeOutcome(store=error)
    except (TimeoutError, OSError) as error:
        hint = str(error) or "is the machine overloaded?"
        return ProbeOutcome(model=TryAgainLater(f"no answer in {WORKER_S:.0f} s", hint=hint))
    except ImporterError as error:
        of_store = error.exit_code in (StoreError.exit_code, TryAgainLater.exit_code)
        return ProbeOutcome(store=error) if of_store else ProbeOutcome(model=error)
    return ProbeOutcome(points)
