"""Prompts beside what programs write, in every format of the command line: the prompt stays, a tag in prose, too."""

from __future__ import annotations

from typing import Any

import pytest
from codex_lines import event, item
from fold_lines import turns

GEMINI = {"id": "m", "timestamp": "2026-03-01T09:00:00.000Z", "type": "user"}
COPILOT = {"id": "e", "timestamp": "2026-06-25T01:50:00.403Z", "type": "user.message"}


def record(name: str, text: str) -> dict[str, Any]:
    """Make the record of a prompt."""
    if name == "codex":
        return item("message", role="user", content=[{"type": "input_text", "text": text}])
    return {**GEMINI, "content": text} if name == "gemini" else {**COPILOT, "data": {"content": text}}


@pytest.mark.parametrize(
    ("name", "text", "typed"),
    [
        ("codex", "<environment_context>\n<cwd>/x</cwd>\n</environment_context>\nFix it.", ["Fix it."]),
        ("codex", "What is <environment_context> for?", ["What is <environment_context> for?"]),
        ("codex", "<skill> is a tag I saw", ["<skill> is a tag I saw"]),
        ("codex", "<div>hello</div>", ["<div>hello</div>"]),
        ("gemini", "Fix it.\n\n<hook_context>\nx\n</hook_context>", ["Fix it."]),
        ("gemini", "What is <hook_context> here?", ["What is <hook_context> here?"]),
        ("gemini", "<hook_context>\nnever closed, my words", ["<hook_context>\nnever closed, my words"]),
        (
            "gemini",
            "See @a.md\n--- Content from referenced files ---\nabc\n--- End of content ---\nand fix",
            ["See @a.md\n\nand fix"],
        ),
        ("gemini", "I saw --- End of content --- in it", ["I saw --- End of content --- in it"]),
        ("gemini", "This is the Gemini CLI. We are setting up the context for our chat.\nToday is", []),
        ("copilot-cli", "<system-reminder>\nx\n</system-reminder>\nFix it.", ["Fix it."]),
        (
            "copilot-cli",
            "<current_datetime>2026</current_datetime>\n\nFix it.\n\n<system_notification>\nb\n</system_notification>",
            ["Fix it."],
        ),
        ("copilot-cli", "Does <system_notification> help?", ["Does <system_notification> help?"]),
        (
            "copilot-cli",
            "<system_reminder>\na <system_reminder>b</system_reminder> c\n</system_reminder>\nFix it.",
            ["Fix it."],
        ),
    ],
)
def test_a_prompt_stays(name: str, text: str, typed: list[str]) -> None:
    """Only closed blocks go, and only from where the program puts them."""
    assert [turn.text for turn in turns(name, record(name, text))] == typed


def test_the_same_words_twice_are_two_prompts() -> None:
    """Codex writes each prompt twice, and a person may say it twice."""
    said = [event("user_message", message="go on"), record("codex", "go on")]
    assert [turn.text for turn in turns("codex", *said, *said)] == ["go on", "go on"]
