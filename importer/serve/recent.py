"""Remember the last searches: a hit that is opened is shown at the passage that was found, not at its beginning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MOST = 500  # hits, and as many conversations
SHORT = 8  # letters that name a hit


class Recent:
    """What was found last: the passage of each hit, and the query that each conversation was found by."""

    def __init__(self) -> None:
        self._passages: dict[str, str] = {}
        self._queries: dict[str, str] = {}

    def note(self, query: str, hits: Sequence[Mapping[str, Any]]) -> None:
        """Note the hits of a query."""
        for hit in hits:
            passage = str((hit.get("passage") or {}).get("text") or "")
            _put(self._passages, str(hit["id"])[:SHORT], passage)
            _put(self._queries, str(hit["metadata"].get("conversation_id", "")), query)

    def passage(self, id: str) -> str:
        """Return the passage of a hit, "" where none is known."""
        return self._passages.get(id[:SHORT].lower(), "")

    def query(self, conversation: str) -> str:
        """Return the last query that found a conversation, "" for none."""
        return self._queries.get(conversation, "")


def _put(known: dict[str, str], name: str, value: str) -> None:
    """Put a value behind all others, and let the oldest go."""
    known.pop(name, None)
    known[name] = value
    if len(known) > MOST:
        del known[next(iter(known))]
