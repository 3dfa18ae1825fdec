"""Settings become the objects that work together; the only place that knows all of them."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

import click

from importer import formats, log
from importer.chunking.fold import Cutting
from importer.consistency import baseline, forget
from importer.delivery.bulk_mode import LARGE_FILES
from importer.delivery.delivery import Delivery
from importer.delivery.engine import Engine
from importer.delivery.outage import Outage, StoreProbe
from importer.delivery.policy import Recycle
from importer.delivery.supervisor import Supervisor
from importer.errors import ModelError, StateError, UsageError
from importer.formats import Options
from importer.memory import profiles
from importer.memory.guard import Guard
from importer.memory.probes import memory_limit_bytes
from importer.memory.profiles import Profile
from importer.memory.thresholds import thresholds
from importer.reading import batch as batches
from importer.reading.gather import Reading
from importer.reading.pipeline import Pipeline
from importer.service import control
from importer.service.launch import deadline_of, launch_of
from importer.service.status import store_location
from importer.settings.load import Loaded, Settings, changed, load, secrets, source, value_of
from importer.sources.queue import Agenda
from importer.sources.reconcile import Reconcile
from importer.sources.scan import Root
from importer.sources.selection import Selection
from importer.state.checkpoints import Checkpoints
from importer.state.lock import Lock
from importer.state.open_database import FILE_NAME

FLAGS = {"state_dir": "state_dir", "store": "store.location", "log_level": "log.level", "log_format": "log.format"}


@dataclass(slots=True)
class Parts:
    """Everything one importer consists of."""

    settings: Settings
    profile: Profile
    checkpoints: Checkpoints
    supervisor: Supervisor
    engine: Engine
    guard: Guard


def settings_of(ctx: click.Context, more: Mapping[str, Any] | None = None, *, level: str = "warning") -> Loaded:
    """The settings in effect: flags of the group and `more` (by dotted name), environment, file. Configures the log.

    `level` is the least level logged where nobody has set one: a command with an answer of its own logs only trouble.
    """
    group: Mapping[str, Any] = ctx.find_root().obj or {}
    flags = {FLAGS[name]: value for name, value in group.items() if name in FLAGS}
    file = group.get("config") or os.environ.get("IMPORTER_CONFIG") or ""
    home, host = os.path.expanduser("~"), socket.gethostname()
    keys = secrets(os.environ, _text)  # from *_FILE and systemd's credentials
    given = {**flags, **(more or {})}
    loaded = load(given, os.environ, _document(file), home=home, host=host, keys=keys, file=file)
    formats.plug(loaded.settings.formats.plugins)
    chosen = loaded.settings.log
    quiet = loaded.origins["log.level"] == "default"
    log.configure(level if quiet else chosen.level, chosen.format, secrets=loaded.secret_values)
    return loaded


def _text(path: str) -> str:
    """The text of a file that holds a key. Raises OSError and UnicodeDecodeError."""
    with open(path, encoding="utf-8") as file:
        return file.read()


def _document(path: str) -> Mapping[str, Any]:
    """The settings file, {} without one. Raises UsageError for one that cannot be read or is no TOML."""
    if not path:
        return {}
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        hint = "it is named by --config or IMPORTER_CONFIG"
        raise UsageError(f"settings file {path}: {error.strerror}", hint=hint) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        hint = "it is TOML; `importer config --markdown` lists the names"
        raise UsageError(f"settings file {path}: {error}", hint=hint) from error


def roots_of(settings: Settings, environ: Mapping[str, str]) -> tuple[Root, ...]:
    """The folders to import from: those of the settings, or each format's own."""
    rules = {"include": settings.include, "exclude": settings.exclude}
    if settings.sources:
        pairs = [source(text) for text in settings.sources]
    else:
        home = os.path.expanduser("~")
        pairs = [(name, path) for name in formats.names() for path in formats.load(name).roots(environ, home)]
    for name, _ in pairs:
        if name != "auto":
            formats.load(name)  # an unknown format is told now
    # Bytes from here on: names of files need not be UTF-8.
    return tuple(Root(os.fsencode(os.path.abspath(path)), name, **rules) for name, path in pairs)


def profile_of(settings: Settings) -> Profile:
    """The memory profile, fitted to the container or the machine."""
    return profiles.resolve(settings, memory_limit_bytes())


