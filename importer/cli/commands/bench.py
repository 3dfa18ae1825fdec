"""`importer bench`: speed and memory, beside what the hardware allows and what the usual ways need."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from typing import Any

import click

from importer.bench import contest, material, picture, report
from importer.bench.contest import Contest
from importer.bench.corpus.mixes import MIXES
from importer.bench.rivals.orders import Order
from importer.chunking.fold import Cutting
from importer.cli import context, measuring
from importer.cli.commands import plan, recall
from importer.cli.output import JSON_OPTION, emit
from importer.errors import DONE
from importer.memory.profiles import PROFILES
from importer.protocol import engines
from importer.service.launch import launch_of, profile_of
from importer.settings.load import Settings

EPILOG = """\b
Everything is written to a temporary folder; your state, your store and your conversations are not touched.

\b
Examples:
  importer bench --quick                     a first impression, in a minute or two
  importer bench                             500 conversations
  importer bench --files 10000 --json        a long one, for a program to read
  importer bench --precision int8 --profile conservative
"""
FILES, QUICK_FILES = 500, 40


@click.group(epilog=EPILOG, invoke_without_command=True, subcommand_metavar="")
@click.option("--files", type=click.IntRange(4, 1_000_000), help=f"Conversations to generate.  [{FILES}]")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same corpus.")
@click.option(
    "--mix", type=click.Choice(list(MIXES)), default="ent", show_default=True, help="Mix of conversations to copy."
)
@click.option("--profile", type=click.Choice([*PROFILES, "auto"]), help="Memory profile, in place of the settings'.")
@click.option("--precision", type=click.Choice(["fp32", "int8"]), help="In place of the settings'.")
@click.option("--engine", type=click.Choice(["auto", "onnxruntime", "openvino"]), help="In place of the settings'.")
@click.option("--quick", is_flag=True, help=f"{QUICK_FILES} conversations and short runs.")
@click.option("--keep", metavar="DIR", help="Write corpus, state and rivals' stores there, and leave them.")
@click.option("--plot", metavar="FILE", help="A picture too: .svg or .png (needs matplotlib).")
@JSON_OPTION
@click.pass_context
def command(
    ctx: click.Context, /, *, keep: str | None, plot: str | None, as_json: bool, quick: bool, **wish: Any
) -> int:
    """Measure speed and memory of this importer and of the usual ways: ONNX Runtime, fastembed, in-process import."""
    if ctx.invoked_subcommand:
        return DONE
    if plot:
        picture.check(plot)
    names = {"profile": "memory.profile", "precision": "embed.precision", "engine": "embed.engine"}
    settings = context.settings_of(ctx, {names[key]: wish[key] for key in names if wish[key]}).settings
    model = measuring.model_of(settings)
    config = (ctx.find_root().obj or {}).get("config")
    with measuring.folder(keep) as place:
        corpus = Corpus(wish["files"] or (QUICK_FILES if quick else FILES), wish["seed"], wish["mix"])
        measuring.say(f"{corpus.files:,} conversations in {place}")
        made = material.make(place, **asdict(corpus), cutting=_cutting(settings))
        order = _order(settings, model, made, place)
        flags = ("--config", config) if config else ()
        times = contest.QUICK if quick else contest.Times()
        results = Contest(made, order, times, measuring.environ(settings, os.environ), flags, measuring.say).run()
        found = report.figures(results, made, {**about(settings, order), "corpus": asdict(corpus)})
        if plot:
            picture.draw(found, results, plot)
    emit(found) if as_json else click.echo("\n".join(report.text(found)))
    return DONE


@dataclass(frozen=True, slots=True)
class Corpus:
    """The conversations to generate."""

    files: int
    seed: int
    mix: str


def _cutting(settings: Settings) -> Cutting:
    """Return how the settings cut chunks, so that the rivals get the same ones."""
    return Cutting(settings.chunk.size_chars, settings.chunk.overlap_chars)


def _order(settings: Settings, model: str, made: material.Material, folder: str) -> Order:
    """Return what the rivals get: the importer's own model, threads and windows."""
    embed = launch_of(settings, profile_of(settings), once=True).settings.embed
    return Order(
        model=settings.embed.model,
        directory=model,
        whole=measuring.model_of(replace(settings, embed=replace(settings.embed, precision="fp32"))),
        texts=made.texts,
        files=made.files,
        folder=folder,
        threads=embed.threads,
        window_tokens=settings.embed.window_tokens,
        size_chars=settings.chunk.size_chars,
        engine=engines.choose(settings.embed.engine, settings.embed.precision).name,
    )


def about(settings: Settings, order: Order) -> dict[str, Any]:
    """Return the machine, the versions and the settings that the figures are for."""
    profile = profile_of(settings)
    return {
        **measuring.versions(),
        "settings": {
            "model": settings.embed.model,
            "precision": settings.embed.precision,
            "engine": engines.described(settings.embed.provider, settings.embed.engine, settings.embed.precision),
            "profile": profile.name,
            "threads": order.threads,
            "token_budget": profile.token_budget,
            "recycle_files": settings.worker.recycle_files,
        },
    }


command.add_command(plan.command, "plan")
command.add_command(recall.command, "recall")
