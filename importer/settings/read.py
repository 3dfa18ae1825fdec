"""Read the settings in effect: of what is given, the environment, the files of keys, and a settings file."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from typing import Any

from importer.errors import UsageError
from importer.protocol.system.plain import read_given
from importer.settings.chosen import chosen
from importer.settings.load import MIGRATED, Loaded, RawValue, load, read_secrets

MOST_FILE_BYTES = 256 * 1024  # of settings
# The parser takes the square of it. Nothing here goes back, so that the search itself is linear.
LONG_KEY = re.compile(rb"""(?<![\w-])(?>(?>[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){32}""")


def read(given: Mapping[str, Any], environ: Mapping[str, str], file: str = "") -> Loaded:
    """Return the settings of `given` (by dotted name), the environment, and a file: this one, or IMPORTER_CONFIG's.

    Raises UsageError that names every problem.
    """
    file = file or environ.get("IMPORTER_CONFIG") or ""
    home, host = os.path.expanduser("~"), socket.gethostname()
    keys = read_secrets(environ, _text)  # from *_FILE and systemd's credentials
    document = _document(file)
    loaded = load(given, environ, document, home=home, host=host, keys=keys, file=file)
    if {loaded.origins["embed.provider"], loaded.origins["embed.model"]} != {"default"}:
        return loaded
    model = {name: RawValue(value, MIGRATED, True) for name, value in chosen(loaded.settings.state_dir).items()}
    return load(given, environ, document, home=home, host=host, keys={**model, **keys}, file=file) if model else loaded


def _text(path: str) -> str:
    """Return the text of a file that holds a key. Raises OSError and UnicodeDecodeError."""
    return read_given(path, MOST_FILE_BYTES).decode()


def _document(path: str) -> Mapping[str, Any]:
    """Return the parsed settings file, {} without one. Raises UsageError for one that cannot be read or is no TOML."""
    if not path:
        return {}
    import tomllib  # noqa: PLC0415  most have no such file

    try:
        raw = read_given(path, MOST_FILE_BYTES + 1)
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