def reading_of(settings: Settings, profile: Profile, checkpoints: Checkpoints) -> Reading:
    """How files are read and cut."""
    chosen = settings.formats
    return Reading(
        cutting=Cutting(settings.chunk.size_chars, settings.chunk.overlap_chars),
        host=settings.host,
        options=Options(chosen.subagents, chosen.thinking, chosen.tool_results, chosen.summaries),
        redact=settings.redact.enabled,
        max_line_bytes=settings.tail.max_line_bytes,
        slice_bytes=settings.tail.slice_bytes,
        max_chunks=max(1, profile.max_chunks // 2),  # so that a batch overshoots its limit by half at most
        forgotten=forget.predicate(checkpoints),
        selection=_selection(settings),
    )


def _selection(settings: Settings) -> Selection:
    """Whose text is stored. A pattern of a project may begin at home."""
    include, exclude = (tuple(map(os.path.expanduser, of)) for of in (settings.include, settings.exclude))
    return Selection(include, exclude, tuple(root.path for root in roots_of(settings, os.environ)))


def database_of(settings: Settings) -> str:
    """Where the checkpoints are."""
    return os.path.join(settings.state_dir, FILE_NAME)


@contextmanager
def state(settings: Settings) -> Iterator[Checkpoints]:
    """The state directory, locked, and the checkpoints in it. Raises StateLocked, StateError.

    Locked before the database is opened, so that nobody migrates under another's feet.
    """
    called = click.get_current_context(silent=True)
    lock = Lock(settings.state_dir, command=called.command_path if called else "")
    with lock, Checkpoints.open(database_of(settings)) as found:
        if found.set_aside:
            log.logger().error("state.set_aside", path=found.set_aside, then="everything is read again")
        yield found


DAY_S = 86_400.0
ONCE_PATIENCE = 4  # failures in a row, some seven seconds, before a one-shot import gives up
LIVE = ("log", "include", "exclude", "formats", "chunk", "redact", "sources")  # sections a re-read changes
LIVE_TAIL = ("tail.max_line_bytes", "tail.slice_bytes")  # the rest of that section is fixed when watching begins


def apply(parts: Parts, fresh: Settings) -> dict[str, tuple[str, ...]]:
    """Puts re-read settings into effect: how files are found, read and cut, at once; the rest at the next start.

    Raises UsageError, before anything is changed, for sources that cannot be. `parts.settings` stays what was started
    with, but for what is in effect: so each re-read names again what still waits.
    """
    names = changed(parts.settings, fresh)
    now = tuple(name for name in names if name.partition(".")[0] in LIVE or name in LIVE_TAIL)
    reading, roots = reading_of(fresh, parts.profile, parts.checkpoints), roots_of(fresh, os.environ)
    parts.engine.pipeline.reading, parts.engine.roots = reading, roots
    if {"include", "exclude"} & set(now):
        parts.engine.when_quiet.append(lambda: _select(parts.checkpoints, reading.selection))
        parts.engine.wake.set()
    tail = {name.partition(".")[2]: value_of(fresh, name) for name in LIVE_TAIL}
    live = {section: getattr(fresh, section) for section in LIVE}
    parts.settings = replace(parts.settings, **live, tail=replace(parts.settings.tail, **tail))
    return {"now": now, "after_restart": tuple(name for name in names if name not in now)}


def _select(checkpoints: Checkpoints, selection: Selection) -> None:
    """Has files read again when more is wanted of them than before."""
    try:
        if files := baseline.select(checkpoints, selection):
            log.logger().info("selection.widened", files=files, then="they are read again")
    except StateError as error:
        log.logger().warning("selection.unwritten", reason=error.message, then="the next start tries again")


async def fetch_model(settings: Settings) -> None:
    """Makes sure the model is there before the import begins; shows its progress. Raises ModelError.

    In a process of its own: what fetches and builds a model weighs more than the daemon may.
    """
    if settings.embed.provider != "fastembed":
        return
    fetching = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "importer.worker.models.fetch", "fetch", "--quiet"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await fetching.communicate(json.dumps(asdict(settings.embed)).encode())
    except asyncio.CancelledError:  # whoever waited for it ends: so does it
        with suppress(ProcessLookupError):
            fetching.kill()
        raise
    if fetching.returncode:
        raise ModelError("there is no model to embed with", hint="`importer model fetch` says more")


async def ask(settings: Settings, op: str, **args: Any) -> Any:
    """One answer: from the daemon that holds the state, else from a worker of our own that ends with it."""
    try:
        return await asyncio.to_thread(control.ask, settings.state_dir, op, **args)
    except ConnectionError:
        supervisor = Supervisor(launch_of(settings, profile_of(settings), once=True), recycle_files=0)
        try:
            return await supervisor.ask(op, **args)
        finally:
            await supervisor.recycle(Recycle.STOP)


def parts_of(settings: Settings, checkpoints: Checkpoints, roots: Sequence[Root], *, once: bool) -> Parts:
    """Everything wired together; nothing is started yet."""
    profile = profile_of(settings)
    if profile.adapted:
        log.logger().warning("memory.adapted", profile=profile.name, reason=profile.adapted)
    launch = launch_of(settings, profile, once=once)
    supervisor = Supervisor(
        launch,
        recycle_files=settings.worker.recycle_files,
        boot_s=settings.worker.boot_s,
        accept=lambda ready: baseline.accept(checkpoints, ready),
    )
    reading = reading_of(settings, profile, checkpoints)
    _select(checkpoints, reading.selection)
    pipeline = Pipeline(reading, checkpoints)
    limits = batches.Limits(chunks=profile.max_chunks)
    outage = Outage(ONCE_PATIENCE if once else None)
    frames = replace(limits, chunks=2 * limits.chunks, chars=2 * limits.chars)
    delivery = Delivery(supervisor, checkpoints, profile.token_budget, frames, outage, deadline_of(settings))
    agenda = Agenda()
    looker = Reconcile(checkpoints, agenda, settings.follow_links, keep_s=settings.daemon.keep_days * DAY_S)
    engine = Engine(roots, checkpoints, pipeline, delivery, limits, agenda, looker)
    where = store_location.of_settings(settings)
    # Only a server indexes by itself, and may be away and come back.
    if where.kind == store_location.SERVER:
        engine.surge.large_files, engine.returned = LARGE_FILES, StoreProbe(where.location).is_back
    checkpoints.history.keep(round(settings.memory.history_samples * max(1.0, settings.memory.sample_s)))
    guard = Guard(engine, thresholds(settings, profile), checkpoints.history, sample_s=settings.memory.sample_s)
    return Parts(settings, profile, checkpoints, supervisor, engine, guard)
