"""Keep which assistants are not to be imported, as `importer sources disable` says: a file of names."""

from __future__ import annotations

import json
import os

from importer.errors import StateError
from importer.protocol.durable import sync
from importer.protocol.system.plain import plain

FILE = "disabled-sources.json"


def disabled(state_dir: str) -> frozenset[str]:
    """Return the names that are switched off. Raises StateError for a file that cannot be read."""
    path = os.path.join(state_dir, FILE)
    try:
        with open(path, encoding="utf-8", opener=plain) as file:
            names = json.load(file)
    except (FileNotFoundError, NotADirectoryError):  # what opens the state says the latter better
        return frozenset()
    except (OSError, ValueError) as error:
        raise StateError(f"{path} cannot be read: {error}", hint="delete it: then everything is imported") from error
    return frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()


def switch(state_dir: str, name: str, *, on: bool) -> bool:
    """Switch a name on or off; return False if it was so already. Raises StateError."""
    before = disabled(state_dir)
    after = before - {name} if on else before | {name}
    if after == before:
        return False
    path = os.path.join(state_dir, FILE)
    try:
        os.makedirs(state_dir, mode=0o700, exist_ok=True)
        with open(f"{path}.new", "w", encoding="utf-8", opener=plain) as file:
            json.dump(sorted(after), file)
        sync(f"{path}.new")
        os.replace(f"{path}.new", path)
        sync(state_dir)
    except OSError as error:
        raise StateError(f"{path} cannot be written: {error.strerror}", hint="nothing was changed") from error
    return True
