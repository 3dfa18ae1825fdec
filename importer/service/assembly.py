"""Settings become the objects of an importer that work together. Nothing here is started, and nothing knows click."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from importer import __version__, formats, log
from importer.chunking.fold import Cutting
from importer.chunking.projects import repository_folder
from importer.consistency import baseline, forget
from importer.delivery.bulk_mode import LARGE_FILES
from importer.delivery.delivery import Delivery
from importer.delivery.embed_pool import EmbedPool
from importer.delivery.engine import Engine
from importer.delivery.outage import Outage, StoreProbe
from importer.delivery.supervisor import Supervisor
from importer.errors import ImporterError, StateError, StateLocked
from importer.formats import Options
from importer.memory import forecasting
from importer.memory.gpu import probes_of
from importer.memory.guard import Guard
from importer.memory.pool_guard import PoolGuard
from importer.memory.profiles import Profile
from importer.memory.thresholds import thresholds
from importer.protocol.system import core_dumps
from importer.reading import batching, installed
from importer.reading.gather import Reading
from importer.reading.pipeline import Pipeline
from importer.service import client
from importer.service.launch import deadline_of, launch_of, profile_of, share_of
from importer.service.operations import leave_out
from importer.service.status import store_location
from importer.settings.load import Settings, changed_names, parse_source, value_of
from importer.sources import archives, inventory
from importer.sources.databases import borrowed, tables
from importer.sources.queue import FileQueue
from importer.sources.reconcile import Reconcile
from importer.sources.repositories import Repositories
from importer.sources.scan import Root
from importer.sources.selection import Selection
from importer.state import switches
from importer.state.checkpoints import Checkpoints
from importer.state.lock import ANSWERER, Lock, holder, wanting
from importer.state.open_database import FILE_NAME

DAY_S = 86_400.0
YIELD_S = 15.0  # for an answerer to finish what it is asked and to close its store
ONCE_PATIENCE = 4  # failures in a row, some seven seconds, before a one-shot import gives up
LIVE = ("log", "include", "exclude", "formats", "chunk", "redact", "sources")  # sections a re-read changes
LIVE_TAIL = ("tail.max_line_bytes", "tail.slice_bytes")  # the rest of that section is fixed when watching begins


@dataclass(slots=True)
class Parts:
    """The objects that one importer consists of."""

    settings: Settings
    profile: Profile
    checkpoints: Checkpoints
    supervisor: Supervisor
    engine: Engine
    guard: Guard
    others: tuple[Supervisor, ...] = ()  # of workers that only embed


def roots_of(settings: Settings, environ: Mapping[str, str]) -> tuple[Root, ...]:
    """Return the folders to import from: those of the settings, else the ones of each format that is not switched off.

    Raises UsageError for a format that does not exist.
    """
    installed.join()
    if settings.sources:
        pairs = [parse_source(text) for text in settings.sources]
    else:
        home = os.path.expanduser("~")
        off = switches.disabled(settings.state_dir)
        pairs = [one for one in inventory.known_places(environ, home, off) if one[0] not in off]
    for name, _ in pairs:
        if name != "auto":
            formats.load(name)  # raises UsageError for an unknown format
    # Bytes from here on: names of files need not be UTF-8.
    return tuple(_root(name, path, settings) for name, path in pairs)


def _leave_out(pipeline: Pipeline, checkpoints: Checkpoints, source: str, conversations: Sequence[str]) -> Reading:
    """Note that conversations are to be forgotten, with all that is stored of them; return how files are read then."""
    for name in conversations:
        then = "it is forgotten, as it asks to be; `importer forget --undo` takes that back"
        log.logger().info("conversation.unwanted", source=source, conversation=name, then=then)
        leave_out(checkpoints, source, name)
    return forget.with_rules(pipeline.reading, checkpoints)


def _root(name: str, path: str, settings: Settings) -> Root:
    """Return a folder to import from, without what its format never looks for."""
    never = getattr(formats.load(name), "EXCLUDE", ()) if name != "auto" and not settings.sources else ()
    return Root(os.fsencode(os.path.abspath(path)), name, settings.include, (*settings.exclude, *never))


def reading_of(settings: Settings, profile: Profile, checkpoints: Checkpoints) -> Reading:
    """Return how files are read and cut into chunks."""
    return replace(
        forget.with_rules(stateless_reading_of(settings), checkpoints),
        max_chunks=max(1, profile.max_chunks // 2),  # so a batch exceeds its limit by half at most
        is_repeated=checkpoints.spoken.is_repeated,
        selection=_selection(settings),
        project_of=Repositories(repository_folder, checkpoints.folder_projects).project_of,
    )


def stateless_reading_of(settings: Settings) -> Reading:
    """Return how files are read, without a state: nothing is forgotten, everything is wanted."""
    chosen = settings.formats
    return Reading(
        cutting=Cutting(settings.chunk.size_chars, settings.chunk.overlap_chars),
        host=settings.host,
        options=Options(chosen.subagents, chosen.thinking, chosen.tool_results, chosen.summaries),
        redact=settings.redact.enabled,
        max_line_bytes=settings.tail.max_line_bytes,
        slice_bytes=settings.tail.slice_bytes,
    )


def _selection(settings: Settings) -> Selection:
    """Return which projects and files are stored. A pattern of a project may begin with ~."""
    include, exclude = (tuple(map(os.path.expanduser, of)) for of in (settings.include, settings.exclude))
    return Selection(include, exclude, tuple(root.path for root in roots_of(settings, os.environ)))


@contextmanager
def locked_state(settings: Settings, *, command: str = "") -> Iterator[Checkpoints]:
    """Lock the state directory and open the checkpoints in it. Raises StateLocked, StateError.

    It is locked before the database is opened, so that no two processes migrate it at once. `command` is the name under
    which other processes see the lock's holder.
    """
    core_dumps.forbid()
    lock = take_over(Lock(settings.state_dir, command=command))
    with lock, Checkpoints.open(os.path.join(settings.state_dir, FILE_NAME)) as found:
        borrowed.remove_copies(settings.state_dir)
        archives.KNOWN.folder = tables.KNOWN.lender.folder = settings.state_dir
        if found.set_aside:
            log.logger().error("state.set_aside", path=found.set_aside, then="everything is read again")
        yield found


def take_over(lock: Lock, *, sleep: Callable[[float], None] = time.sleep) -> Lock:
    """Acquire the lock of a state. An answerer that has it is asked to let go of it. Raises StateLocked, StateError."""
    end_s = time.monotonic() + YIELD_S
    with wanting(lock.folder):
        while True:
            try:
                return lock.acquire()
            except StateLocked:
                who = holder(lock.folder)
                # One that signs in or lets go at this moment has no name; it may be an answerer's.
                if time.monotonic() >= end_s or (who is not None and who.command not in ("", ANSWERER)):
                    raise
            with suppress(ConnectionError, TimeoutError, ImporterError):
                client.ask_daemon(lock.folder, client.YIELD, timeout_s=1.0)
            sleep(0.02)


def parts_of(settings: Settings, checkpoints: Checkpoints, roots: Sequence[Root], *, once: bool) -> Parts:
    """Return all objects of an importer, joined but not started. `once`: an import that ends, not a daemon."""
    profile = profile_of(settings)
    if profile.adapted:
        log.logger().warning("memory.adapted", profile=profile.name, reason=profile.adapted)
    share = share_of(settings, profile, once=once)
    profile = share.profile
    launch = launch_of(settings, profile, once=once)
    start = partial(Supervisor, recycle_files=settings.worker.recycle_files, boot_s=settings.worker.boot_s)
    supervisor = start(launch, accept=lambda ready: baseline.accept(checkpoints, ready))
    pool, others = None, list[Supervisor]()
    if share.count > 1:
        supervisor.launch = replace(launch, standby=False)  # there is room for as many workers as are wanted
        others = [start(launch.embedding(), stats=supervisor.stats) for _ in range(share.count - 1)]
        pool = EmbedPool(supervisor, others, checkpoints)
    reading = reading_of(settings, profile, checkpoints)
    _select(checkpoints, reading.selection)
    _look_again(checkpoints)
    pipeline = Pipeline(reading, checkpoints, final=once)
    pipeline.on_unwanted = partial(_leave_out, pipeline, checkpoints)
    limits = batching.BatchLimits(chunks=profile.max_chunks)
    outage = Outage(ONCE_PATIENCE if once else None)
    frames = replace(limits, chunks=2 * limits.chunks, chars=2 * limits.chars)
    delivery = Delivery(supervisor, checkpoints, profile.token_budget, frames, outage, deadline_of(settings), pool=pool)
    looker = Reconcile(checkpoints, FileQueue(), settings.follow_links, keep_s=settings.daemon.keep_days * DAY_S)
    where = store_location.of_settings(settings)
    server: dict[str, Any] = {}
    if where.kind == store_location.SERVER:  # only a server indexes by itself, and may be away and come back
        server = {"large_files": LARGE_FILES, "is_store_back": StoreProbe(where.location).is_back}
    engine = Engine(roots, pipeline, delivery, limits, looker, **server)
    checkpoints.history.keep(round(settings.memory.history_samples * max(1.0, settings.memory.sample_s)))
    within = thresholds(settings, profile)
    forecasts = forecasting.recalled(settings, within, supervisor.stats.forecast, checkpoints.meta(forecasting.META))
    engine.on_stored(forecasts.stored)
    history, every_s = checkpoints.history, settings.memory.sample_s
    beside = PoolGuard(pool, within) if pool else None
    probes = probes_of(settings)
    guard = Guard(engine, within, history, sample_s=every_s, probes=probes, forecasts=forecasts, beside=beside)
    return Parts(settings, profile, checkpoints, supervisor, engine, guard, tuple(others))


def apply(parts: Parts, fresh: Settings) -> dict[str, tuple[str, ...]]:
    """Put re-read settings into effect: how files are found, read and cut, at once; the rest at the next start.

    Raises UsageError, before anything is changed, for sources that cannot be. `parts.settings` takes over
    only what is in effect now, so the next re-read names again what still waits for a start.
    """
    formats.plug(fresh.formats.plugins)
    names = changed_names(parts.settings, fresh)
    now = tuple(name for name in names if name.partition(".")[0] in LIVE or name in LIVE_TAIL)
    reading, roots = reading_of(fresh, parts.profile, parts.checkpoints), roots_of(fresh, os.environ)
    parts.engine.reconfigure(reading=reading, roots=roots)
    if {"include", "exclude"} & set(now):
        parts.engine.run_when_idle(lambda: _select(parts.checkpoints, reading.selection))
    if "formats.plugins" in now:
        parts.engine.run_when_idle(lambda: _look_again(parts.checkpoints))
    tail = {name.partition(".")[2]: value_of(fresh, name) for name in LIVE_TAIL}
    live = {section: getattr(fresh, section) for section in LIVE}
    parts.settings = replace(parts.settings, **live, tail=replace(parts.settings.tail, **tail))
    return {"now": now, "after_restart": tuple(name for name in names if name not in now)}


def _look_again(checkpoints: Checkpoints) -> None:
    """Have unrecognised files looked at again when this version, or its formats, are not those that looked last."""
    try:
        if files := checkpoints.look_again(f"{__version__} {' '.join(formats.names())}"):
            log.logger().info("unrecognised.again", files=files, then="they are looked at by this version's formats")
    except StateError as error:
        log.logger().warning("unrecognised.unwritten", reason=error.message, then="the next start tries again")


def _select(checkpoints: Checkpoints, selection: Selection) -> None:
    """Have files read again when more of them is wanted than before."""
    try:
        if files := baseline.select(checkpoints, selection):
            log.logger().info("selection.widened", files=files, then="they are read again")
    except StateError as error:
        log.logger().warning("selection.unwritten", reason=error.message, then="the next start tries again")
