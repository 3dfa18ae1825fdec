"""`importer run`: the daemon, in the foreground.

Settings that make no sense end it at once. A missing model does not: it is waited for, and fetched when it can be.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import click

from importer.cli import context, model_fetch
from importer.delivery import policy
from importer.errors import ModelError, UsageError
from importer.log import logger
from importer.memory.probes import Probes
from importer.protocol.units import MB
from importer.service import assembly
from importer.service.assembly import Parts
from importer.service.daemon import Daemon
from importer.service.status import metrics, status
from importer.settings.load import Settings
from importer.sources.wakes import Timing

log = logger()

EPILOG = """\b
Examples:
  importer run                                     every assistant's own folders
  importer run --source claude-code=/data/projects a folder of your choice
  importer --store http://localhost:6333 run       into a Qdrant server

SIGTERM or Ctrl-C drains and commits, a second one ends at once; SIGHUP reads the settings file again.
"""


@click.command(epilog=EPILOG)
@click.option("--source", "sources", multiple=True, metavar="NAME=PATH", help="Format and folder; repeatable.")
@click.pass_context
def command(ctx: click.Context, /, sources: tuple[str, ...]) -> int:
    """Watches the conversation folders and keeps everything in them searchable."""
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
            polling=settings.tail.watch == "poll",
            guard=parts.guard,
            reread=reread,
        )
        return asyncio.run(_run(daemon, parts))


async def _run(daemon: Daemon, parts: Parts) -> int:
    """The daemon, its metrics and the fetching of the model side by side; the daemon decides when it is over."""
    fetching = asyncio.ensure_future(_prepare(daemon, parts.settings))
    try:
        async with metrics.serving(parts.settings.metrics.listen, _told(daemon)):
            return await daemon.run()
    finally:
        fetching.cancel()


def _told(daemon: Daemon) -> Callable[[], str]:
    """What a scrape of the metrics gets."""
    engine, observed = daemon.engine, metrics.Observed()
    engine.observers.append(observed.observe)

    def text() -> str:
        state, _ = status.state_of(engine, daemon.paused_by, daemon.preparing)
        return metrics.render(metrics.families(engine, state, observed))

    return text


async def _prepare(daemon: Daemon, settings: Settings) -> None:
    """Gets the model before anything is read; without one the daemon waits and says so, it does not end.

    It tries again after 5 s, and then less and less often, down to every ten minutes.
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
            wait_s = policy.backoff_s(failures, first_s=5.0, most_s=600.0)
            log.warning("model.missing", reason=error.message, hint=error.hint, wait_s=wait_s)
            await asyncio.sleep(wait_s)
    daemon.engine.wake.set()  # it has waited for this


def timing_of(settings: Settings) -> Timing:
    """How often is looked, and how long a change waits for company before it is told."""
    wait_ms = max(1, settings.batch.wait_ms)
    step_ms = min(Timing().step_ms, wait_ms)
    poll_s = settings.tail.poll_ms / 1000
    return Timing(rescan_s=settings.tail.rescan_s, poll_s=poll_s, step_ms=step_ms, debounce_ms=wait_ms)


def _check_own_limit(settings: Settings) -> None:
    """A limit the daemon already exceeds would make it restart for ever."""
    own = Probes().process(None)
    limit_mb = settings.daemon.operational_memory_mb
    if own is not None and own.rss_bytes >= limit_mb * MB:
        raise UsageError(
            f"daemon.operational_memory_mb is {limit_mb} MB; the daemon takes {own.rss_bytes // MB} MB to start",
            hint="raise OPERATIONAL_MEMORY_MB (the default is 256)",
        )


def _reread(ctx: click.Context, parts: Parts, more: dict[str, list[str]]) -> None:
    """SIGHUP: what can change while running does; the rest is named and waits for a restart."""
    try:
        changed = assembly.apply(parts, context.settings_of(ctx, more, level="info").settings)
    except UsageError as error:
        log.error("settings.refused", reason=error.message, then="the former settings stay")
        return
    log.info("settings.reread", **changed)
