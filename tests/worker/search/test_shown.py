"""Which chunk of a conversation is shown first: the nearest by meaning, where the words of the best are no evidence."""

from __future__ import annotations

import pytest

from importer.worker.search.ranking import RankedConversation, Scored
from importer.worker.search.shown import first_shown

POINTS, TERMS = 1_000, 5  # words could come to 34.5


def chunk(id: str, lexical: float, cosine: float | None, date: float = 0.0) -> Scored:
    return Scored(id, lexical + 8 * (cosine or 0.0), lexical, lexical, cosine, date)


@pytest.mark.parametrize(
    ("chunks", "first"),
    [
        ([chunk("word", 4.3, 0.1), chunk("meaning", 0.0, 0.45)], "meaning"),  # one common word
        ([chunk("words", 12.0, 0.2), chunk("meaning", 0.0, 0.45)], "words"),  # many of them
        ([chunk("word", 4.3, 0.4), chunk("meaning", 0.0, 0.44)], "word"),  # hardly nearer
        ([chunk("dated", 4.3, 0.1, date=1.0), chunk("meaning", 0.0, 0.45)], "dated"),
        ([chunk("unknown", 4.3, None), chunk("other", 4.0, None)], "unknown"),
        ([chunk("alone", 0.0, 0.2)], "alone"),
    ],
)
def test_first(chunks: list[Scored], first: str) -> None:
    """The order of conversations stays, and no chunk is lost."""
    given = [RankedConversation("a", 9.0, tuple(chunks)), RankedConversation("b", 12.0, tuple(chunks))]
    shown = first_shown(given, POINTS, TERMS)
    assert [(one.id, one.score, one.chunks[0].id) for one in shown] == [("a", 9.0, first), ("b", 12.0, first)]
    assert all({*one.chunks} == {*chunks} for one in shown)


def test_an_unknown_number_of_words() -> None:
    """Without the question's words nothing can be said of their share: the order stays."""
    chunks = (chunk("word", 4.3, 0.1), chunk("meaning", 0.0, 0.45))
    assert first_shown([RankedConversation("a", 9.0, chunks)], POINTS, 0)[0].chunks == chunks
