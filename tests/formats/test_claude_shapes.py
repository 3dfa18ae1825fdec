"""Words in fields of Claude Code's lines, in shapes of all kinds: each is found, or its line is counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transcripts import answer, call, feed, line, prompt, queue

WORD = "marram"

WRAPPED = (
    lambda inner: [inner],
    lambda inner: [7, inner],
    lambda inner: [{"type": "text", "text": "beside"}, inner],
    lambda inner: {"type": "text", "text": inner},
    lambda inner: {"type": 5, "text": inner},
    lambda inner: {"text": inner},
    lambda inner: {"content": inner},
    lambda inner: {"value": inner, "id": 5},
    lambda inner: {"type": "hologram", "text": inner},
    lambda inner: {"odd": inner},
    lambda inner: {"type": "text", "odd": inner},
)


@st.composite
def shapes(draw: st.DrawFn) -> Any:
    """Give the word in up to five wrappings, from the inside out."""
    value: Any = WORD
    for wrap in draw(st.lists(st.sampled_from(WRAPPED), max_size=5)):
        value = wrap(value)
    return value


PLACES = {
    "prompt": lambda shape: [prompt(shape)],
    "message": lambda shape: [line("user", message=shape)],
    "line": lambda shape: [line("user", content=shape)],
    "answer": lambda shape: [answer(message={"role": "assistant", "content": shape})],
    "reply": lambda shape: [line("assistant", message=shape)],
    "block": lambda shape: [prompt([{"type": "text", "text": shape}])],
    "queue": lambda shape: [queue("enqueue", shape), queue("remove")],
    "removed": lambda shape: [queue("remove", shape)],
    "attachment": lambda shape: [line("attachment", attachment={"type": "queued_command", "prompt": shape})],
    "plan": lambda shape: [answer(call("ExitPlanMode", plan=shape))],
    "note": lambda shape: [answer(call("SendUserMessage", message=shape))],
}


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=60, deadline=None)
@example(shape=[[[[WORD]]]])
@example(shape={"text": {"content": {"odd": WORD}}})
@given(shape=shapes())
def test_words_in_any_shape_are_found_or_counted(place: str, shape: Any) -> None:
    """Nothing is both dropped and uncounted."""
    fed = feed(*PLACES[place](shape))
    found = any(WORD in turn.text for one in fed for turn in one.turns)
    assert found or any(one.unknown or one.problems for one in fed)


@pytest.mark.parametrize("place", PLACES)
def test_words_nested_without_end_raise_nothing(place: str) -> None:
    """Deeper than can be followed they are a problem of the line, or counted."""
    deep: Any = WORD
    for _ in range(300):
        deep = [deep]
    assert any(one.unknown or one.problems or one.turns for one in feed(*PLACES[place](deep)))
