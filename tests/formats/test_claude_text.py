"""What a person really said, mark by mark."""

from __future__ import annotations

import msgspec
import pytest

from importer.formats.claude_code.notices import NOTICES, PHRASES, without_spans
from importer.formats.claude_code.text import answer_text, is_summary, queued_text, typed_text, with_pasted

REMINDER = "<system-reminder>\nnot typed\n</system-reminder>"


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("  why?\n", "why?"),
        (f"why? {REMINDER}", "why?"),
        (f"{REMINDER}a\n{REMINDER}", "a"),
        (f"{REMINDER}\n{REMINDER}", ""),
        ("<db-migrate-event>done</db-migrate-event>\nroll it back", "roll it back"),
        ("<tide-notification>\nhigh\n</tide-notification>\nRead the output file to retrieve the result: /t.out", ""),
        ('<teammate-message from="bob">ready</teammate-message>', ""),
        ("<ide_opened_file>x.py</ide_opened_file>\nfix it", "fix it"),
        ("<ide_selection>lines 1-3</ide_selection>", ""),
        ("why?<system-reminder>be brief</system-reminder>", "why?"),
        ("<system-reminder>\na <system-reminder>b</system-reminder> c\n</system-reminder>\nwhy?", "why?"),
        ("<system-reminder>\na <system-reminder> in a sentence\n</system-reminder>\nwhy?", "why?"),
        ("<system-reminder>\nnever closed", "<system-reminder>\nnever closed"),
        ("<local-command-stdout>ok</local-command-stdout>\nexplain it", "explain it"),
        (
            "<system-reminder>hi</system-reminder> is what I saw.",
            "<system-reminder>hi</system-reminder> is what I saw.",
        ),
        ("<bash-input>make test</bash-input><bash-stdout>ok</bash-stdout><bash-stderr></bash-stderr>", "!make test"),
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
    """Only what is closed is cut, and only where the tool puts it."""
    assert typed_text(text) == typed


@pytest.mark.parametrize(
    "text",
    [
        "what does <system-reminder> mean?",
        "does <system-reminder>be brief</system-reminder> reach the model?",
        "we close it like this: <system-reminder>be brief</system-reminder>",
        "<tide-event>x</tide-event> is what the parser chokes on",
        "<task-notification> is never closed, why?",
        "<Card>text</Card>\n<details>x</details> rename both",
        "Base directory for this skill: which one is it?",
        "Stop hook feedback: who reads it?",
        "log:\n<system-reminder>\nbe brief\n</system-reminder>\nwho wrote that?",
    ],
)
def test_a_tag_that_a_person_writes_about_removes_nothing(text):
    """In a sentence, unclosed, or in the middle of a prompt, a tag is the person's own."""
    assert typed_text(text) == text


@pytest.mark.parametrize("tag", [*NOTICES, "agent-notification", "ci-monitor-event"])
def test_notices_of_machinery_are_dropped(tag):
    """Notices, command output and events are dropped whole, those under new names too."""
    assert typed_text(f"<{tag}>\nanything\n</{tag}>") == ""


@pytest.mark.parametrize("start", [*PHRASES, "Base directory for this skill: /home/ann/skills/tide\n"])
def test_texts_of_machinery_are_dropped(start):
    """Hooks, caveats and bodies of skills come without tags."""
    assert typed_text(f"{start} anything") == ""


def test_what_is_pasted_takes_the_place_of_its_mark():
    """Pasted text stands beside the prompt, by number; what no mark names goes behind."""
    pasted = msgspec.Raw(b'{"2": {"type": "text", "content": "the log"}, "3": {"content": "the rest"}}')
    assert with_pasted("see [Pasted text #2 +41 lines] please", pasted) == "see the log please\n\nthe rest"
    assert with_pasted("see [Pasted text #1]", msgspec.Raw(b"[7]")) == "see [Pasted text #1]"


def test_a_result_loses_its_reminders_anywhere():
    """A tool's result is no person's, so a reminder goes wherever it stands."""
    assert without_spans(f"a{REMINDER}b") == "ab"


@pytest.mark.parametrize(
    ("name", "arguments", "typed"),
    [
        ("/review", "the parser", "the parser"),
        ("/clear", "", ""),
        ("/model", "opus", ""),
        ("/mine:deploy", " now ", "now"),
        ("/compact", "keep the decisions on the schema", "keep the decisions on the schema"),
    ],
)
def test_arguments_of_a_command_are_the_request(name, arguments, typed):
    """Custom commands carry the real request; those that set something up carry none. The tags come in two orders."""
    tags = f"<command-name>{name}</command-name>", "<command-message>x</command-message>"
    assert typed_text("\n".join([*tags, f"<command-args>{arguments}</command-args>"])) == typed
    assert typed_text("\n".join([*tags[::-1], f"<command-args>{arguments}</command-args>"])) == typed


def test_a_shell_line_is_kept_as_it_was_typed():
    """Its output is not, whether it comes with the line or behind it."""
    assert typed_text("<bash-input>git log -3</bash-input>") == "!git log -3"
    shown = "<bash-stdout>3 commits</bash-stdout><bash-stderr></bash-stderr>"
    assert typed_text(f"<bash-input>git log -3</bash-input>\n{shown}") == "!git log -3"
    assert typed_text(shown) == ""


@pytest.mark.parametrize(
    ("queued", "typed"),
    [
        ("use tabs", "use tabs"),
        ("/compact", ""),
        ("/review the parser", "the parser"),
        ("/home/ann/app is missing", "/home/ann/app is missing"),
        ('{"task_id":"b1"}', ""),
        ("<task-notification>done</task-notification>", ""),
        ("/compact keep the schema", "keep the schema"),
        ("!make test", "!make test"),
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
