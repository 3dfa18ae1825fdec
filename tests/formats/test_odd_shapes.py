"""Words of people and assistants in any shape: each is found in a turn, or the line counts as unknown."""

from __future__ import annotations

from typing import Any

import pytest
from codex_lines import envelope, event, item
from fold_lines import feed
from hypothesis import given, settings
from hypothesis import strategies as st

WORD = "marlinspike"
SHAPES = st.recursive(
    st.sampled_from([WORD, f"a {WORD} is", 7, True, 1.5]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3),
        st.dictionaries(st.sampled_from(["text", "content", "parts", "type", "value", "odd"]), inner, min_size=1),
    ),
    max_leaves=6,
)
COPILOT = {"id": "e1", "timestamp": "2026-06-25T01:50:00.403Z"}
GEMINI = {"id": "m1", "timestamp": "2026-03-01T09:00:00.000Z"}
PLACES: dict[str, Any] = {
    "codex prompt": lambda odd: ("codex", item("message", role="user", content=odd)),
    "codex answer": lambda odd: ("codex", item("message", role="assistant", content=odd)),
    "codex event": lambda odd: ("codex", event("user_message") | {"payload": {"type": "user_message", "message": odd}}),
    "codex payload": lambda odd: ("codex", envelope("response_item") | {"payload": odd}),
    "copilot prompt": lambda odd: ("copilot-cli", {**COPILOT, "type": "user.message", "data": {"content": odd}}),
    "copilot answer": lambda odd: ("copilot-cli", {**COPILOT, "type": "assistant.message", "data": {"content": odd}}),
    "gemini prompt": lambda odd: ("gemini", {**GEMINI, "type": "user", "content": odd}),
    "gemini answer": lambda odd: ("gemini", {**GEMINI, "type": "gemini", "content": odd}),
    "gemini parts": lambda odd: ("gemini", {**GEMINI, "type": "user", "parts": odd}),
    "gemini shown": lambda odd: ("gemini", {**GEMINI, "type": "user", "content": "x", "displayContent": odd}),
}


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=60, deadline=None)
@given(odd=SHAPES)
def test_no_word_is_both_left_out_and_uncounted(place, odd):
    """A block's type is a name and no word."""
    name, record = PLACES[place](odd)
    (fed,) = feed(name, record)
    found = any(WORD in turn.text for turn in fed.turns)
    assert found or fed.unknown or fed.problems or WORD not in _told(odd)


def _told(odd: Any) -> str:
    """Return all that a value says, but for what names the type of a block."""
    if isinstance(odd, dict):
        return " ".join([_told(value) for name, value in odd.items() if name != "type"])
    return " ".join(map(_told, odd)) if isinstance(odd, list) else str(odd)
