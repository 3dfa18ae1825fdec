"""`importer bench`: speed and memory, beside what the hardware allows and what the usual ways need."""

from __future__ import annotations

import asyncio
import os
import platform
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import Any

import click

from importer.bench import contest, material, picture, report
from importer.bench.contest import Contest
from importer.bench.corpus.mixes import MIXES
from importer.bench.rivals.orders import Order
from importer.chunking.fold import Cutting
from importer.cli import context, model_fetch
from importer.cli.doctor import probes
from importer.cli.output import JSON_OPTION, emit
from importer.errors import DONE, ModelError, UsageError
from importer.memory.probes import memory_limit_bytes
from importer.memory.profiles import PROFILES
from importer.service import assembly
from importer.service.launch import launch_of
from importer.settings.load import Settings
from importer.settings.schema import LOCAL

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
LIBRARIES = ("onnxruntime", "fastembed", "qdrant-client", "qdrant-edge-py")


@click.command(epilog=EPILOG)
@click.option("--files", type=click.IntRange(4, 1_000_000), help=f"Conversations to generate.  [{FILES}]")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same corpus.")
@click.option(
    "--mix", type=click.Choice(list(MIXES)), default="ent", show_default=True, help="Mix of conversations to copy."
)
@click.option("--profile", type=click.Choice([*PROFILES, "auto"]), help="Memory profile, in place of the settings'.")
@click.option("--precision", type=click.Choice(["fp32", "int8"]), help="In place of the settings'.")
@click.option("--quick", is_flag=True, help=f"{QUICK_FILES} conversations and short runs.")
@click.option("--keep", metavar="DIR", help="Write corpus, state and rivals' stores there, and leave them.")
@click.option("--plot", metavar="FILE", help="A picture too: .svg or .png (needs matplotlib).")
@JSON_OPTION
@click.pass_context
def command(
    ctx: click.Context, /, *, keep: str | None, plot: str | None, as_json: bool, quick: bool, **wish: Any
) -> int:
    """Measure speed and memory of this importer and of the usual ways: ONNX Runtime, fastembed, in-process import."""
    if plot:
        picture.check(plot)
    names = {"profile": "memory.profile", "precision": "embed.precision"}
    settings = context.settings_of(ctx, {names[key]: wish[key] for key in names if wish[key]}).settings
    model = _model(settings)
    config = (ctx.find_root().obj or {}).get("config")
    with _folder(keep) as folder:
        corpus = Corpus(wish["files"] or (QUICK_FILES if quick else FILES), wish["seed"], wish["mix"])
        _say(f"{corpus.files:,} conversations in {folder}")
        made = material.make(folder, **asdict(corpus), cutting=_cutting(settings))
        order = _order(settings, model, made, folder)
        flags = ("--config", config) if config else ()
        times = contest.QUICK if quick else contest.Times()
        results = Contest(made, order, times, environ(settings, os.environ), flags, _say).run()
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


def _say(text: str) -> None:
    """Print what comes next on standard error: only the result goes to standard output."""
    click.echo(click.style("bench: ", fg="cyan") + text, err=True)


@contextmanager
def _folder(keep: str | None) -> Iterator[str]:
    """Give a temporary folder, or the named one. Raises UsageError when that is not empty: nothing is overwritten."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="importer-bench-") as folder:
            yield folder
        return
    os.makedirs(keep, exist_ok=True)
    if os.listdir(keep):
        raise UsageError(f"{keep} is not empty", hint="--keep names a new folder")
    yield os.path.abspath(keep)


def _model(settings: Settings) -> str:
    """Return the directory of the model, fetched if need be. Raises UsageError for a remote provider, ModelError."""
    if settings.embed.provider != LOCAL:
        raise UsageError("only a local model can be measured", hint=f"EMBEDDING_PROVIDER={LOCAL} importer bench")
    facts = probes.find_model(settings)
    if not facts.directory:
        asyncio.run(model_fetch.fetch_model(settings))
        facts = probes.find_model(settings)
    if facts.problem or not facts.directory:
        raise ModelError(facts.problem or "there is no model", hint="`importer model fetch`")
    return facts.directory


def _cutting(settings: Settings) -> Cutting:
    """Return how the settings cut chunks, so that the rivals get the same ones."""
    return Cutting(settings.chunk.size_chars, settings.chunk.overlap_chars)


def _order(settings: Settings, model: str, made: material.Material, folder: str) -> Order:
    """Return what the rivals get: the importer's own model, threads and windows."""
    embed = launch_of(settings, assembly.profile_of(settings), once=True).settings.embed
    return Order(
        model=settings.embed.model,
        directory=model,
        whole=_model(replace(settings, embed=replace(settings.embed, precision="fp32"))),
        texts=made.texts,
        files=made.files,
        folder=folder,
        threads=embed.threads,
        window_tokens=settings.embed.window_tokens,
        size_chars=settings.chunk.size_chars,
    )


def environ(settings: Settings, base: Mapping[str, str]) -> dict[str, str]:
    """Return the importer's environment: not nicer than its rivals, with the same model, and without a network."""
    return {
        **base,
        "IMPORTER_WORKER_NICE": "0",
        "IMPORTER_EMBED_MODEL_DIR": settings.embed.model_dir,
        "IMPORTER_EMBED_PRECISION": settings.embed.precision,
        "IMPORTER_MEMORY_PROFILE": settings.memory.profile,
        "HF_HUB_OFFLINE": "1",  # no rival's start depends on a network
    }


def about(settings: Settings, order: Order) -> dict[str, Any]:
    """Return the machine, the versions and the settings that the figures are for."""
    profile = assembly.profile_of(settings)
    return {
        "machine": {
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "memory_bytes": memory_limit_bytes(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "versions": {name: version(name) for name in LIBRARIES},
        "settings": {
            "model": settings.embed.model,
            "precision": settings.embed.precision,
            "profile": profile.name,
            "threads": order.threads,
            "token_budget": profile.token_budget,
            "recycle_files": settings.worker.recycle_files,
        },
    }
