"""What a person really said, mark by mark."""

from __future__ import annotations

import pytest

from importer.formats.claude_code.text import NOT_TYPED, answer_text, is_summary, queued_text, typed_text

REMINDER = "<system-reminder>\nnot typed\n</system-reminder>"


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("  why?\n", "why?"),
        (f"why? {REMINDER}", "why?"),
        (f"{REMINDER}a{REMINDER}b", "ab"),
        ("<ide_opened_file>x.py</ide_opened_file>\nfix it", "fix it"),
        ("<ide_selection>lines 1-3</ide_selection>", ""),
        ("<uploaded_files>a.png</uploaded_files>describe", "describe"),
        ("[Request interrupted by user]", ""),
        ("[Request interrupted by user for tool use]no, tabs", "no, tabs"),
        ("[Pasted text #2 +41 lines] explain", "[Pasted text #2 +41 lines] explain"),
        ("is <b>bold</b> right?", "is <b>bold</b> right?"),
        ("what does <system-reminder> mean?", "what does <system-reminder> mean?"),
        ("null\0byte", "nullbyte"),
    ],
)
def test_injected_spans_go_and_the_prompt_stays(text, typed):
    """Only what is closed is cut: a person may write about the marks."""
    assert typed_text(text) == typed


@pytest.mark.parametrize("start", NOT_TYPED)
def test_texts_of_machinery_are_dropped(start):
    """Notices, command output and hooks are dropped whole."""
    assert typed_text(f"{start} anything") == ""


@pytest.mark.parametrize(
    ("name", "arguments", "typed"),
    [
        ("/review", "the parser", "the parser"),
        ("/clear", "", ""),
        ("/model", "opus", ""),
        ("/mine:deploy", " now ", "now"),
    ],
)
def test_arguments_of_a_command_are_the_request(name, arguments, typed):
    """Custom commands carry the real request; those that set something up carry none. The tags come in two orders."""
    tags = f"<command-name>{name}</command-name>", "<command-message>x</command-message>"
    assert typed_text("\n".join([*tags, f"<command-args>{arguments}</command-args>"])) == typed
    assert typed_text("\n".join([*tags[::-1], f"<command-args>{arguments}</command-args>"])) == typed


@pytest.mark.parametrize(
    ("queued", "typed"),
    [
        ("use tabs", "use tabs"),
        ("/compact", ""),
        ("/review the parser", "the parser"),
        ("/home/ann/app is missing", "/home/ann/app is missing"),
        ('{"task_id":"b1"}', ""),
        ("<task-notification>done", ""),
    ],
)
def test_queued_texts_are_read_as_typed(queued, typed):
    """In the queue a command stands as typed, and a path is no command."""
    assert queued_text(queued) == typed


def test_summaries_are_known_by_their_first_words():
    """Old versions do not flag them."""
    assert is_summary("\nThis session is being continued from a previous conversation that ran out")
    assert not is_summary("Why is this session being continued from a previous conversation?")


def test_placeholder_for_an_empty_answer_is_nothing():
    """An empty answer is written as a placeholder."""
    assert [answer_text(text) for text in ("(no content)", " yes\n", "a\0b")] == ["", "yes", "ab"]


def test_many_unclosed_marks_are_read_once():
    """A text of 200,000 opening marks is looked through once, not once per mark."""
    text = "<system-reminder>" * 200_000 + "</ide_selection>"
    assert typed_text(text) == text
