"""What a person said in results of Claude Code's tools: answers to questions, and why a call was refused."""

from __future__ import annotations

from typing import Any

import pytest
from transcripts import answer, call, feed, line, prompt, queue, result, text, texts, turns

from importer import formats

HARBOUR, TIDE = "Which harbour?", "Which tides?"
ASKED = {
    "questions": [
        {"question": HARBOUR, "header": "Harbour", "options": [{"label": "Brest", "description": "the near one"}]},
        {"question": TIDE, "header": "Tides", "multiSelect": True, "options": ["spring", "neap"]},
    ]
}
REPLY = f'"{HARBOUR}"="neither, take Roscoff", "{TIDE}"="spring, neap"'
OLD = f"User has answered your questions: {REPLY}. You can now continue with the user's answers in mind."
NEW = f"Your questions have been answered: {REPLY}. You can now continue with these answers in mind."


def replied(structured: Any, content: Any = "User has answered your questions: …", **fields: Any) -> str:
    """Return the one text that such an answer gives, which is no prompt."""
    (turn,) = turns(prompt([result(content)], **{"toolUseResult": structured, **fields}))
    assert turn.role == "assistant"
    return turn.text


@pytest.mark.parametrize("content", [OLD, NEW, [text(OLD)], [NEW]], ids=["old", "new", "blocks", "strings"])
def test_an_answer_belongs_to_the_exchange_behind_its_question(content):
    """The text of the result holds both, in older and newer wordings."""
    said = turns(prompt("plot the tides"), answer(call("AskUserQuestion", **ASKED)), prompt([result(content)], 3))
    assert [turn.role for turn in said] == ["user", "assistant", "assistant"]
    assert said[1].text == f"{HARBOUR}\n- Brest: the near one\n\n{TIDE}\n- spring\n- neap"
    assert said[2].text == REPLY


@pytest.mark.parametrize(
    "answers",
    [
        {HARBOUR: "Roscoff", TIDE: "spring, neap"},
        {HARBOUR: ["Roscoff"], TIDE: ["spring", "neap"]},
        {"Harbour": "Roscoff", "1": {"selected": ["spring", "neap"]}},
        [{"question": HARBOUR, "answer": "Roscoff"}, {"question": TIDE, "answer": ["spring", "neap"]}],
        ["Roscoff", ["spring", "neap"]],
    ],
    ids=["texts", "lists", "names", "objects", "order"],
)
@pytest.mark.parametrize("field", ["toolUseResult", "tool_use_result"])
def test_structured_answers_go_before_the_text(answers, field):
    """They are named by question, heading or number, and come as text, list or object."""
    given = {**ASKED, "answers": answers}
    assert replied(given, **{"toolUseResult": None, field: given}) == f"{HARBOUR}\nRoscoff\n\n{TIDE}\nspring, neap"


def test_notes_and_free_words_are_kept():
    """A person may write beside a choice, or without choosing, or to all of it."""
    notes = {HARBOUR: {"notes": "the pier is new"}, TIDE: {"notes": "all of them", "preview": "~~~"}}
    given = {**ASKED, "answers": {HARBOUR: "Brest"}, "annotations": notes, "response": "and mind the wind"}
    assert replied(given, "anything") == (
        f"{HARBOUR}\nBrest\nthe pier is new\n\n{TIDE}\nall of them\n\nand mind the wind"
    )


def test_answers_given_before_breaking_off_are_kept():
    """A person who would rather talk has answered some of the questions; the tool's words round them are no prompt."""
    said = (
        "The user doesn't want to proceed with this tool use. To tell you how to proceed, the user said:\n"
        "The user wants to clarify these questions.\n    Start by asking.\n\n    Questions asked:\n"
        f'- "{HARBOUR}"\n  Answer: Brest\n'
        f'- "{TIDE}"\n  (No answer provided)\n\nNote: The user\'s next message may contain a correction.'
    )
    (turn,) = turns(prompt([result(said, is_error=True)]))
    assert (turn.role, turn.text) == ("assistant", f"{HARBOUR}\nBrest")


def test_an_answer_is_no_result_of_a_tool_twice():
    """Where results are wanted, too, an answer comes once."""
    record = prompt([result(OLD)], toolUseResult={**ASKED, "answers": {HARBOUR: "Brest"}})
    assert texts(record, options=formats.Options(tool_results=True)) == [f"{HARBOUR}\nBrest"]


NOTICE = "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. if it was a file edit …)."


