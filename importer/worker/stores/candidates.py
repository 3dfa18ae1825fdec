"""What a store gives for a question: chunks with their raw scores, for `worker/search/ranking` to rank.

Up to three rankings are read (exact words, stems, vectors), each `DEPTH` deep, and once more within each of the times
that the question names. A chunk that only one ranking has keeps None or 0 for the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

DEPTH = 100  # 50 lost 0.6 points of the first hits, 200 and 300 gained none (RANKING study, 3 f)
FACTS = ["metadata.conversation_id", "metadata.timestamp"]  # what ranking reads of a payload

Times = tuple[str, str]  # since and until, RFC 3339, both inclusive


@dataclass(frozen=True, slots=True)
class Candidate:
    """One chunk: `words` and `stems` are BM25 scores, 0 if not ranked by them; `cosine` is None if not ranked by it.

    `conversation` is the one its metadata name, "" for other programs' points; `at` is RFC 3339 or "".
    """

    id: str
    conversation: str = ""
    at: str = ""
    words: float = 0.0
    stems: float = 0.0
    cosine: float | None = None


@dataclass(frozen=True, slots=True)
class Candidates:
    """The chunks found, and whether every point of the store can be found by stems yet.

    `payloads` are those that came whole with the rankings, by id.
    """

    found: tuple[Candidate, ...]
    stemmed: bool = True
    payloads: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Gathering:
    """Merges rankings: each adds its scores to the chunks that are there, and the chunks that are not.

    `whole` are the payloads that came with their documents.
    """

    def __init__(self) -> None:
        self._facts: dict[str, Mapping[str, Any]] = {}
        self._scores: dict[str, dict[str, float]] = {}
        self.whole: dict[str, Mapping[str, Any]] = {}

    def add(self, kind: str, scored: Iterable[tuple[str, float, Mapping[str, Any] | None]]) -> None:
        """Add a ranking of one kind (words, stems or cosine) as `(id, score, payload)`."""
        for id, score, payload in scored:
            if id not in self._scores:
                self._scores[id] = {}
                self._facts[id] = (payload or {}).get("metadata") or {}
            self._scores[id][kind] = float(score)
            if payload and "document" in payload:
                self.whole[id] = payload

    def all(self) -> tuple[Candidate, ...]:
        """Return what was gathered, in the order met."""
        return tuple(_candidate(id, self._facts[id], scores) for id, scores in self._scores.items())


def _candidate(id: str, facts: Mapping[str, Any], scores: Mapping[str, float]) -> Candidate:
    """Return a chunk with its scores, by their kinds, which are its fields."""
    return Candidate(id, str(facts.get("conversation_id") or ""), str(facts.get("timestamp") or ""), **scores)
