"""VS Code's Copilot Chat: sessions, documents of requests."""

from __future__ import annotations

from typing import Any

import pytest
from fold_lines import EVERYTHING, PLAIN, feed, turns

from importer import formats
from importer.formats import vscode_chat
from importer.protocol.records import ConversationFacts

HEAD = {"version": 3, "sessionId": "s1", "customTitle": "Header"}
ID = b"0a1b2c3d-0000-4000-8000-000000000001.json"


def request(*parts: Any, text: str = "why?", **fields: Any) -> dict[str, Any]:
    return {"requestId": "r1", "message": {"text": text}, "response": list(parts), "timestamp": 1760000000000, **fields}


def answered(*parts: Any, options: formats.Options = PLAIN) -> list[str]:
    return [turn.text for turn in turns("vscode-chat", HEAD, request(*parts), options=options) if turn.role != "user"]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([{"value": "It is "}, {"value": "late."}], ["It is late."]),
        ([{"kind": "markdownContent", "content": {"value": "So."}}], ["So."]),
        ([{"value": "See "}, {"kind": "inlineReference", "inlineReference": {"path": "/a/b.css"}}], ["See `b.css`"]),
        ([{"kind": "thinking", "value": "Hm."}], []),
        ([{"kind": "undoStop"}, 7, {"value": {"value": 5}}], []),
    ],
)
def test_a_response_is_its_markdown(parts: list[Any], expected: list[str]) -> None:
    """All pieces of a response give one text."""
    assert answered(*parts) == expected


def test_a_request_gives_two_turns() -> None:
    """Keys come from session, request and text; options change none."""
    parts = [
        {"kind": "thinking", "value": "Hm."},
        {"value": "So."},
        {"kind": "toolInvocationSerialized", "toolId": "ls"},
    ]
    said = turns("vscode-chat", HEAD, request(*parts))
    assert [(turn.conversation_id, turn.role, turn.text, turn.facts.tools) for turn in said] == [
        ("s1", "user", "why?", ()),
        ("s1", "assistant", "So.", ("ls",)),
    ]
    assert {turn.at for turn in said} == {"2025-10-09T08:53:20.000Z"}
    assert answered(*parts, options=EVERYTHING) == ["Hm.\n\nSo."]
    everything = turns("vscode-chat", HEAD, request(*parts), options=EVERYTHING)
    assert [turn.key for turn in everything] == [turn.key for turn in said]


def test_unknown_kinds_are_counted() -> None:
    """A new kind of part counts as unknown."""
    assert [fed.unknown for fed in feed("vscode-chat", HEAD, request({"kind": "hologram"}))] == [0, 1]


@pytest.mark.parametrize(
    ("message", "expected", "unknown"),
    [
        ("why?", ["why?"], 0),
        ({"parts": [{"kind": "text", "text": "why"}, {"kind": "text", "text": "now?"}]}, ["why\n\nnow?"], 0),
        (["why", {"text": "now?"}], ["why\n\nnow?"], 0),
        ({"text": "", "parts": "why?"}, ["why?"], 0),
        ({"words": "why?"}, [], 1),
        (7, [], 1),
    ],
)
def test_a_request_of_any_shape_is_read_or_counted(message: Any, expected: list[str], unknown: int) -> None:
    """Older versions wrote a string; parts stand in where the text is not there."""
    _, fed = feed("vscode-chat", HEAD, {"requestId": "r1", "message": message, "response": []})
    assert ([turn.text for turn in fed.turns], fed.unknown) == (expected, unknown)


@pytest.mark.parametrize(
    ("response", "expected", "unknown"),
    [
        ("So.", ["So."], 0),
        (["So ", "it is."], ["So it is."], 0),
        ({"value": "So."}, ["So."], 0),
        ([{"value": ["So ", {"value": "it is."}]}], ["So it is."], 0),
        ([{"kind": "markdownVuln", "content": {"value": "So."}}], ["So."], 0),
        ([{"value": "So."}, {"worth": "So."}, 7], ["So."], 2),
    ],
)
def test_a_response_of_any_shape_is_read_or_counted(response: Any, expected: list[str], unknown: int) -> None:
    """A string, strings, one part, and Markdown in pieces."""
    _, fed = feed("vscode-chat", HEAD, {"requestId": "r1", "message": {"text": ""}, "response": response})
    assert ([turn.text for turn in fed.turns], fed.unknown) == (expected, unknown)


