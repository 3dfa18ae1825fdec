"""Hits on a terminal: grouped by conversation, marked, no numbers that mean nothing, nothing that commands it."""

from __future__ import annotations

import json
from typing import Any

import click
import pytest

from importer.cli import hits_view


def hit(conversation: str, text: str, score: float, *marks: tuple[int, int], **reasons: float) -> dict[str, Any]:
    """Make a hit as the worker tells it."""
    known = {"conversation_id": conversation, "title": f"About {conversation}", "source": "codex"}
    more = {"passage": {"text": text, "marks": marks}, "reasons": {"conversation": score, **reasons}}
    return {
        "id": f"{conversation}-0123456789",
        "score": score,
        "document": f"{text} and more",
        "metadata": known,
        **more,
    }


def lines(*hits: dict[str, Any], near: str = "strong", columns: int = 80, **look: bool) -> str:
    """Return what is printed."""
    wanted = {"full": False, "every": False, **look}
    return "\n".join(hits_view.shown({"near": near, "hits": hits}, columns, **wanted))


def test_hits_of_one_conversation_stand_together() -> None:
    """One head for two hits; each keeps its number, by which it is opened."""
    shown = click.unstyle(lines(hit("a", "one", 2), hit("a", "two", 2), hit("b", "three", 1.5)))
    assert (shown.count("About a"), shown.count("About b")) == (1, 1)
    assert "2. in the same conversation" in shown
    assert [f"importer open {number} " in shown for number in (1, 2, 3)] == [True] * 3
    assert "2.000" not in shown


def test_the_words_are_marked() -> None:
    """Marks count the characters of the passage, those that are replaced too."""
    shown = lines(hit("a", "so\x1b[2J the kiln", 1, (11, 15)))
    assert click.style("kiln", bold=True, fg="yellow") in shown
    assert "\x1b[2J" not in shown


def test_far_hits_are_cut() -> None:
    """What is far below the best is left out and counted; --all shows it, dimmed."""
    far = hit("b", "far away", 0.1)
    assert "far away" not in lines(hit("a", "near", 2), far)
    assert "1 more is farther" in click.unstyle(lines(hit("a", "near", 2), far))
    assert click.style("far away", dim=True) in lines(hit("a", "near", 2), far, every=True)


@pytest.mark.parametrize(("reasons", "told"), [({}, "nearest by meaning"), ({"words": 1.0}, "no sure match")])
def test_a_weak_answer_says_so(reasons: dict[str, float], told: str) -> None:
    """In words: none of the words was said, or no hit is a sure one."""
    assert told in lines(hit("a", "x", 1, **reasons), near="weak")


@pytest.mark.parametrize(
    ("asked", "told"),
    [(0, ["codex: why oh because so"]), (99, ["you: why oh because so"]), (7, ["you: why oh ", "codex: because so"])],
)
def test_who_says_it(asked: int, told: list[str]) -> None:
    """Before each part of the passage stands its speaker; marks stay where they are."""
    one = hit("a", "why oh because so", 1, (0, 3), (7, 14))
    one["metadata"]["asked_chars"] = asked
    shown = lines(one)
    assert [line.strip(" ") for line in click.unstyle(shown).split("\n")[2 : 2 + len(told)]] == [
        line.strip(" ") for line in told
    ]
    assert all(click.style(word, bold=True, fg="yellow") in shown for word in ("why", "because"))


def test_a_hit_that_does_not_tell_who_speaks() -> None:
    """No name is guessed; a subagent's is told."""
    one = hit("a", "why", 1)
    assert "you:" not in lines(one)
    one["metadata"]["kind"] = "subagent"
    assert "sub-agent: why" in click.unstyle(lines(one))


def test_a_text_is_wrapped_on_a_terminal_alone() -> None:
    """No line is wider than the terminal, none is broken in a pipe, and marks stay on their words."""
    one = hit("a", "some word or other " * 12, 1, (19 * 9 + 5, 19 * 9 + 9))
    assert max(map(len, click.unstyle(lines(one, columns=40, wrap=True)).split("\n"))) <= 40
    assert max(map(len, click.unstyle(lines(one, columns=40)).split("\n"))) > 200
    assert click.style("word", bold=True, fg="yellow") in lines(one, columns=40, wrap=True)


def test_a_narrow_terminal() -> None:
    """No head is longer than the terminal is wide."""
    long = hit("a", "x", 1)
    long["metadata"]["title"] = "word " * 40
    heads = click.unstyle(lines(long, columns=40)).split("\n")[:2]
    assert max(map(len, heads)) <= 40


def test_for_programs() -> None:
    """A line a hit without a tab or line break in a value; JSON with what is typed to go on."""
    odd = hit("a", "one\ttwo\nthree", 1)
    (row,) = hits_view.tabbed([odd])
    assert len(row.split("\t")) == len(hits_view.COLUMNS)
    told = json.loads(hits_view.as_json("q", {"near": "weak", "hits": [odd]}, ["codex resume a"]))
    assert (told["query"], told["near"], told["hits"][0]["resume"]) == ("q", "weak", "codex resume a")
    assert told["hits"][0]["id"] == odd["id"]
