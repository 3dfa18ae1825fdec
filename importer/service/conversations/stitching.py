"""Join the chunks of exchanges to texts again (pure): a later chunk begins with what it repeats of the one before.

Roles are not in the store, so an exchange, a prompt and what answered it, is one text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from importer.chunking.redact import mask

LEAST_OVERLAP = 12  # characters; fewer may be the same by chance


def exchanges(chunks: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Return text, time and first message of each exchange; `chunks` are those of a thread, in order."""
    found = []
    for message, group in groupby(chunks, key=lambda chunk: str(chunk["metadata"].get("message_id", ""))):
        text, at = "", ""
        for chunk in group:
            text, at = joined(text, chunk["document"]), str(chunk["metadata"].get("timestamp", "")) or at
        found.append((text, at, message))
    return found


def joined(text: str, document: str) -> str:
    """Return a text with a chunk behind it, without the prompt's line and the overlap that the chunk begins with."""
    if not text:
        return document
    line, _, rest = document.partition("\n")
    fresh = rest if rest and text.startswith(line.rstrip("…").rstrip()) else document
    for size in range(min(len(text), len(fresh)), LEAST_OVERLAP - 1, -1):
        if text.endswith(fresh[:size]):
            return text + fresh[size:]
    return f"{text}\n{fresh}"


def masked(text: str) -> str:
    """Return a text with what looks like a key, a token or a password masked."""
    return mask(text)
