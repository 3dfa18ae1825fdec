"""The model that `importer migrate --model` has embedded the store anew with: it counts where settings name none.

A file in the state directory, so that the store's model needs no setting. Settings that name a model win.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from importer.errors import UsageError
from importer.protocol.system.plain import plain

FILE = "embedding-model.json"
NAMES = ("embed.provider", "embed.model", "embed.dimension")


def chosen(state_dir: str) -> Mapping[str, str]:
    """Return these settings by dotted name, {} where nothing was chosen. Raises UsageError for a damaged file."""
    path = os.path.join(state_dir, FILE)
    try:
        with open(path, encoding="utf-8", opener=plain) as file:
            found = json.load(file)
    except (FileNotFoundError, NotADirectoryError, PermissionError):  # what opens the state says the latter better
        return {}
    except (OSError, ValueError) as error:
        hint = "delete it, and set EMBEDDING_MODEL to the model that the store was made with"
        raise UsageError(f"{path} cannot be read: {error}", hint=hint) from error
    known = found if isinstance(found, dict) else {}
    return {name: str(known[name]) for name in NAMES if name in known}
