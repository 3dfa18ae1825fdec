"""Chunks of an exchange become its text again: what they repeat is left out, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from turn_builders import turn

from importer.chunking.fold import Cutting, Folding, Origin, feed, surface
from importer.protocol.records import Chunk
from importer.service.conversations.stitching import turns

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
    told = turns(chunks("how does it go on from here", [" ".join(words)]))
    assert [one for one in " ".join(turn.text for turn in told).split() if one.startswith("w")] == words


@given(st.integers(1, 120), st.integers(1, 120))
def test_prompt_and_answer_are_parted(asked: int, answered: int) -> None:
    """However many chunks each fills, the person's words are one turn and the assistant's the next."""
    question, answer = (" ".join(f"{who}{n}" for n in range(count)) for who, count in (("u", asked), ("a", answered)))
    told = [(turn.role, turn.text.split()) for turn in turns(chunks(question, [answer]))]
    assert told == [("user", question.split()), ("assistant", answer.split())]


def test_speakers_that_are_not_told_are_not_guessed() -> None:
    """Chunks of earlier versions know neither: the exchange stays one text."""
    older = [
        {**one, "metadata": {name: value for name, value in one["metadata"].items() if name != "asked_chars"}}
        for one in chunks("why", ["because"])
    ]
    assert [(turn.role, turn.text) for turn in turns(older)] == [("exchange", "why\n\nbecause")]
