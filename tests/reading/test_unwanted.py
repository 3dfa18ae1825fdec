"""What a person says to keep a conversation out, and what does not."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from importer.reading.unwanted import is_unwanted

WISH = "DO NOT INDEX THIS CHAT"


@pytest.mark.parametrize(
    "text",
    [
        WISH,
        "fix it\n\ndo not index this chat.\nthanks",
        "> **Do not index this conversation!**",
        f"fix it\r\n{WISH}\r\nthanks\r\n",
        "Do Not iNDeX This ChAT",
        f'"{WISH}"',
        f"\u201c{WISH}.\u201d",
        f"- {WISH}",
        f"\t* {WISH} *",
        f"1. {WISH}",
        f"__{WISH}__...",
        "Please do not index this chat, please.",
        f"~~~\ncode\n~~~\n{WISH}",
        f"````\n```\n````\n{WISH}",
        f"```\r\ncode\r\n```\r\n{WISH}",
        f"look: ```code``` and `more`\n{WISH}",
    ],
)
def test_asked(text: str) -> None:
    """A line of its own, in any case and in any dress."""
    assert is_unwanted(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "what does DO NOT INDEX THIS CHAT mean",
        f"{WISH}?",
        f"{WISH} room",
        f"`{WISH}`",
        f"```\n{WISH}\n```",
        f"```\r\n{WISH}\r\n```",
        f"~~~\n{WISH}\n~~~",
        f"  ```md\n  {WISH}\n  ```",
        f"````md\n```\n{WISH}\n```\n````",
        f"~~~~\n~~~\n{WISH}\n~~~~",
        f"> ```\n> {WISH}\n> ```",
        f"```\n{WISH}",
    ],
)
def test_not_asked(text: str) -> None:
    """A sentence about the words, a question, and code that holds them ask for nothing."""
    assert not is_unwanted(text)


@pytest.mark.parametrize(
    "made",
    [
        lambda n: ("```\n" + " " * 50 + "do not index this chat x\n") * n,
        lambda n: "> -" * n + f"{WISH} x",
        lambda n: f"{WISH}\n" + "`" * n + "x`",
        lambda n: ("````   \n```\n````\n") * n + f"~~~\n{WISH}",
        lambda n: f"{WISH}{' ' * n}x",
    ],
)
def test_any_text_is_read_in_linear_time(made: Callable[[int], str]) -> None:
    """Ten times the text takes less than fifty times as long."""

    def took(times: int) -> float:
        text = made(times)
        started = time.process_time()  # of the processor: other programs may run beside this one
        is_unwanted(text)
        return time.process_time() - started

    took(100)
    assert min(took(20_000) for _ in range(3)) < 50 * max(took(2_000), 1e-3)
