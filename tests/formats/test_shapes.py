"""Words in any shape of a field: each is found in a turn, or its record is counted; none is lost without a number."""

from __future__ import annotations

import os
from typing import Any

import planted_shapes
import planted_talk
import pytest
from fold_lines import feed
from planted_shapes import Planter

from importer.formats._shared import salvage, words

PLACES = planted_shapes.PLACES | planted_talk.PLACES
EXAMPLES = int(os.environ.get("SHAPE_EXAMPLES", "60"))  # of each place; 2,000 are 20,000 of a format
EVERYWHERE = [pytest.param(name, place, id=f"{name}-{place}") for name in PLACES for place in PLACES[name]]


def lost(name: str, place: str, seed: int) -> tuple[Any, list[str]]:
    """Return a shape and its words that are neither in a turn nor counted."""
    planter = Planter(seed)
    records = planted_talk.RECORDS if name in planted_talk.PLACES else planted_shapes.RECORDS
    shape = planter.record() if place in records else planter.shape()
    fed = feed(name, *PLACES[name][place](shape))
    said = "\n".join(turn.text for one in fed for turn in one.turns)
    counted = any(one.unknown or one.problems for one in fed)
    return shape, [] if counted else [word for word in planter.words if word not in said]


@pytest.mark.parametrize(("name", "place"), EVERYWHERE)
def test_every_word_is_read_or_counted(name: str, place: str) -> None:
    """Of several words in one record none is lost beside the others."""
    found = [one for one in (lost(name, place, seed) for seed in range(EXAMPLES)) if one[1]]
    assert min(found, key=str, default=None) is None


@pytest.mark.parametrize(("name", "place"), EVERYWHERE)
@pytest.mark.parametrize("depth", [50, 300])
def test_words_nested_without_end_are_counted(name: str, place: str, depth: int) -> None:
    """Deeper than can be followed they are a problem of the line, or counted; some places have one list already."""
    deep: Any = "wren"
    for _ in range(depth):
        deep = [deep]
    fed = feed(name, *PLACES[name][place](deep))
    assert any(one.unknown or one.problems for one in fed) or "wren" in "".join(
        t.text for one in fed for t in one.turns
    )


@pytest.mark.parametrize(
    "wordless",
    [{"type": "image", "source": {"data": "x"}}, {"type": "tool_use", "name": "x"}, {"functionCall": {"a": 1}}],
)
def test_pictures_and_calls_hold_no_words(wordless: dict[str, Any]) -> None:
    """What is known to hold none is neither read nor counted."""
    assert words.words(["x", wordless]) == ("x", 0)


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ({"type": "text", "text": "", "content": "Sow in May."}, "Sow in May."),
        ({"type": "text", "text": [{"type": "image"}], "content": "Sow in May."}, "Sow in May."),
        ({"text": "Sow in May.", "content": "Water daily."}, "Sow in May.\n\nWater daily."),
        ({"text": "Sow  in May.", "parts": ["Sow in", "May."]}, "Sow  in May."),
        ({"type": "input_audio", "audio": "UklGR", "transcript": "Sow in May."}, "Sow in May."),
        ({"type": "document", "source": {"type": "text", "data": "Sow in May."}}, "Sow in May."),
        ({"functionCall": {"name": "x"}, "text": "Sow in May."}, "Sow in May."),
    ],
)
def test_words_beside_others_are_read_once(block: dict[str, Any], text: str) -> None:
    """A member without words does not hide another; what one repeats of the other is said once."""
    assert words.words([block]) == (text, 0)


def test_content_too_deep_is_counted() -> None:
    """Lists in lists end somewhere, and what stands below is counted."""
    deep: Any = "wren"
    for _ in range(50):
        deep = [deep]
    assert words.words(deep) == ("", 1)


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("copilot-cli", {"type": "assistant.message", "data": {"content": "x", "toolRequests": {"name": "ask user"}}}),
        ("gemini", {"type": "gemini", "content": "x", "thoughts": "deep in thought"}),
        ("codex", {"type": "response_item", "payload": {"type": "message", "role": ["the user"], "content": "x"}}),
        ("continue-dev", {"message": {"role": "assistant", "content": "x", "toolCalls": "ask the user"}}),
    ],
)
def test_a_field_of_another_type_is_counted(name: str, record: dict[str, Any]) -> None:
    """A field that is left out because it does not fit is counted where it may say something."""
    assert feed(name, record)[0].unknown


def test_marks_of_another_type_say_nothing() -> None:
    """A number in the place of a name costs that name and is not counted."""
    found = salvage.fitting(b'{"problems":7,"strangers":"two"}', salvage.Whole)
    assert found and found.lost == 0
