"""What a command gets from its invocation: the settings in effect, and the state they name.

Light on purpose: formats and state are loaded when they are needed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from importer import log
from importer.settings.load import Loaded, Settings
from importer.settings.read import read

if TYPE_CHECKING:
    from importer.state.checkpoints import Checkpoints

FLAGS = {
    "state_dir": "state_dir",
    "store": "store.location",
    "also": "search.also",
    "log_level": "log.level",
    "log_format": "log.format",
}


def settings_of(ctx: click.Context, more: Mapping[str, Any] | None = None, *, level: str = "warning") -> Loaded:
    """Return the settings in effect, of flags, `more` (by dotted name), environment and file. Configures the log.

    `level` is the least level logged where none is set: a command that prints an answer logs only trouble.
    """
    group: Mapping[str, Any] = ctx.find_root().obj or {}
    flags = {FLAGS[name]: value for name, value in group.items() if name in FLAGS}
    loaded = read({**flags, **(more or {})}, os.environ, group.get("config") or "")
    if loaded.settings.formats.plugins:
        from importer import formats

        formats.plug(loaded.settings.formats.plugins)
    chosen = loaded.settings.log
    least = level if loaded.origins["log.level"] == "default" else chosen.level
    log.configure(least, chosen.format, secrets=loaded.secret_values)
    return loaded


def peek(settings: Settings) -> Checkpoints | None:
    """Open the checkpoints for reading beside a writer; None when nothing was imported yet. Raises StateError."""
    from importer.state.checkpoints import Checkpoints
    from importer.state.open_database import FILE_NAME

    return Checkpoints.peek(os.path.join(settings.state_dir, FILE_NAME))


def check_state(settings: Settings) -> None:
    """Raise StateError where nothing was ever imported into an embedded store: a command that only looks makes none."""
    from importer.service.ask import STATE_FILE, no_state

    if settings.store.location == "edge" and not os.path.exists(os.path.join(settings.state_dir, STATE_FILE)):
        raise no_state(settings.state_dir)


@contextmanager
def locked_state(settings: Settings) -> Iterator[Checkpoints]:
    """Lock the state directory in this command's name, and open its checkpoints. Raises StateLocked, StateError."""
    from importer.service import assembly

    called = click.get_current_context(silent=True)
    with assembly.locked_state(settings, command=called.command_path if called else "") as checkpoints:
        yield checkpoints


def importer_of(ctx: click.Context) -> list[str]:
    """Return how this importer is called for another command, with the same flags in front."""
    given = ctx.find_root().params
    flags = [word for name, value in given.items() if value for word in (f"--{name.replace('_', '-')}", str(value))]
    return [sys.executable, "-P", "-m", "importer", *flags]
