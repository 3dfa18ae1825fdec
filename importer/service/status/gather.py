"""Gather the status of an importer: from the daemon where there is one, else from the state and the folders."""

from __future__ import annotations

import os
from dataclasses import asdict

from importer.errors import ImporterError, TryAgainLater
from importer.protocol.hosted import usage
from importer.service import assembly, client
from importer.service.ask import Asker
from importer.service.status import lag, status, store_location
from importer.service.status.store_location import SERVER, Location, Probe
from importer.settings.load import Settings
from importer.state import lock
from importer.state.checkpoints import Checkpoints
from importer.state.open_database import FILE_NAME

ANSWER_S = 20.0  # a daemon answers between two turns of its loop, in milliseconds
COUNT_S = 30.0  # a worker of our own opens the store and counts


def gather(settings: Settings, *, count: bool = True) -> status.Status:
    """Return the status, from the daemon, else from the state. `count`: a worker may be started to count the points."""
    try:
        found: status.Status = client.ask_daemon(settings.state_dir, "status", timeout_s=ANSWER_S)
    except ConnectionError:
        return _without_daemon(settings, count)
    except TimeoutError as error:
        hint = "its log says what it does; `kill -USR2` of its worker prints the worker's stack"
        raise TryAgainLater(f"the daemon of {settings.state_dir} does not answer", hint=hint) from error
    where = store_location.of_settings(settings)
    if where.kind == SERVER:  # the daemon asks no server: its worker does, while there is one
        found["store"]["cluster"] = _asked(settings, where)[1]
    return found


def _without_daemon(settings: Settings, count: bool) -> status.Status:
    """Return the status from the state, read beside a writer, and a fresh look at the roots."""
    holder = lock.holder(settings.state_dir)
    if holder is not None and holder.command == lock.ANSWERER:
        holder = None  # it imports nothing, and tells how many points there are
    checkpoints = Checkpoints.peek(os.path.join(settings.state_dir, FILE_NAME))
    roots = assembly.roots_of(settings, os.environ)
    where = store_location.of_settings(settings)
    behind = lag.of_roots(roots, checkpoints, follow_links=settings.follow_links)
    # The holder of the state may have the embedded store open, which has one opener.
    told = None
    if where.kind == SERVER:
        reached, told = _asked(settings, where)
    else:
        reached = _reached(settings, where, count=count and holder is None)
    counted = os.path.join(settings.state_dir, usage.FILE)
    found = status.of_state(
        checkpoints, behind, where, reached, embed=settings.embed, usage_file=counted, roots=roots, holder=holder
    )
    return {**found, "store": {**found["store"], "cluster": told}} if told else found


def _asked(settings: Settings, where: Location) -> tuple[Probe, status.Status]:
    """Ask the nodes of a server; return what they count, and how they stand."""
    from importer.service.status import cluster_ping  # noqa: PLC0415  brings an HTTP client along

    store = settings.store
    probe, cluster = cluster_ping.look(where.location, where.collection, api_key=store.api_key, ca_file=store.ca_file)
    told = {"behind": [words for _, words in cluster.behind()], "moving": list(cluster.moving())}
    return probe, {**asdict(cluster), **told}


def _reached(settings: Settings, where: Location, *, count: bool) -> Probe:
    """Return whether the store is there and how many points it has; an embedded store tells only its one opener."""
    found = store_location.probe_folder(where.location)
    if not (count and found.reachable):
        return found
    try:
        points = Asker(settings).ask("count", timeout_s=COUNT_S)
    except ImporterError as error:
        return Probe(False, why=str(error))
    return Probe(True, int(points))
