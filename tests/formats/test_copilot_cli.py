"""Copilot CLI's events: what was typed and answered, out of some thirty kinds."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from fold_lines import EVERYTHING, PLAIN, Record, feed, turns
from hypothesis import given, settings
from hypothesis import strategies as st

from importer import formats
from importer.formats import copilot_cli


def event(type_: str, n: int = 1, **details: Any) -> dict[str, Any]:
    return {
        "type": type_,
        "data": details,
        "id": f"e{n}",
        "timestamp": f"2026-06-25T01:50:{n:02}.403Z",
        "parentId": None,
    }


START = event("session.start", sessionId="10fb", context={"cwd": "/home/ann/app", "branch": "main"})
ASKED = event("user.message", 2, content="why?", transformedContent="<current_datetime>x</current_datetime>\n\nwhy?")


def answered(content: str, *requests: dict[str, Any], n: int = 3, **fields: Any) -> dict[str, Any]:
    return event(
        "assistant.message", n, content=content, toolRequests=list(requests), model="claude-sonnet-4.6", **fields
    )


def request(name: str, id_: str = "tc1", **arguments: Any) -> dict[str, Any]:
    return {"toolCallId": id_, "name": name, "arguments": arguments}


def texts(*records: Record, options: formats.Options = PLAIN) -> list[str]:
    return [turn.text for turn in turns("copilot-cli", *records, options=options)]


def test_a_prompt_and_its_answer():
    """Both are as typed, without the context around them; project and branch come from the session."""
    question, answer = turns("copilot-cli", START, ASKED, answered("because"))
    assert (question.text, question.role, answer.text, answer.role) == ("why?", "user", "because", "assistant")
    assert (question.conversation_id, question.facts.project, question.facts.git_branch) == (
        "10fb",
        "/home/ann/app",
        "main",
    )
    assert (answer.facts.model, answer.turn_id, answer.at) == ("claude-sonnet-4.6", "e3", "2026-06-25T01:50:03.403Z")


def test_requests_carry_tools_and_files():
    """An answer that only asks for tools is a turn; arguments may be text."""
    odd = {"toolCallId": "tc2", "name": "apply", "arguments": "*** patch"}
    (turn,) = turns("copilot-cli", answered("", request("edit", path="/a.kt"), odd))
    assert (turn.text, turn.facts.tools, turn.facts.files) == ("", ("edit", "apply"), ("/a.kt",))


@pytest.mark.parametrize(
    "type_", ["hook.start", "system.message", "session.info", "tool.execution_start", "assistant.turn_end"]
)
def test_machinery_says_nothing(type_):
    """Known families are passed over, with any text they hold."""
    (fed,) = feed("copilot-cli", event(type_, content="46 KB of system prompt"))
    assert (fed.turns, fed.unknown) == ((), 0)


def test_unknown_families_are_counted():
    """An event of a family this version does not know counts as unknown."""
    assert [fed.unknown for fed in feed("copilot-cli", event("hologram.start"), {"x": 1})] == [1, 1]


def test_thoughts_and_results_are_options():
    """Both are off by default; a result is cut and belongs to the assistant's side."""
    result = event("tool.execution_complete", 5, toolCallId="tc1", result={"content": "y" * 5_000})
    records = ASKED, answered("because", reasoningText="Check it."), result
    assert texts(*records) == ["why?", "because"]
    assert texts(*records, options=EVERYTHING) == ["why?", "Check it.\n\nbecause", "y" * 2_000]


@pytest.mark.parametrize("own", [request("importer/search"), request("bash", command="importer search x")])
def test_results_of_our_own_search_are_never_indexed(own):
    """What the memory answered must not go into the memory again."""
    result = event("tool.execution_complete", 5, toolCallId="tc1", result={"content": "old story"})
    assert texts(answered("", own), result, options=EVERYTHING) == [""]


def test_subagents_are_an_option_with_their_own_conversation():
    """A subagent's messages name the call that started it."""
    record = answered("three callers", parentToolCallId="tc9")
    assert texts(START, record) == []
    (turn,) = turns("copilot-cli", START, record, options=EVERYTHING)
    assert turn.facts.kind == "subagent"
    assert turn.conversation_id == f"10fb/{turn.facts.agent}"


def test_session_is_named_by_file_or_folder_until_it_starts():
    """Older files are called like the session, newer ones lie in a folder called so."""
    paths = b"/s/10fb.jsonl", b"/s/10fb/events.jsonl"
    assert {turns("copilot-cli", ASKED, path=path)[0].conversation_id for path in paths} == {"10fb"}


LONG = st.text(max_size=60).map(lambda words: words * 60)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.builds(lambda w: event("session.start", sessionId=w, context={"cwd": w, "branch": w}), LONG)))
def test_context_is_bounded_whatever_is_said(records):
    """Long names and folders leave less than 4 KiB to remember."""
    for fed in feed("copilot-cli", *records):
        assert len(msgspec.json.encode(fed.context)) < formats.MAX_CONTEXT_BYTES


def test_files_and_roots():
    """Sessions of this user are found and wanted."""
    assert copilot_cli.wanted(b"10fb/events.jsonl") and copilot_cli.wanted(b"10fb.jsonl")
    assert copilot_cli.roots({}, "/home/ann") == ("/home/ann/.copilot/session-state",)
