"""Chunks of an exchange become its text again: what they repeat is left out, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from turn_builders import turn

from importer.chunking.fold import Cutting, Folding, Origin, feed, surface
from importer.protocol.records import Chunk
from importer.service.conversations.stitching import exchanges

CUTTING, ORIGIN = Cutting(200, 60), Origin("chat", "host")


def chunks(question: str, answers: list[str]) -> list[dict[str, Any]]:
    """Return the chunks of one exchange as the store gives them, in order."""
    folding = Folding()
    found: dict[str, Chunk] = {}
    for number, one in enumerate([question, *answers]):
        step = feed(folding, turn(number, "assistant" if number else "user", one), CUTTING, ORIGIN)
        folding = step.folding
        found.update({chunk.id: chunk for chunk in step.chunks})
    found.update({chunk.id: chunk for chunk in surface(folding, CUTTING, ORIGIN).chunks})
    return [{"document": one.text, "metadata": dict(one.metadata)} for one in found.values()]


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=40))
def test_every_word_once(numbers: list[int]) -> None:
    """Words that stand once in what was said stand once in what is joined, in order."""
    words = [f"w{place}x{number}" for place, number in enumerate(numbers)]
    told = exchanges(chunks("how does it go on from here", [" ".join(words)]))
    assert [one for one in " ".join(text for text, *_ in told).split() if one.startswith("w")] == words
