"""Aider's markdown: prompts, answers by paragraph, sessions."""

from __future__ import annotations

from typing import Any

import msgspec
from fold_lines import feed, turns
from hypothesis import given, settings
from hypothesis import strategies as st

from importer import formats
from importer.formats import aider as formats_aider

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


def test_lines_of_a_prompt_are_one_prompt():
    """It may hold blank ones; a prompt after a blank line is the next."""
    found = said(START, "#### rename foo  ", "####   ", "#### and keep the tests  ", "", "#### go  ", "")
    assert [(turn.role, turn.text) for turn in found] == [("user", "rename foo\n\nand keep the tests"), ("user", "go")]


def test_a_prompt_of_many_lines_is_the_person_s_to_its_end():
    """What is remembered is bounded: a long one is given out in prompts, and all that follows keeps its key."""
    prompt = [f"#### step {number}: {'w' * 90}  " for number in range(60)]
    found = said(START, *prompt, "####", "", "Done.", "")
    *asked, answer = found
    assert len(asked) > 1 and {turn.role for turn in asked} == {"user"}
    assert "\n".join(turn.text for turn in asked) == "\n".join(line[5:].rstrip() for line in prompt)
    assert len({turn.key for turn in found}) == len(found)
    # As before prompts were put together: each line adds to the chain.
    last = formats_aider.key("aider", "2024-08-05 19:33:02")
    for number, turn in enumerate([*(line[5:].strip() for line in prompt), "Done."]):
        last = formats_aider.key(last, "assistant" if number else "user", turn)
    assert answer.key == last


def test_a_prompt_at_the_end_goes_on_with_its_lines():
    """Left alone it is given out; what comes behind belongs to it if it is marked, and only then."""
    last = feed("aider", START, "#### rename foo  ", path=PATH)[-1].context
    ended = formats_aider.ending(last)
    assert [(turn.role, turn.text) for turn in ended.turns] == [("user", "rename foo")]
    assert formats_aider.goes_on(ended.context, b"#### and bar  \n")
    assert not formats_aider.goes_on(ended.context, b"Done.\n")


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
    one, two = said(START, "#### go", other, "#### go", "")
    assert one.conversation_id != two.conversation_id
    assert one.key != two.key
    assert turns("aider", START, "#### go", "", path=b"/copy.aider.chat.history.md")[0].key == one.key


def test_the_same_prompt_twice_is_two_turns():
    """Keys are chained, so equal prompts have different keys."""
    one, two = said(START, "#### go", "", "#### go", "")
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
