"""Texts and lists that make a careless pattern look at the same place again and again: time grows with their length.

Only processor time is compared, of one length with a fourth of it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import planted_shapes
import planted_talk
import pytest
import talk_records
from fold_lines import EVERYTHING, Record, feed
from portions import portion

CHARS = 40_000
STEEPEST = 9.0  # times as long for four times the length, where linear time gives 4 and square time 16
WORTH_S = 0.15  # what takes less for the long text is told by the clock's grain


def of_place(name: str, place: str) -> Callable[[Any], list[Record]]:
    """Return what makes the records of a format with something planted in one place."""
    return (planted_shapes.PLACES | planted_talk.PLACES)[name][place]


def open_webui(text: Any) -> list[Record]:
    """Return the lines of an answer in Open WebUI."""
    node = {"id": "a", "role": "assistant", "content": text}
    return talk_records.open_webui({"history": {"messages": {"a": node}}})


def cursor(text: Any) -> list[Record]:
    """Return the lines of a prompt in a chat of Cursor's command line."""
    return talk_records.rows("cursor", {"blob": json.dumps({"role": "user", "content": text})})


def pastes(number: int) -> list[dict[str, Any]]:
    """Return variables of a request, no two alike."""
    return [{"kind": "file", "id": f"f{one}", "name": str(one)} for one in range(number // 8)]


def calls(number: int) -> list[dict[str, Any]]:
    """Return parts that hold no words, no two alike."""
    return [{"type": "tool_use", "id": f"t{one}", "input": {"path": str(one)}} for one in range(number // 8)]


TEXTS: dict[str, tuple[str, Callable[[Any], list[Record]], str]] = {
    "details that are never closed": ("open-webui", open_webui, '<details type="reasoning">a'),
    "details whose tag is never closed": ("open-webui", open_webui, '<details type="reasoning"'),
    "plans that are never closed": ("codex", of_place("codex", "answer"), "<proposed_plan>\n"),
    "blank lines in a prompt of Cursor": ("cursor", cursor, "\n"),
    "blanks in an answer of a Takeout": ("takeout", of_place("takeout", "answer"), "  "),
    "blocks around a prompt": ("claude-code", of_place("claude-code", "prompt"), "<system-reminder>"),
    "notices in a prompt of Codex": ("codex", of_place("codex", "prompt"), "<environment_context>\n"),
}
LISTS: dict[str, tuple[str, Callable[[Any], list[Record]], Callable[[int], Any]]] = {
    "parts without words": ("vscode-chat", of_place("vscode-chat", "parts"), calls),
    "variables of a request": (
        "vscode-chat",
        lambda some: [{"sessionId": "s"}, {"requestId": "r", "message": "a", "variableData": {"variables": some}}],
        pastes,
    ),
}


def cost_s(name: str, make: Callable[[Any], list[Record]], planted: Any) -> float:
    """Return the processor time of folding."""
    began_s = time.process_time()
    feed(name, *make(planted), options=EVERYTHING)
    return time.process_time() - began_s


def is_steep(name: str, make: Callable[[Any], list[Record]], of_length: Callable[[int], Any]) -> bool:
    """Return True if four times the length takes far more than four times as long, however often it is tried."""
    for _ in range(3):
        short_s, long_s = (cost_s(name, make, of_length(length)) for length in (CHARS, 4 * CHARS))
        if long_s < WORTH_S or long_s < STEEPEST * short_s:
            return False
    return True


@pytest.mark.parametrize("case", TEXTS)
@pytest.mark.parametrize("before", portion(["", "a "], 2))
def test_a_text(case: str, before: str) -> None:
    """At its beginning, and within it."""
    name, make, pattern = TEXTS[case]
    assert not is_steep(name, make, lambda length: before + pattern * (length // len(pattern)))


@pytest.mark.parametrize("case", LISTS)
def test_a_list(case: str) -> None:
    """Of elements that are all different."""
    assert not is_steep(*LISTS[case])


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(planted_shapes.PLACES | planted_talk.PLACES))
def test_any_place_of_any_format(name: str) -> None:
    """Openings without an end, ends without an opening, blanks, quotes and brackets, in each place for words."""
    patterns = (
        "<",
        "<a ",
        "<!--",
        "<user_query>\n",
        "</task>\n",
        "```\n",
        "[",
        '{"a":',
        '"',
        " \n",
        "\n\n",
        "- ",
        "\t",
    )
    for place, make in (planted_shapes.PLACES | planted_talk.PLACES)[name].items():
        for pattern in patterns:
            steep = is_steep(name, make, lambda length, pattern=pattern: pattern * (length // len(pattern)))  # type: ignore[misc]
            assert not steep, (place, pattern)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('<details type="reasoning" done="true">a</details>\nIt is.', "It is."),
        ('It <details type="tool_calls">x</details>is<details type="reasoning">y</details>.', "It is."),
        ('It is <details type="reasoning">not closed', 'It is <details type="reasoning">not closed'),
        ('<details type="reasoning"><details type="reasoning"></details>It is.', "It is."),
        ("<details><summary>It is.</summary></details>", "<details><summary>It is.</summary></details>"),
    ],
)
def test_what_open_webui_puts_into_an_answer(text: str, shown: str) -> None:
    """Closed blocks of its own go; what a person or the model wrote stays."""
    turns = [turn for one in feed("open-webui", *open_webui(text)) for turn in one.turns]
    assert [turn.text for turn in turns] == [shown]


def test_plans_of_codex() -> None:
    """Several in one answer, one that is never closed, a closing that opens nothing, blanks behind the tag."""
    plan = "<proposed_plan> \nOne.\n</proposed_plan>\n"
    text = f"</proposed_plan>\nSo:\n{plan}{plan.replace('One', 'Two')}<proposed_plan>\nThree."
    found = [turn for one in feed("codex", *of_place("codex", "answer")(text)) for turn in one.turns]
    assert [turn.text for turn in found if turn.facts.kind == "plan"] == ["One.", "Two."]