def test_a_paste_is_what_the_person_said() -> None:
    """Code that was pasted belongs to the request; files and what the editor adds do not."""
    variables = [
        {"kind": "paste", "name": "Pasted", "code": "knot = 7"},
        {"kind": "file", "value": {"path": "/a/b.py"}},
        {"kind": "implicit", "value": "open file"},
        {"kind": "promptFile", "value": "Be brief."},
    ]
    asked, _ = turns("vscode-chat", HEAD, request({"value": "So."}, variableData={"variables": variables}))
    assert (asked.role, asked.text) == ("user", "why?\n\nknot = 7")


def test_a_request_that_the_editor_made_is_no_prompt() -> None:
    """What background work reports to the model was not typed; the response stays."""
    said = turns("vscode-chat", HEAD, request({"value": "So."}, isSystemInitiated=True))
    assert [(turn.role, turn.text) for turn in said] == [("assistant", "So.")]


FORM = {
    "kind": "questionCarousel",
    "questions": [{"id": "q1", "title": "Knot", "message": "Which knot?"}, {"id": "q2", "message": "Which rope?"}],
    "data": {"q1": {"selectedValue": "Other", "freeformValue": "a bowline, twice"}, "q2": {}},
}


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (FORM, "Knot\nWhich knot?\nOther\na bowline, twice"),
        ({**FORM, "data": {"q2": "hemp"}}, "Which rope?\nhemp"),
        (
            {"kind": "elicitationSerialized", "title": {"value": "Port?"}, "acceptedResult": {"port": 81, "ok": True}},
            "Port?\n81",
        ),
        ({"kind": "planReview", "data": {"rejected": True, "feedback": "first the keel"}}, "first the keel"),
    ],
)
def test_an_answer_stands_behind_its_question(part: dict[str, Any], expected: str) -> None:
    """Questions and answers belong to the exchange of the request; the response keeps its key."""
    said = turns("vscode-chat", HEAD, request(part, {"value": "So."}))
    assert [(turn.role, turn.text) for turn in said] == [
        ("user", "why?"),
        ("assistant", expected),
        ("assistant", "So."),
    ]
    assert said[-1].key == turns("vscode-chat", HEAD, request({"value": "So."}))[-1].key


def test_questions_without_an_answer_say_nothing() -> None:
    """A form that was skipped, and a dialog that was closed, give no turn."""
    parts = [{**FORM, "data": None}, {"kind": "elicitation2", "title": "Port?", "acceptedResult": {}}]
    assert answered(*parts, {"value": "So."}) == ["So."]


def test_a_plan_is_a_turn_of_its_own() -> None:
    """A plan that is shown for approval is told by its kind."""
    plan = {"kind": "planReview", "title": "Boat", "content": {"value": "1. Keel."}}
    said = turns("vscode-chat", HEAD, request(plan, {"value": "So."}))
    assert [(turn.facts.kind, turn.text) for turn in said[1:]] == [("plan", "Boat\n\n1. Keel."), ("exchange", "So.")]


def test_heads_tell_titles() -> None:
    """A session that was renamed tells its new title when the document is read again."""
    assert feed("vscode-chat", HEAD)[0].facts == (ConversationFacts("s1", "Header"),)
    assert feed("vscode-chat", {**HEAD, "customTitle": None})[0].facts == ()


def test_where_sessions_are() -> None:
    """Sessions are known by their ids, in folders of sessions."""
    assert vscode_chat.wanted(b"abc/chatSessions/" + ID)
    assert vscode_chat.wanted(ID)
    assert not vscode_chat.wanted(b"abc/other/" + ID)
