"""`importer bench recall`: how often the right conversation is found, on a benchmark or questions of one's own."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from importer.bench.recall import generated, questions, run
from importer.bench.recall.run import Setup
from importer.bench.recall.trial import TrialEngine
from importer.cli import context, measuring
from importer.cli.output import JSON_OPTION, emit
from importer.errors import DONE, UsageError
from importer.service.launch import launch_of, profile_of
from importer.settings.load import Settings

EPILOG = """\b
Each haystack is imported into a store of its own, in a temporary folder; your state and your store are not touched.
The result file holds the hash of FILE, versions, settings and the ranks of every question.

\b
Examples:
  importer bench recall                      the project's own questions, made up from a seed
  importer bench recall locomo10.json
  importer bench recall longmemeval_s.json --sample 50 --mode hybrid
  importer bench recall mine.json --precision int8 --engine local --json

\b
FILE is LoCoMo's or LongMemEval's, or one of your own:
  {"conversations": [{"id": "c1", "at": "2026-01-31", "turns": [{"role": "user", "text": "…"}]}],
   "questions": [{"question": "…", "right": ["c1"], "category": "…"}]}
"""


@click.command(epilog=EPILOG)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("--sample", type=click.IntRange(1), help="Ask so many of its questions, drawn once and for all.")
@click.option("--mode", "modes", multiple=True, type=click.Choice(run.MODES), help="Search mode; all without it.")
@click.option("--precision", "precisions", multiple=True, type=click.Choice(["fp32", "int8"]), help="Of the model.")
@click.option("--engine", "engines", multiple=True, metavar="ENGINE", help="edge, local or a server's URL.")
@click.option("--out", metavar="FILE", help="The result file.  [recall-KIND-HASH.json]")
@click.option("--keep", metavar="DIR", help="Write the stores there, and leave them.")
@JSON_OPTION
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    file: str | None,
    sample: int | None,
    out: str | None,
    keep: str | None,
    as_json: bool,
    **wish: Any,
) -> int:
    """Ask the questions of a benchmark's FILE, or our own, and count how often the right conversation is found."""
    settings = context.settings_of(ctx).settings
    benchmark = questions.read(file) if file else generated.benchmark()
    asked = run.sampled(benchmark, sample)
    if not asked.haystacks:
        raise UsageError(f"{file or 'it'} has no question with a right conversation", hint="see --help")
    with measuring.folder(keep) as folder:
        ways = setups(settings, wish["precisions"], wish["engines"], benchmark.sha256[:8])
        found = list(run.outcomes(asked, folder, ways, wish["modes"] or run.MODES, measuring.say))
    said = run.result(asked, found, {**measuring.versions(), "settings": _about(settings), "sample": sample})
    path = out or f"recall-{benchmark.kind}-{benchmark.sha256[:8]}.json"
    with open(path, "w", encoding="utf-8") as result:
        json.dump(said, result)
    measuring.say(f"every question's ranks: {path}")
    emit(said) if as_json else click.echo("\n".join(run.text(said)))
    return DONE


def _about(settings: Settings) -> dict[str, Any]:
    """Return the settings that the figures hang on."""
    return {
        "model": settings.embed.model,
        "embed_engine": settings.embed.engine,
        "rerank": settings.search.rerank,
        "chunk_size_chars": settings.chunk.size_chars,
        "chunk_overlap_chars": settings.chunk.overlap_chars,
    }


def setups(settings: Settings, precisions: Sequence[str], engines: Sequence[str], name: str) -> list[Setup]:
    """Return every precision with every engine."""
    found = []
    for precision in precisions or (settings.embed.precision,):
        there = replace(settings, embed=replace(settings.embed, precision=precision))
        measuring.model_of(there)
        found += [Setup(precision, engine, _maker(there, engine, name)) for engine in engines or ("edge",)]
    return found


def _maker(settings: Settings, engine: str, name: str) -> Any:
    """Return what makes the engine of a state directory and a haystack's number."""

    def made(state_dir: str, number: str) -> TrialEngine:
        location = f"local:{state_dir}/local" if engine == "local" else engine
        collection = f"recall_{name}_{number}"
        store = replace(settings.store, location=location, collection=collection)
        here = replace(settings, state_dir=state_dir, store=store)
        environ = {**measuring.environ(here, os.environ), "COLLECTION_NAME": collection}
        told = launch_of(here, profile_of(here), once=True).settings
        return TrialEngine(("--state-dir", state_dir, "--store", location), environ, told)

    return made
