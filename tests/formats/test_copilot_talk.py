"""What Copilot puts in a person's place, and what people read and say through its tools."""

from __future__ import annotations

from typing import Any

import pytest
from fold_lines import PLAIN, Record, feed, turns

from importer import formats


def event(type_: str, n: int = 1, **details: Any) -> dict[str, Any]:
    return {"type": type_, "data": details, "id": f"e{n}", "timestamp": f"2026-06-25T01:50:{n:02}.403Z"}


START = event("session.start", sessionId="10fb", context={"cwd": "/home/ann/app"})


def called(name: str, n: int = 3, **arguments: Any) -> dict[str, Any]:
    request = {"toolCallId": "tc1", "name": name, "arguments": arguments}
    return event("assistant.message", n, content="", toolRequests=[request])


def result(content: Any, n: int = 4, *, success: bool = True, **fields: Any) -> dict[str, Any]:
    return event("tool.execution_complete", n, toolCallId="tc1", success=success, result=content, **fields)


def texts(*records: Record, options: formats.Options = PLAIN) -> list[str]:
    return [turn.text for turn in turns("copilot-cli", *records, options=options) if turn.text]


@pytest.mark.parametrize("source", ["skill-knots", "system", "autopilot"])
def test_a_source_tells_that_a_program_wrote_it(source):
    """The field decides before the words."""
    assert texts(event("user.message", content="tie a bowline", source=source)) == []
    assert texts(event("user.message", content="tie a bowline", source="user")) == ["tie a bowline"]


@pytest.mark.parametrize(
    ("content", "typed"),
    [
        ('<skill-context name="knots">\nHow to tie.\n</skill-context>', []),
        ("<current_datetime>now</current_datetime>\n\ntie it", ["tie it"]),
        ("tie it\n\n<system-reminder>\nbe kind\n</system-reminder>", ["tie it"]),
        ("what does <skill-context> do?", ["what does <skill-context> do?"]),
        ("<system-reminder> is in my prompt, why?", ["<system-reminder> is in my prompt, why?"]),
        ("<ul><li>one</li></ul>", ["<ul><li>one</li></ul>"]),
    ],
)
def test_blocks_around_a_prompt_are_not_typed(content, typed):
    """Only well-formed ones, and at an end of the prompt."""
    assert texts(event("user.message", content=content)) == typed


def test_the_sent_prompt_stands_in_for_a_missing_one():
    """Without what is around it."""
    sent = "<current_datetime>now</current_datetime>\n\ntie it"
    assert texts(event("user.message", transformedContent=sent)) == ["tie it"]


@pytest.mark.parametrize("answer", ["User responded: a bowline", "User selected: a bowline", "a bowline"])
def test_an_answer_stands_behind_its_question(answer):
    """Neither is a prompt."""
    said = turns("copilot-cli", START, called("ask_user", question="Which knot?"), result({"content": answer}))
    told = [(turn.role, turn.text) for turn in said if turn.text]
    assert told == [("assistant", "Which knot?"), ("assistant", "a bowline")]


def test_a_dismissed_question_has_no_answer():
    """What the tool says of it is no person's word."""
    ask = called("ask_user", question="Which knot?")
    assert texts(ask, result("User dismissed the question")) == ["Which knot?"]
    assert texts(ask, result("not there", success=False)) == ["Which knot?"]


REFUSED = "The user rejected this tool call. User feedback: the rope is wet"


@pytest.mark.parametrize(
    "record",
    [
        result({"content": REFUSED}, success=False),
        result(REFUSED),
        result(None, success=False, error={"message": REFUSED, "code": "rejected"}),
    ],
)
def test_the_reason_of_a_refusal_is_a_prompt(record):
    """In the result, or in the error in place of one."""
    said = turns("copilot-cli", called("bash", command="pull"), record)
    assert [(turn.role, turn.text) for turn in said if turn.text] == [("user", "the rope is wet")]


@pytest.mark.parametrize("content", ["The user rejected this tool call.", "log: the user rejected it. Feedback: none"])
def test_what_gives_no_reason_says_nothing(content):
    """A bare refusal, and a result that only speaks of one."""
    assert texts(called("bash", command="cat log"), result({"content": content}, success=False)) == []


def test_plans_and_documents_are_chunks_of_their_own():
    """A plan for approval, the file where the session keeps its plan, a document; other files are none."""
    path = "/home/ann/.copilot/session-state/10fb/plan.md"
    records = (
        called("exit_plan_mode", summary="Splice, then whip."),
        called("create", path=path, file_text="# Plan\nSplice."),
        called("create_document", title="Knots", content="All of them."),
        called("create", path="/home/ann/app/a.py", file_text="x = 1"),
        event("exit_plan_mode.requested", planContent="Whip first."),
    )
    said = [turn for turn in turns("copilot-cli", START, *records) if turn.text]
    assert [(turn.facts.kind, turn.text) for turn in said] == [
        ("plan", "Splice, then whip."),
        ("plan", "# Plan\nSplice."),
        ("artifact", "Knots\n\nAll of them."),
        ("plan", "Whip first."),
    ]


@pytest.mark.parametrize("content", ["hello", ["hello"], {"text": "hello"}, [{"type": "text", "text": "hello"}]])
@pytest.mark.parametrize("type_", ["user.message", "assistant.message"])
def test_content_has_many_shapes(content, type_):
    """A string, a list of strings, one block, a list of blocks."""
    assert texts(event(type_, content=content)) == ["hello"]


@pytest.mark.parametrize(
    "record",
    [
        event("user.message", content=7),
        event("user.message"),
        event("assistant.message", content=[{"hologram": "hello"}]),
        event("user.message") | {"data": "hello"},
        event("assistant.message") | {"data": ["hello"]},
    ],
)
def test_words_of_an_unknown_shape_are_counted(record):
    """Nothing is both left out and uncounted."""
    (fed,) = feed("copilot-cli", record)
    assert (fed.turns, fed.unknown) == ((), 1)


def test_times_may_be_numbers():
    """Milliseconds since 1970, say."""
    (turn,) = turns("copilot-cli", event("user.message", content="why?") | {"timestamp": 1782352245403})
    assert turn.at == "2026-06-25T01:50:45.403Z"


def test_a_new_name_is_a_fact_of_the_session():
    """Events that name the session say so without a turn."""
    fed = feed(
        "copilot-cli", START, event("session.title_changed", 2, title="Knots"), event("session.renamed", 3, name="X")
    )
    assert [(fact.conversation_id, fact.title) for one in fed for fact in one.facts] == [
        ("10fb", "Knots"),
        ("10fb", "X"),
    ]
