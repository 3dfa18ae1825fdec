"""Aider's markdown: prompts, answers by paragraph, sessions."""

from __future__ import annotations

from typing import Any

import msgspec
from fold_lines import feed, turns
from hypothesis import given, settings
from hypothesis import strategies as st

from importer import formats

PATH = b"/home/ann/app/.aider.chat.history.md"
START = "# aider chat started at 2024-08-05 19:33:02"


def said(*lines: str) -> list[Any]:
    return turns("aider", *lines, path=PATH)


def test_a_prompt_and_its_answer():
    """Prompts are marked, notes of Aider are skipped, paragraphs are turns at the blank line behind them."""
    found = said(START, "", "> Aider v0.48.1  ", "#### rename foo  ", "", "Done:", "app.py", "", "More.", "")
    assert [(turn.role, turn.text) for turn in found] == [
        ("user", "rename foo"),
        ("assistant", "Done:\napp.py"),
        ("assistant", "More."),
    ]


def test_further_lines_of_a_prompt_belong_to_its_exchange():
    """Only the first line begins one, and it may hold blank ones; a prompt after a blank line begins the next."""
    found = said(START, "#### rename foo  ", "####   ", "#### and keep the tests  ", "", "#### go  ", "")
    assert [(turn.role, turn.text) for turn in found] == [
        ("user", "rename foo"),
        ("assistant", "and keep the tests"),
        ("user", "go"),
    ]


def test_facts_come_from_notes_and_path():
    """Project is the repository's root, time the session's start, model and edited files as Aider says."""
    notes = "> Main model: gpt-4o with diff edit format  ", "> Applied edit to app.py  "
    prompt, edit, answer = said(START, notes[0], "#### go", "", notes[1], "Done.", "")
    assert (prompt.facts.project, prompt.at) == ("/home/ann/app", "2024-08-05T19:33:02.000Z")
    assert (edit.text, edit.facts.files) == ("", ("app.py",))
    assert answer.facts.model == "gpt-4o"


def test_sessions_are_conversations_of_their_own():
    """The same words in another session have other keys, in a copied file the same."""
    other = START.replace("05", "06")
    one, two = said(START, "#### go", other, "#### go")
    assert one.conversation_id != two.conversation_id
    assert one.key != two.key
    assert turns("aider", START, "#### go", path=b"/copy.aider.chat.history.md")[0].key == one.key


def test_the_same_prompt_twice_is_two_turns():
    """Keys are chained, so equal prompts have different keys."""
    one, two = said(START, "#### go", "", "#### go")
    assert one.key != two.key


def test_a_prompt_or_a_session_completes_a_paragraph():
    """Nothing said is lost when no blank line follows it."""
    assert [turn.text for turn in said(START, "Half.", "#### go", "Rest.", START)] == ["Half.", "go", "Rest."]


def test_blank_prompt_is_nothing():
    """Pressing return is written as a word of Aider's own."""
    assert said(START, "#### <blank>") == []


def test_detected_by_a_start_that_is_not_the_first_line():
    """Aider begins with a blank line, and a file may be cut."""
    assert formats.detect(f"\nold text\n{START}\n".encode()) == "aider"
    assert formats.detect(START.encode()) is None


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\n\0\ufeff"), max_size=60).map(
    lambda words: "w" + words * 60
)
LINES = st.one_of(WORDS, st.sampled_from(["", START, "#### ", "> x"]))


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=20))
def test_context_is_bounded_and_nothing_is_lost(lines):
    """Endless paragraphs are given out in parts: below 4 KiB remembered, and every word comes out."""
    fed = feed("aider", START, *lines, "", path=PATH)
    assert all(len(msgspec.json.encode(one.context)) < formats.MAX_CONTEXT_BYTES for one in fed)
    out = "".join(turn.text for one in fed for turn in one.turns)
    assert "".join(out.split()) == "".join("".join(line.split()) for line in lines if line.startswith("w"))


def test_a_quotation_is_the_assistants_and_changes_no_other_key():
    """Aider ends its own lines with two blanks; in a session without such lines all are taken for its own."""
    around = (START, "> Aider v0.86.1  ", "#### What does it say?  ", "", "It says:", "")
    quoted = said(*around, "> Copy it.", "", "So yes.", "")
    assert [turn.text for turn in quoted] == ["What does it say?", "It says:", "Copy it.", "So yes."]
    assert [turn.key for turn in said(*around, "So yes.", "")] == [
        turn.key for turn in quoted if turn.text != "Copy it."
    ]
    trimmed = said(START, "> Aider v0.86.1", "#### Hello.", "> Applied edit to app.py")
    assert [(turn.text, turn.facts.files) for turn in trimmed] == [("Hello.", ()), ("", ("app.py",))]
