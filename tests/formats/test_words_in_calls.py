"""What is said through calls of tools, in every format that has them: questions, answers, refusals, plans, messages."""

from __future__ import annotations

from typing import Any

import pytest
from called_records import MADE
from fold_lines import EVERYTHING, turns

OLDER = {"claude-code", "codex", "copilot-cli", "gemini"}  # with wordings of their own, and tests of these
UNANSWERED = {"antigravity"}  # which does not tell which call a result answers
QUESTION = {"question": "Which wood?", "options": ["Oak", {"label": "Elm", "description": "from the yard"}]}
ANSWERS: dict[str, tuple[str, Any]] = {
    "ask_user": (QUESTION, "Elm, but dry."),
    "AskUserQuestion": ({"questions": [QUESTION]}, '{"answers":{"Which wood?":"Elm, but dry."}}'),
    "mcp__asker__ask_user_question": ({"questions": [QUESTION]}, "User has answered your questions: Elm, but dry."),
    "request_user_input": (
        {"questions": [{"id": "q", **QUESTION}]},
        '{"answers":{"q":{"answers":["Elm, but dry."]}}}',
    ),
    "ask_followup_question": ({"question": "Which wood?", "follow_up": ["Elm"]}, "<answer>\nElm, but dry.\n</answer>"),
    "askQuestions": ({"questions": [{"prompt": "Which wood?"}]}, '["Elm, but dry."]'),
    "clarify": ({"question": "Which wood?", "choices": ["Oak"]}, '{"question":"x","user_response":"Elm, but dry."}'),
    "AskUser": ({"questionnaire": "1. [question] Which wood?\n[option] Oak"}, "1. [answer] Elm, but dry."),
}
REASONS = (
    "User rejected the command. Reason: use the dry elm",
    "Error: The user rejected permission to use this tool call with the following feedback: use the dry elm",
    "The tool call is rejected by the user. User feedback: use the dry elm",
    "The user doesn't want to proceed with this tool use. The tool use was rejected. To tell you how to proceed, the"
    " user said:\nuse the dry elm",
    "The user denied this operation and provided the following feedback:\n<feedback>\nuse the dry elm\n</feedback>",
    "Plan rejected by user. Feedback: use the dry elm",
)
NO_REASONS = ("The user doesn't want to proceed with this tool use.", "3 requests were denied. Reason: quota", "ok")
SHOWN: dict[str, tuple[dict[str, Any], str]] = {
    "exit_plan_mode": ({"plan": "First saw, then plane."}, "plan"),
    "ExitSpecMode": ({"title": "A bench", "plan": "First saw, then plane."}, "plan"),
    "create_plan": ({"name": "A bench", "plan": "First saw, then plane."}, "plan"),
    "create_artifact": ({"title": "A bench", "content": "First saw, then plane."}, "artifact"),
    "attempt_completion": ({"result": "First saw, then plane."}, "exchange"),
    "notify_user": ({"Message": "First saw, then plane."}, "exchange"),
}


def said(name: str, tool: str, given: Any, result: Any, **how: Any) -> list[tuple[str, str, str]]:
    """Return what the turns of a call and its result say: role, kind and text."""
    found = turns(name.partition(" ")[0], *MADE[name](tool, given, result), **how)
    return [(turn.role, turn.facts.kind, turn.text) for turn in found if turn.text]


@pytest.mark.parametrize("name", [name for name in MADE if name not in OLDER | UNANSWERED])
@pytest.mark.parametrize("tool", ANSWERS)
def test_an_answer_stands_behind_its_question(name: str, tool: str) -> None:
    """Both belong to the exchange, and neither is a prompt."""
    given, result = ANSWERS[tool]
    (asked, answered) = said(name, tool, given, result)
    assert asked[:2] == answered[:2] == ("assistant", "exchange")
    assert "Which wood?" in asked[2]
    assert answered[2].removeprefix("1. [answer] ") == "Elm, but dry."


@pytest.mark.parametrize("name", [name for name in MADE if name not in UNANSWERED])
def test_an_answer_is_there_in_the_usual_words(name: str) -> None:
    """In the formats with wordings of their own, too."""
    tool = {"claude-code": "AskUserQuestion", "codex": "request_user_input"}.get(name, "ask_user")
    result = {"claude-code": 'User has answered your questions: "Which wood?"="Elm, but dry."'}.get(
        name, '{"answers":{"0":{"answers":["Elm, but dry."]}}}'
    )
    records = MADE[name](tool, {"questions": [QUESTION]}, result)
    if name == "claude-code":
        records[1]["message"]["content"][0].pop("is_error")  # type: ignore[call-overload, index]
    texts = [turn.text for turn in turns(name.partition(" ")[0], *records)]
    assert "Elm, but dry." in "\n".join(texts).partition("Which wood?")[2]


@pytest.mark.parametrize("name", [name for name in MADE if name not in UNANSWERED])
@pytest.mark.parametrize("result", REASONS)
def test_the_reason_of_a_refusal_is_a_prompt(name: str, result: str) -> None:
    """In every wording, of every tool."""
    if name == "claude-code":  # has one wording, and says who refused
        result = REASONS[3]
    prompts = [text for role, _, text in said(name, "bash", {"command": "saw"}, result) if role == "user"]
    assert prompts == ["use the dry elm"]


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("result", NO_REASONS)
def test_other_results_are_nobody_s_words(name: str, result: str) -> None:
    """A refusal without a reason, and a program's own refusals."""
    assert [text for role, _, text in said(name, "bash", {"command": "saw"}, result) if role == "user"] == []


@pytest.mark.parametrize("name", [name for name in MADE if name not in {"claude-code"}])
@pytest.mark.parametrize("tool", SHOWN)
def test_what_a_call_shows_is_the_assistant_s(name: str, tool: str) -> None:
    """Plans and documents are told apart by their kind, messages belong to the exchange."""
    given, kind = SHOWN[tool]
    found = [one for one in said(name, tool, given, "ok") if "First saw, then plane." in one[2]]
    assert [one[:2] for one in found] == [("assistant", kind)]


@pytest.mark.parametrize("name", [name for name in MADE if name not in UNANSWERED])
def test_what_this_memory_answered_is_left_out(name: str) -> None:
    """Also where results are wanted; but why a person refused to have it asked was said by the person."""
    for tool, given in (("Bash", {"command": "importer search elm"}), ("mcp__importer__search", {"query": "elm"})):
        assert said(name, tool, given, "1. User rejected the command. Reason: an echo", options=EVERYTHING) == []
        assert [text for _, _, text in said(name, tool, given, REASONS[3])] == ["use the dry elm"]
