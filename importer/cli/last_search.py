"""The hits of the last search, kept so that `importer open 2` finds the second: in the state, for its user alone."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from importer.protocol.system.plain import plain

NAME = "last-search.json"
KEPT_CHARS = 200  # of a hit's end, by which its turn is found


def keep(state_dir: str, hits: Sequence[Mapping[str, Any]]) -> None:
    """Keep where hits stand. A state that cannot be written keeps none, which `recall` then says."""
    known = ("conversation_id", "message_id")
    rows = [
        {
            "id": hit["id"],
            "document": ((hit.get("passage") or {}).get("text") or hit["document"])[-KEPT_CHARS:],
            "metadata": {name: hit["metadata"].get(name, "") for name in known},
        }
        for hit in hits
    ]
    path = os.path.join(state_dir, NAME)
    draft = f"{path}.{os.getpid()}"
    with contextlib.suppress(OSError):
        descriptor = plain(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(rows, file)
        os.replace(draft, path)


def recall(state_dir: str, number: int) -> Mapping[str, Any] | None:
    """Return hit `number`, from 1, of the last search; None when it had fewer."""
    try:
        with open(os.path.join(state_dir, NAME), encoding="utf-8", opener=plain) as file:
            rows = json.load(file)
        return dict(rows[number - 1]) if 1 <= number <= len(rows) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None
