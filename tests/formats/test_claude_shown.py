"""What Claude Code's assistant shows in tool calls: plans, artifacts, messages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from transcripts import OTHER, answer, call, line, prompt, result, turns

from importer import formats

PLAN = "# Plan\n\n1. Read the gauge.\n2. Draw the chart."


def kinds(*records: dict[str, Any], **options: Any) -> list[tuple[str, str]]:
    """Return kind and text of all turns with text."""
    return [(turn.facts.kind, turn.text) for turn in turns(*records, **options) if turn.text]


def test_a_plan_is_stored_once_however_often_it_is_shown():
    """It is written to its folder, shown, repeated when it is approved, and kept over a compaction."""
    written = answer(call("Write", file_path="/home/ann/.claude/plans/calm-gauge.md", content=f"{PLAN}\n"))
    shown = answer(call("ExitPlanMode", plan=PLAN), n=3)
    approved = prompt([result(f"User has approved your plan. Begin.\n\n## Approved Plan:\n{PLAN}")], 4)
    kept = line("attachment", 5, attachment={"type": "plan_file_reference", "planContent": PLAN})
    assert kinds(written, shown, approved, kept) == [("plan", PLAN)]
    for record in (written, shown, approved, kept):
        assert kinds(record) == [("plan", PLAN)]


def test_a_plan_that_the_person_edited_is_another():
    """What was approved then differs from what was shown."""
    edited = "User has approved your plan.\n\n## Approved Plan (edited by user):\n# Plan\n\nOnly read it."
    assert kinds(answer(call("ExitPlanMode", plan=PLAN)), prompt([result(edited)], 3)) == [
        ("plan", PLAN),
        ("plan", "# Plan\n\nOnly read it."),
    ]
    rejected = "The agent proposed a plan that was rejected by the user.\n\nRejected plan:\n# Plan\n\nBegin."
    assert kinds(prompt([result(rejected, is_error=True)])) == [("plan", "# Plan\n\nBegin.")]


def test_a_fork_keeps_the_key_of_a_plan_and_strangers_do_not_share_it():
    """It takes the prompt's key, which copies keep."""
    shown = [prompt("go"), answer(call("ExitPlanMode", plan=PLAN))]
    fork = [{**record, "sessionId": OTHER} for record in shown]
    assert turns(*shown)[-1].key == turns(*fork)[-1].key != turns(prompt("no", 9), *shown[1:])[-1].key


@pytest.mark.parametrize("name", ["Artifact", "create_artifact", "mcp__desk__create_document"])
def test_artifacts_are_a_kind_of_their_own(name):
    """A document for the person to look at is the assistant's words, under its title."""
    made = answer(call(name, title="Tide table", content="# Tides\n\nHigh at noon."))
    assert kinds(made) == [("artifact", "Tide table\n\n# Tides\n\nHigh at noon.")]


def test_a_file_that_is_written_is_no_artifact():
    """Code in the project is not shown to the person, nor is another file of that name."""
    files = call("Write", file_path="/home/ann/app/plans/a.md", content="x"), call("Write", content="y")
    assert kinds(answer(*files)) == []


def test_a_message_in_a_call_is_the_assistants():
    """Some versions answer by a tool."""
    assert kinds(answer(call("SendUserMessage", message="High water is at noon."))) == [
        ("exchange", "High water is at noon.")
    ]


def test_input_may_be_json_in_a_string():
    """As gateways write it; so may the questions within it."""
    asked = {"questions": json.dumps([{"question": "Which harbour?", "options": []}])}
    assert kinds(answer({**call("AskUserQuestion"), "input": asked})) == [("exchange", "Which harbour?")]
    shown = {**call("ExitPlanMode"), "input": json.dumps({"plan": PLAN})}
    assert kinds(answer(shown)) == [("plan", PLAN)]


def test_a_plan_of_a_subagent_stays_with_it():
    """A sub-agent's words are its own kind, and off by default."""
    record = answer(call("ExitPlanMode", plan=PLAN), isSidechain=True, agentId="a7")
    assert kinds(record) == []
    assert kinds(record, options=formats.Options(subagents=True)) == [("subagent", PLAN)]
