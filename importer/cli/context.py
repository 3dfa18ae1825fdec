"""What a command gets from its invocation: the settings in effect, and the state they name.

Light on purpose: formats and state are loaded when they are needed.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from importer import log
from importer.errors import UsageError
from importer.settings.load import Loaded, Settings, load, read_secrets

if TYPE_CHECKING:
    from importer.state.checkpoints import Checkpoints

MOST_FILE_BYTES = 256 * 1024  # of settings
# The parser takes the square of it. Nothing here goes back, so that the search itself is linear.
LONG_KEY = re.compile(rb"""(?<![\w-])(?>(?>[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){32}""")
FLAGS = {"state_dir": "state_dir", "store": "store.location", "log_level": "log.level", "log_format": "log.format"}


def settings_of(ctx: click.Context, more: Mapping[str, Any] | None = None, *, level: str = "warning") -> Loaded:
    """Return the settings in effect, of flags, `more` (by dotted name), environment and file. Configures the log.

    `level` is the least level logged where none is set: a command that prints an answer logs only trouble.
    """
    group: Mapping[str, Any] = ctx.find_root().obj or {}
    flags = {FLAGS[name]: value for name, value in group.items() if name in FLAGS}
    file = group.get("config") or os.environ.get("IMPORTER_CONFIG") or ""
    home, host = os.path.expanduser("~"), socket.gethostname()
    keys = read_secrets(os.environ, _text)  # from *_FILE and systemd's credentials
    given = {**flags, **(more or {})}
    loaded = load(given, os.environ, _document(file), home=home, host=host, keys=keys, file=file)
    if loaded.settings.formats.plugins:
        from importer import formats

        formats.plug(loaded.settings.formats.plugins)
    chosen = loaded.settings.log
    least = level if loaded.origins["log.level"] == "default" else chosen.level
    log.configure(least, chosen.format, secrets=loaded.secret_values)
    return loaded


def _text(path: str) -> str:
    """Return the text of a file that holds a key. Raises OSError and UnicodeDecodeError."""
    with open(path, encoding="utf-8") as file:
        return file.read()


def _document(path: str) -> Mapping[str, Any]:
    """Return the parsed settings file, {} without one. Raises UsageError for one that cannot be read or is no TOML."""
    if not path:
        return {}
    import tomllib

    try:
        with open(path, "rb") as file:
            raw = file.read(MOST_FILE_BYTES + 1)
        if len(raw) > MOST_FILE_BYTES:
            raise ValueError(f"it is larger than {MOST_FILE_BYTES:,} bytes")
        if LONG_KEY.search(raw):
            raise ValueError("a name of more than 32 parts")
        return tomllib.loads(raw.decode())
    except OSError as error:
        hint = "it is named by --config or IMPORTER_CONFIG"
        raise UsageError(f"settings file {path}: {error.strerror}", hint=hint) from error
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, a number without end; nested without end
        why = "nested too deeply" if isinstance(error, RecursionError) else error
        hint = "it is TOML; `importer config --markdown` lists the names"
        raise UsageError(f"settings file {path}: {why}", hint=hint) from error


def peek(settings: Settings) -> Checkpoints | None:
    """Open the checkpoints for reading beside a writer; None when nothing was imported yet. Raises StateError."""
    from importer.state.checkpoints import Checkpoints
    from importer.state.open_database import FILE_NAME

    return Checkpoints.peek(os.path.join(settings.state_dir, FILE_NAME))


@contextmanager
def locked_state(settings: Settings) -> Iterator[Checkpoints]:
    """Lock the state directory in this command's name, and open its checkpoints. Raises StateLocked, StateError."""
    from importer.service import assembly

    called = click.get_current_context(silent=True)
    with assembly.locked_state(settings, command=called.command_path if called else "") as checkpoints:
        yield checkpoints
