"""Say with which words other programs start this installation: its program, and what of our settings they do not see.

An assistant, a service manager and cron start with another environment and in another folder. So the program is an
absolute path, and the settings file, the state and the store that are in effect here are said as flags.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from importer.errors import UsageError
from importer.settings.load import Loaded

SAID = {"state_dir", "store.location"}  # by flags
EDGE = "edge"
CACHES = ("/.cache/", "/Library/Caches/", "/uv/archive-v", "/uv/environments-v", "/pipx/cache/")


def importer_words(python: str = sys.executable, beside: Callable[[str], bool] = os.path.exists) -> list[str]:
    """Return the command that starts this installation: the script beside its Python, else the module."""
    script = os.path.join(os.path.dirname(python), "importer")
    return [script] if beside(script) else [python, "-P", "-m", "importer"]


def check_lasting(prefix: str = sys.prefix) -> None:
    """Raise UsageError where this program lies in a cache, as `uvx` and `pipx run` have it: it will be gone one day."""
    if any(part in f"{prefix}/" for part in CACHES):
        hint = "`uv tool install` or `pipx install` it, and let that one do this"
        raise UsageError(f"this program lies in a cache that is emptied now and then: {prefix}", hint=hint)


def flags(group: Mapping[str, Any], loaded: Loaded, environ: Mapping[str, str], home: str) -> list[str]:
    """Return the flags for the settings in effect; `group` are the flags of this command line, by name."""
    said, settings = list[str](), loaded.settings
    if file := group.get("config") or environ.get("IMPORTER_CONFIG"):
        said += ["--config", os.path.abspath(file)]
    state = os.path.abspath(settings.state_dir)
    if loaded.origins["state_dir"] != "file" and state != f"{home}/.local/state/importer":
        said += ["--state-dir", state]
    location = settings.store.location
    if loaded.origins["store.location"] not in {"default", "file"} and (location != EDGE or file):
        said += ["--store", _absolute(location)]
    return said


def _absolute(location: str) -> str:
    """Return the location of a store from anywhere."""
    kind, colon, path = location.partition(":")
    return f"{kind}:{os.path.abspath(path)}" if colon and "://" not in location and kind == "local" else location


def unseen(loaded: Loaded) -> list[str]:
    """Return the variables that settings come from and that other programs may not see."""
    told = {one.removeprefix("environment ") for name, one in loaded.origins.items() if name not in SAID}
    return sorted(name for name in told if name not in {"flag", "file", "default"} and "LOG" not in name)
