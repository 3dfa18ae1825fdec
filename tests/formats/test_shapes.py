"""Words in any shape of a field: each is found in a turn, or counted; none is dropped without a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fold_lines import feed
from hypothesis import example, given, settings
from hypothesis import strategies as st

from importer.formats._shared import words

WORD = "gannet"
NAMES = ["text", "content", "parts", "value", "words", "a", "type", "kind"]
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.just(""), st.sampled_from(["x", "text"]))


def around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Put a value into a list or an object, beside others."""
    listed = st.tuples(st.lists(SCALARS, max_size=2), inner, st.lists(SCALARS, max_size=2)).map(
        lambda parts: [*parts[0], parts[1], *parts[2]]
    )
    return st.one_of(listed, st.builds(lambda name, one: {name: one}, st.sampled_from(NAMES), inner))


SHAPES = st.recursive(st.just(WORD), around, max_leaves=4)

Make = Callable[[Any], list[dict[str, Any]]]
CHATGPT = {"id": "c1", "title": "t", "current_node": "n"}


def chatgpt(message: Any) -> list[dict[str, Any]]:
    return [{**CHATGPT, "mapping": {"n": {"id": "n", "parent": None, "children": [], "message": message}}}]


def claude(message: Any) -> list[dict[str, Any]]:
    return [{"uuid": "c1", "chat_messages": [message]}]


def request(**fields: Any) -> list[dict[str, Any]]:
    return [{"sessionId": "s1"}, {"requestId": "r1", **fields}]


FIELDS: list[tuple[str, str, Make]] = [
    ("claude-ai", "content", lambda one: claude({"sender": "human", "content": one})),
    ("claude-ai", "block", lambda one: claude({"sender": "human", "content": [{"type": "text", "text": one}]})),
    ("claude-ai", "text", lambda one: claude({"sender": "assistant", "text": one})),
    ("claude-ai", "paste", lambda one: claude({"sender": "human", "attachments": [{"extracted_content": one}]})),
    ("chatgpt", "content", lambda one: chatgpt({"author": {"role": "user"}, "content": one})),
    ("chatgpt", "parts", lambda one: chatgpt({"author": "user", "content": {"content_type": "text", "parts": one}})),
    ("chatgpt", "unsigned", lambda one: chatgpt({"content": one})),
    ("vscode-chat", "message", lambda one: request(message=one, response=[])),
    ("vscode-chat", "response", lambda one: request(message="x", response=one)),
    ("vscode-chat", "markdown", lambda one: request(message="x", response=[{"value": one}])),
    ("continue-dev", "content", lambda one: [{"sessionId": "s"}, {"message": {"role": "user", "content": one}}]),
    ("continue-dev", "message", lambda one: [{"sessionId": "s"}, {"message": one}]),
    ("jsonl-chat", "content", lambda one: [{"role": "user", "content": one}]),
    ("jsonl-chat", "messages", lambda one: [{"messages": [{"role": "user", "value": one}]}]),
    ("jsonl-chat", "completion", lambda one: [{"prompt": "x", "completion": one}]),
]


@pytest.mark.parametrize(("name", "make"), [pytest.param(n, m, id=f"{n}-{field}") for n, field, m in FIELDS])
@settings(max_examples=80, deadline=None)
@example(WORD)
@given(SHAPES)
def test_nothing_is_both_dropped_and_uncounted(name: str, make: Make, shape: Any) -> None:
    """A word in any shape is in a turn, or the record counts as unknown or as a problem."""
    fed = feed(name, *make(shape))
    told = any(WORD in turn.text for one in fed for turn in one.turns)
    assert told or any(one.unknown or one.problems for one in fed)


@pytest.mark.parametrize("wordless", [{"type": "image", "source": {"data": WORD}}, {"type": "tool_use", "name": WORD}])
def test_pictures_and_calls_hold_no_words(wordless: dict[str, Any]) -> None:
    """What is known to hold none is neither read nor counted."""
    assert words.words(["x", wordless]) == ("x", 0)


def test_content_too_deep_is_counted() -> None:
    """Lists in lists end somewhere, and what stands below is counted."""
    deep: Any = WORD
    for _ in range(50):
        deep = [deep]
    assert words.words(deep) == ("", 1)