@pytest.mark.parametrize(
    "content",
    [
        f"{NOTICE} To tell you how to proceed, the user said:\nkeep the table\n\n"
        "Note: The user's next message may contain a correction.",
        f"{NOTICE} The user provided the following reason for the rejection:  keep the table",
        f"Error: <tool_use_error>{NOTICE} The user provided the following reason for the rejection: "
        "keep the table</tool_use_error>",
        [text(f"{NOTICE} The user provided the following reason for the rejection:  keep the table")],
    ],
    ids=["old", "new", "wrapped", "blocks"],
)
@pytest.mark.parametrize("mark", [{"is_error": True}, {}], ids=["error", "unmarked"])
def test_why_a_call_was_refused_is_a_prompt(content, mark):
    """In all wordings, and whether or not the result is marked as an error."""
    (turn,) = turns(prompt([result(content, **mark)]))
    assert (turn.role, turn.text) == ("user", "keep the table")


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (f"{NOTICE} STOP what you are doing and wait for the user to tell you how to proceed.", {}),
        (f"3 hits\nlog.txt: {NOTICE} The user provided the following reason for the rejection:  no", {}),
        (f"{NOTICE} The user provided the following reason for the rejection:  no", {"toolDenialKind": "hook-blocked"}),
        ("Error: exit 1", {}),
        ("test failed: The user said: hello", {}),
    ],
    ids=["no reason", "quoted", "by a program", "failed", "plain words"],
)
def test_no_prompt_is_what_nobody_typed(content, fields):
    """A refusal without words, results that quote one, and what a program refused are no person's."""
    assert texts(prompt([result(content, is_error=True)], **fields)) == []


def test_a_comment_on_a_plan_is_a_prompt():
    """A plan that is sent back with words stands in the transcript, and so do the words."""
    shown = answer(call("ExitPlanMode", plan="# Plan\n\nDraw the chart."))
    said = turns(
        shown, prompt([result(f"{NOTICE} To tell you how to proceed, the user said:\nin blue", is_error=True)])
    )
    assert [(turn.role, turn.facts.kind, turn.text) for turn in said] == [
        ("assistant", "exchange", ""),
        ("assistant", "plan", "# Plan\n\nDraw the chart."),
        ("user", "exchange", "in blue"),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"isMeta": True},
        {"isSynthetic": True},
        {"origin": {"kind": "task-notification"}},
        {"origin": "hook"},
        {"sourceToolUseID": "toolu_1"},
        {"parent_tool_use_id": "toolu_1"},
    ],
)
def test_fields_tell_what_a_machine_wrote(fields):
    """They go before the text; sub-agents of the SDK's streams are sub-agents."""
    assert texts(prompt("draw the chart", **fields)) == []
    assert texts(prompt("draw the chart", promptSource="sdk", origin={"kind": "human"}, parent_tool_use_id=None))


def test_a_command_in_a_line_of_the_tool_is_a_persons():
    """Some versions write commands there; their output is not said by a person."""
    tags = "<command-name>/compact</command-name>\n<command-args>keep the tides</command-args>"
    record = line("system", subtype="local_command", content=tags)
    assert [(turn.role, turn.text) for turn in turns(record)] == [("user", "keep the tides")]
    assert texts({**record, "content": "<local-command-stdout>ok</local-command-stdout>"}) == []
    assert texts({**record, "subtype": "informational"}) == []


SHAPES: list[Any] = [
    "tides",
    ["tides"],
    {"type": "text", "text": "tides"},
    [{"type": "text", "text": "tides"}],
    [["tides"]],
    [{"text": "tides"}],
    [{"type": "text", "text": {"value": "tides"}}],
    [{"type": "text", "text": ["tides"]}],
    [{"type": "text", "content": "tides"}],
]


@pytest.mark.parametrize("content", SHAPES, ids=repr)
def test_content_is_read_in_any_shape(content):
    """In a message, as the message, in the queue and in an attachment."""
    assert texts(prompt(content)) == ["tides"]
    assert texts(line("user", message=content)) == ["tides"]
    assert texts(answer(message={"content": content})) == ["tides"]
    assert texts(queue("enqueue", content), queue("remove")) == ["tides"]
    assert texts(line("attachment", attachment={"type": "queued_command", "prompt": content})) == ["tides"]


@pytest.mark.parametrize("content", [7, True, [3.5], {"odd": "tides"}, [{"type": "text", "text": {"odd": "tides"}}]])
def test_content_of_no_known_shape_is_counted(content):
    """What is not decoded is told."""
    assert [fed.unknown for fed in feed(prompt(content), answer(message={"content": content}))] == [1, 1]


@pytest.mark.parametrize("stamp", [1_772_359_201, 1_772_359_201_000, "1772359201", 1_772_359_201.0])
def test_times_are_numbers_or_texts(stamp):
    """Seconds or milliseconds, and a key takes no number where it has an id."""
    (turn,) = turns(prompt("tides", timestamp=stamp))
    assert turn.at == "2026-03-01T10:00:01.000Z"
    assert isinstance(stamp, str) or turn.key == turns(prompt("tides", timestamp=None))[0].key


def test_text_of_a_document_beside_a_prompt_is_a_persons():
    """Pasted as a document, it is what the person sent; beside a result it is what the tool shows."""
    letter = {"type": "document", "source": {"type": "text", "data": "Dear harbour master"}}
    assert texts(prompt([letter, text("answer it")])) == ["answer it\n\nDear harbour master"]
    assert texts(prompt([result("ok"), letter])) == []
