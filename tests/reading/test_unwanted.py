"""What a person says to keep a conversation out, and what does not."""

from __future__ import annotations

import time

import pytest

from importer.reading.unwanted import is_unwanted


@pytest.mark.parametrize(
    "text",
    ["DO NOT INDEX THIS CHAT", "fix it\n\ndo not index this chat.\nthanks", "> **Do not index this conversation!**"],
)
def test_asked(text: str) -> None:
    """A line of its own, in any case."""
    assert is_unwanted(text)


@pytest.mark.parametrize(
    "text",
    ["", "what does DO NOT INDEX THIS CHAT mean", "```\nDO NOT INDEX THIS CHAT\n```", "do not index this chat room"],
)
def test_not_asked(text: str) -> None:
    """A sentence about the words, and code that holds them, ask for nothing."""
    assert not is_unwanted(text)


def test_any_text_is_read_in_linear_time() -> None:
    """Ten times the text takes less than fifty times as long."""

    def took(times: int) -> float:
        text = ("```\n" + " " * 50 + "do not index this\n") * times
        started = time.perf_counter()
        is_unwanted(text)
        return time.perf_counter() - started

    took(100)
    assert took(20_000) < 50 * max(took(2_000), 1e-4)
