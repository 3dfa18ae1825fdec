"""What Gemini puts around a prompt, and what people read and say through its tools."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fold_lines import PLAIN, Record, feed, turns

from importer import formats

HEAD = {"sessionId": "7c1d", "projectHash": "app", "kind": "main"}
FILES = "--- Content from referenced files ---\nContent from @sail.md:\nReef early.\n--- End of content ---"


def message(type_: str, content: Any, n: int = 1, **fields: Any) -> dict[str, Any]:
    return {"id": f"m{n}", "timestamp": f"2026-03-01T09:00:{n:02}.000Z", "type": type_, "content": content, **fields}


def called(name: str, output: Any = None, n: int = 2, *, member: str = "output", **args: Any) -> dict[str, Any]:
    result = [{"functionResponse": {"id": "c1", "name": name, "response": {member: output}}}]
    return message("gemini", "", n, toolCalls=[{"id": "c1", "name": name, "args": args, "result": result}])


def texts(*records: Record, options: formats.Options = PLAIN) -> list[str]:
    return [turn.text for turn in turns("gemini", *records, options=options) if turn.text]


@pytest.mark.parametrize(
    ("content", "typed"),
    [
        (f"when to reef? @sail.md\n{FILES}", ["when to reef? @sail.md"]),
        ([{"text": "when to reef?"}, {"text": f"\n{FILES}\n"}, {"text": "today"}], ["when to reef?\n\ntoday"]),
        ("when to reef?\n\n--- Content from referenced files ---\n(12 KB)", ["when to reef?"]),
        ("when to reef?\n\n<hook_context>\nblows\n</hook_context>", ["when to reef?"]),
        ("<session_context>\nToday is Monday.\n</session_context>\nwhen to reef?", ["when to reef?"]),
        ("<session_context>\nToday is Monday.\n</session_context>", []),
        ("This is the Gemini CLI. We are setting up the context for our chat.\nToday is Monday.", []),
        (
            'Here is the user\'s editor context as a JSON object.\n```json\n{"a": 1}\n```\nwhen to reef?',
            ["when to reef?"],
        ),
        ("System: Please continue.", []),
        (
            "what is `--- Content from referenced files ---` for?",
            ["what is `--- Content from referenced files ---` for?"],
        ),
        ("does <hook_context> reach the model?", ["does <hook_context> reach the model?"]),
        ("<b>bold</b> and <i>not</i>", ["<b>bold</b> and <i>not</i>"]),
    ],
)
def test_what_stands_around_a_prompt_is_not_typed(content, typed):
    """Files named with @, hooks, the context of a session and of an editor go; the prompt stays."""
    assert texts(message("user", content)) == typed


def test_a_snapshot_is_a_summary():
    """A compression writes it in the person's place; it is no prompt, and an option."""
    snapshot = message("user", "<state_snapshot>\n<goal>sail</goal>\n</state_snapshot>")
    (turn,) = turns("gemini", snapshot, snapshot)
    assert turn.facts.kind == "summary"
    assert texts(snapshot, options=formats.Options(summaries=False)) == []


def test_answers_stand_behind_their_questions():
    """Once, though the message comes again with its calls; several are told apart by their names."""
    one = [{"question": "Which sail?", "header": "Sail", "type": "text"}]
    answered = called("ask_user", json.dumps({"answers": {"0": "the storm jib"}}), questions=one)
    said = [turn for turn in turns("gemini", HEAD, answered, answered) if turn.text]
    assert [(turn.role, turn.text) for turn in said] == [("assistant", "Which sail?"), ("assistant", "the storm jib")]
    two = [*one, {"question": "Which day?", "header": "Day"}]
    told = json.dumps({"answers": {"0": "jib", "1": "Monday"}})
    assert texts(called("ask_user", told, questions=two)) == ["Which sail?\nWhich day?", "Sail: jib\nDay: Monday"]


