"""What the commands that measure share: a folder, the model, the environment, and what it was measured on."""

from __future__ import annotations

import asyncio
import os
import platform
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import click

from importer import __version__
from importer.cli import model_fetch
from importer.cli.doctor import probes
from importer.errors import ModelError, UsageError
from importer.memory.probes import memory_limit_bytes
from importer.protocol.system.capabilities import cores
from importer.settings.load import Settings
from importer.settings.schema import LOCAL

LIBRARIES = ("onnxruntime", "fastembed", "qdrant-client", "qdrant-edge-py")


def say(text: str) -> None:
    """Print what comes next on standard error: only the result goes to standard output."""
    click.echo(click.style("bench: ", fg="cyan") + text, err=True)


@contextmanager
def folder(keep: str | None) -> Iterator[str]:
    """Give a temporary folder, or the named one. Raises UsageError when that is not empty: nothing is overwritten."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="importer-bench-") as folder:
            yield folder
        return
    os.makedirs(keep, exist_ok=True)
    if os.listdir(keep):
        raise UsageError(f"{keep} is not empty", hint="--keep names a new folder")
    yield os.path.abspath(keep)


def model_of(settings: Settings) -> str:
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


def environ(settings: Settings, base: Mapping[str, str]) -> dict[str, str]:
    """Return the importer's environment: not nicer than its rivals, with the same model, and without a network."""
    return {
        **base,
        "IMPORTER_WORKER_NICE": "0",
        "IMPORTER_EMBED_MODEL_DIR": settings.embed.model_dir,
        "IMPORTER_EMBED_ENGINE": settings.embed.engine,
        "IMPORTER_EMBED_PRECISION": settings.embed.precision,
        "IMPORTER_MEMORY_PROFILE": settings.memory.profile,
        "HF_HUB_OFFLINE": "1",  # no rival's start depends on a network
    }


def versions() -> dict[str, Any]:
    """Return the machine and the versions of what runs on it."""
    return {
        "machine": {
            "cores": cores(),
            "memory_bytes": memory_limit_bytes(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "versions": {"importer": __version__, **{name: version(name) for name in LIBRARIES}},
    }
