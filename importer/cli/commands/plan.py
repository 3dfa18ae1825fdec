"""`importer bench plan`: how fast several workers would be on larger machines, from what a batch takes on this one."""

from __future__ import annotations

import os
from typing import Any

import click

from importer.bench import endtoend, plan
from importer.bench.corpus import corpus
from importer.bench.plan import BatchTimes
from importer.cli import context, measuring
from importer.cli.output import JSON_OPTION, emit
from importer.errors import DONE, WorkerError
from importer.service.launch import launch_of, profile_of
from importer.settings.load import Settings

EPILOG = """\b
The plan is a simulation: it prints what it assumes. With all three times given nothing is measured.

\b
Examples:
  importer bench plan                        measures an import of 200 conversations first
  importer bench plan --model-s 3 --store-s 0.2 --daemon-s 0.02
  importer bench plan --cores 16 --workers 5 --json
"""
TIMES = ("model_s", "store_s", "daemon_s")
CHUNKS, TOKENS = 256, 40_000  # of a full batch, where nothing is measured


@click.command(epilog=EPILOG)
@click.option("--cores", type=click.IntRange(1, 1024), multiple=True, help="Plan for so many; repeatable.  [1 … 64]")
@click.option("--workers", type=click.IntRange(0, 256), default=0, help="In place of one for every four cores.")
@click.option(
    "--files", type=click.IntRange(4, 100_000), default=200, show_default=True, help="Conversations to measure."
)
@click.option("--model-s", type=click.FloatRange(min=0), help="Seconds of one core that a batch is in the model.")
@click.option("--store-s", type=click.FloatRange(min=0), help="Seconds that a batch takes in the store.")
@click.option("--daemon-s", type=click.FloatRange(min=0), help="Seconds of the daemon for a batch.")
@JSON_OPTION
@click.pass_context
def command(
    ctx: click.Context, /, *, cores: tuple[int, ...], workers: int, files: int, as_json: bool, **given: float | None
) -> int:
    """Plan the speed of several workers on machines of up to 64 cores, and with a cluster, by a simulation."""
    if all(given[name] is not None for name in TIMES):
        times, source = BatchTimes(chunks=CHUNKS, tokens=TOKENS, **_given(given)), "given"
    else:
        config = (ctx.find_root().obj or {}).get("config")
        flags = ("--config", config) if config else ()
        times, source = _measured(context.settings_of(ctx).settings, files, flags, _given(given)), "measured here"
    found = plan.figures(times, source, cores or plan.CORES, workers)
    emit(found) if as_json else click.echo("\n".join(plan.text(found)))
    return DONE


def _given(given: dict[str, float | None]) -> dict[str, float]:
    """Return the times that were given."""
    return {name: value for name, value in given.items() if value is not None}


def _measured(settings: Settings, files: int, flags: tuple[str, ...], given: dict[str, float]) -> BatchTimes:
    """Import generated conversations with one worker; return what a batch took. Raises WorkerError if nothing came."""
    measuring.model_of(settings)
    threads = launch_of(settings, profile_of(settings), once=True).settings.embed.threads
    with measuring.folder(None) as place:
        said, state = os.path.join(place, "said"), os.path.join(place, "state")
        corpus.write(said, files=files, seed=1)
        measuring.say(f"importing {files:,} conversations with one worker of {threads} threads")
        environ = {**measuring.environ(settings, os.environ), "IMPORTER_WORKER_COUNT": "1"}
        made = endtoend.run(said, state, flags, environ)
    events: list[Any] = [event.facts for event in made.logged("batch.stored")]
    times = plan.measured(events, threads, made.summary["daemon"]["cpu_s"])
    if times is None:
        raise WorkerError("no batch was stored, so nothing was measured")
    return BatchTimes(**{**{name: getattr(times, name) for name in BatchTimes.__slots__}, **given})
