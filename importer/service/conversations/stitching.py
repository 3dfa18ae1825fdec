"""Join the chunks of exchanges to texts again (pure): a later chunk begins with what it repeats of the one before.

An exchange is a prompt and what answered it. How far the prompt goes is told by the chunk in which it ends; of chunks
that earlier versions stored, which tell nothing of it, an exchange is one text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from importer.chunking.redact import mask
from importer.service.conversations.values import SaidTurn

LEAST_OVERLAP = 12  # characters; fewer may be the same by chance


def turns(chunks: Iterable[Mapping[str, Any]]) -> list[SaidTurn]:
    """Return what was said, as a turn of the person and one of the assistant; `chunks` are a thread's, in order."""
    found: list[SaidTurn] = []
    for message, group in groupby(chunks, key=lambda chunk: str(chunk["metadata"].get("message_id", ""))):
        found += exchange(list(group), message)
    return found


def exchange(chunks: Iterable[Mapping[str, Any]], message: str) -> list[SaidTurn]:
    """Return the turns of one exchange: of unknown speakers, a single one of the role `exchange`."""
    text, at, kind, asked = "", "", "", 0
    for chunk in chunks:
        known, document = chunk["metadata"], chunk["document"]
        before, text = len(text), joined(text, document)
        at, kind = str(known.get("timestamp", "")) or at, str(known.get("kind", ""))
        told = known.get("asked_chars")
        if not isinstance(told, int) or asked < 0:
            asked = -1
        elif asked == before:  # all that came so far is the prompt's
            asked = max(asked, len(text) - len(document) + told)
    return _parted(text, at, kind, asked, message)


def _parted(text: str, at: str, kind: str, asked: int, message: str) -> list[SaidTurn]:
    """Return an exchange as turns: the first `asked` characters are the person's, -1 for unknown."""
    if kind == "subagent":
        return [SaidTurn(kind, text, at, message)]
    if asked < 0:
        return [SaidTurn("exchange", text, at, message)]
    parts = (("user", text[:asked].strip()), ("assistant", text[asked:].strip()))
    return [SaidTurn(role, part, at, message) for role, part in parts if part]


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