def test_questions_before_their_answers():
    """The call may come first, its result later."""
    asked = message("gemini", "", 2, toolCalls=[{"id": "c1", "name": "ask_user", "args": {"question": "Which sail?"}}])
    answered = called("ask_user", '{"answers": {"0": "jib"}}', question="Which sail?")
    assert texts(asked, answered) == ["Which sail?", "jib"]
    assert texts(called("ask_user", "User dismissed ask_user dialog", question="Which sail?")) == ["Which sail?"]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("Plan rejected. User feedback: reef first\n\nThe plan is stored at: /p.md\n\nRevise it.", ["reef first"]),
        ({"approved": False, "feedback": "reef first"}, ["reef first"]),
        ("[Operation Cancelled] Reason: reef first", ["reef first"]),
        ("[Operation Cancelled] Reason: User did not allow tool call", []),
        ("the crew rejected it: reason unknown", []),
    ],
)
@pytest.mark.parametrize("member", ["output", "error"])
def test_comments_and_reasons_are_prompts(output, said, member):
    """A refusal without a reason, and a result that only speaks of one, say nothing."""
    found = [turn for turn in turns("gemini", HEAD, called("exit_plan_mode", output, member=member)) if turn.text]
    assert [(turn.role, turn.text) for turn in found] == [("user", text) for text in said]


def test_plans_and_documents_are_chunks_of_their_own():
    """A plan's file, a list of what is to do, a document; other files are none."""
    records = (
        called("write_file", file_path="/home/ann/.gemini/tmp/app/plans/sail.md", content="Reef, then tack."),
        called("write_todos", n=3, todos=[{"description": "reef", "status": "pending"}, {"description": "tack"}]),
        called("create_artifact", n=4, title="Log", content="Blows."),
        called("write_file", n=5, file_path="/home/ann/app/docs/plan.md", content="x"),
    )
    said = [turn for turn in turns("gemini", HEAD, *records) if turn.text]
    assert [(turn.facts.kind, turn.text) for turn in said] == [
        ("plan", "Reef, then tack."),
        ("plan", "- reef\n- tack"),
        ("artifact", "Log\n\nBlows."),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"content": ["hello"]},
        {"content": {"parts": [{"text": "hello"}]}},
        {"content": [{"text": "hello", "thoughtSignature": "x"}, {"text": "hm", "thought": True}]},
        {"content": None, "parts": [{"text": "hello"}]},
        {"content": None, "message": "hello"},
        {"content": None, "text": "hello"},
    ],
)
@pytest.mark.parametrize("type_", ["user", "gemini"])
def test_words_have_many_shapes_and_names(fields, type_):
    """Strings, parts, and parts of parts, under each of their names; a thought is not said."""
    assert texts({**message(type_, None), **fields}) == ["hello"]


@pytest.mark.parametrize(
    "record",
    [
        message("user", 7),
        message("gemini", [{"hologram": "hello"}]),
        message("user", "hello") | {"type": ["user"]},
        {"id": "m1", "content": "hello"},
        {"$set": {"messages": ["hello"]}},
        {"$set": {"messages": "hello"}},
    ],
)
def test_words_of_an_unknown_shape_are_counted(record):
    """Nothing is both left out and uncounted."""
    (fed,) = feed("gemini", record)
    assert (fed.turns, fed.unknown) == ((), 1)


def test_a_list_of_messages_may_be_an_object():
    """By id; one bad part does the others no harm."""
    (fed,) = feed("gemini", {"$set": {"messages": {"m1": message("user", "hello"), "m2": 7}}})
    assert ([turn.text for turn in fed.turns], fed.unknown) == (["hello"], 1)


def test_times_may_be_numbers():
    """Milliseconds since 1970, say."""
    (turn,) = turns("gemini", message("user", "hello") | {"timestamp": 1772355601000})
    assert turn.at == "2026-03-01T09:00:01.000Z"


def test_a_summary_is_the_chats_title():
    """In the head or as a change; a title that a person gave stays."""
    records = (
        {**HEAD, "summary": "Sails"},
        {"$set": {"summary": "Reefs"}},
        {"$set": {"title": "Mine"}},
        {"$set": {"summary": "x"}},
    )
    facts = [fact for fed in feed("gemini", *records) for fact in fed.facts]
    assert [(fact.conversation_id, fact.title) for fact in facts] == [
        ("7c1d", "Sails"),
        ("7c1d", "Reefs"),
        ("7c1d", "Mine"),
    ]
