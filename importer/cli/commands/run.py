"""`importer run`: the daemon, in the foreground.

Wrong settings end it at once. A missing model does not: the daemon waits and fetches it when it can.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from functools import partial

import click

from importer.cli import context, model_fetch
from importer.cli.output import SOURCES_OPTION
from importer.errors import ModelError, UsageError
from importer.log import logger
from importer.memory.probes import Probes
from importer.protocol.backoff import backoff_s
from importer.protocol.foreign.quoting import printable
from importer.protocol.system.capabilities import has
from importer.protocol.units import MB
from importer.service import assembly, launch
from importer.service.assembly import Parts
from importer.service.daemon import Daemon
from importer.service.identity import identity
from importer.service.status import endpoint
from importer.settings.load import Settings
from importer.sources.events import STEP_MS, Timing

log = logger()

EPILOG = """\b
Examples:
  importer run                                      every assistant's own folders
  importer run --source claude-code=/data/projects  a folder of your choice
  importer --store http://localhost:6333 run        into a Qdrant server

SIGTERM or Ctrl-C drains and commits, a second one ends at once; SIGHUP reads the settings file again.
"""


@click.command(epilog=EPILOG)
@SOURCES_OPTION
@click.pass_context
def command(ctx: click.Context, /, sources: tuple[str, ...]) -> int:
    """Watch the conversation folders and keep everything in them searchable."""
    more = {"sources": list(sources)} if sources else {}
    loaded = context.settings_of(ctx, more, level="info")
    for warning in loaded.warnings:
        log.warning("settings.odd", reason=warning)
    settings = loaded.settings
    _check_own_limit(settings)
    with context.locked_state(settings) as checkpoints:
        roots = assembly.roots_of(settings, os.environ)
        parts = assembly.parts_of(settings, checkpoints, roots, once=False)

        def reread() -> None:
            _reread(ctx, parts, more)

        daemon = Daemon(
            engine=parts.engine,
            state_dir=settings.state_dir,
            grace_s=settings.daemon.grace_s,
            timing=timing_of(settings),
            polling=settings.tail.watch == "poll" or not has("events"),
            guard=parts.guard,
            reread=reread,
            use_model=partial(launch.use_model, (parts.supervisor, *parts.others)),
            serves=identity(settings),
        )
        _greet(parts)
        return asyncio.run(_run(daemon, parts))


def _greet(parts: Parts) -> None:
    """Tell a person at a terminal what is watched and what to do meanwhile; a log has its own events."""
    if not sys.stderr.isatty():
        return
    there = [printable(os.fsdecode(root.path)) for root in parts.engine.roots if os.path.isdir(root.path)]
    known = parts.checkpoints.files_summary().known
    click.echo(f"watching {', '.join(there) or 'for the folders of assistants; none is here yet'}", err=True)
    meanwhile = "`importer search` and `importer status` work meanwhile, Ctrl-C ends this"
    click.echo(f"{known:,} files are known; {meanwhile}", err=True)


async def _run(daemon: Daemon, parts: Parts) -> int:
    """Run the daemon, its metrics and the fetching of the model side by side until the daemon ends."""
    fetching = asyncio.ensure_future(_prepare(daemon, parts.settings))
    try:
        listen = parts.settings.metrics.listen
        async with endpoint.serving(listen, _told(daemon) if listen else str):
            return await daemon.run()
    finally:
        fetching.cancel()


def _told(daemon: Daemon) -> Callable[[], str]:
    """Return the function that gives the text of the metrics."""
    from importer.service.status import metrics  # 3 MB that only those with metrics need

    engine, observed = daemon.engine, metrics.Observed()
    engine.on_stored(observed.observe)

    def text() -> str:
        seen = engine.snapshot()
        return metrics.Scrape(seen, engine.checkpoints, daemon.state()[0], observed).text()

    return text


async def _prepare(daemon: Daemon, settings: Settings) -> None:
    """Fetch or verify the model before anything is read. Without a model the daemon waits and says so; it does not end.

    It tries again after 5 s, and then less and less often, down to every ten minutes. A process of its own looks, not
    the worker: a daemon with nothing to import needs no worker.
    """
    failures = 0
    daemon.preparing = "the model is being fetched"
    while daemon.preparing:
        try:
            await model_fetch.fetch_model(settings)
            daemon.preparing = ""
        except ModelError as error:
            failures += 1
            daemon.preparing = error.message
            wait_s = backoff_s(failures, first_s=5.0, most_s=600.0)
            log.warning("model.missing", reason=error.message, hint=error.hint, wait_s=wait_s)
            await asyncio.sleep(wait_s)
    daemon.engine.wake_up()  # the engine waits for this


def timing_of(settings: Settings) -> Timing:
    """Return how often the folders are looked at, and how long a change waits to be told together with others."""
    wait_ms = max(1, settings.batch.wait_ms)
    step_ms = min(STEP_MS, wait_ms)
    poll_s = settings.tail.poll_ms / 1000
    return Timing(rescan_s=settings.tail.rescan_s, poll_s=poll_s, step_ms=step_ms, debounce_ms=wait_ms)


def _check_own_limit(settings: Settings) -> None:
    """Raise UsageError for a memory limit that the daemon already exceeds: it would restart for ever."""
    own = Probes().process(None)
    limit_mb = settings.daemon.operational_memory_mb
    if own is not None and own.rss_bytes >= limit_mb * MB:
        raise UsageError(
            f"daemon.operational_memory_mb is {limit_mb} MB; the daemon takes {own.rss_bytes // MB} MB to start",
            hint="raise OPERATIONAL_MEMORY_MB (the default is 256)",
        )


def _reread(ctx: click.Context, parts: Parts, more: dict[str, list[str]]) -> None:
    """Read the settings again (SIGHUP): put into effect what can change now, name what waits for a restart."""
    try:
        changed = assembly.apply(parts, context.settings_of(ctx, more, level="info").settings)
    except UsageError as error:
        log.error("settings.refused", reason=error.message, then="the former settings stay")
        return
    log.info("settings.reread", **changed)
