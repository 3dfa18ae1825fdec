"""Prompts beside what programs write, in every format of the command line: the prompt stays, a tag in prose, too."""

from __future__ import annotations

from typing import Any

import planted_shapes
import pytest
from codex_lines import event, item
from fold_lines import feed, turns
from planted_talk import PLACES

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


# Of every other assistant that frames a prompt, where the person's words stand.
PROMPTS = {
    **dict.fromkeys(("pi", "kimi", "antigravity", "droid", "vibe", "cursor", "amp", "kiro", "grok-build"), "prompt"),
    **dict.fromkeys(("qwen", "zed", "crush", "opencode"), "text"),
    **dict.fromkeys(("forge", "devin"), "content"),
    **{"cline": "prompt", "goose": "block", "warp": "query", "junie": "shown", "openhands": "prompt"},
}
BLOCK = "<system-reminder>\nBe quick.\n</system-reminder>"
BESIDE = {
    f"{BLOCK}\nFix it.": "Fix it.",
    f"{BLOCK}\n\n{BLOCK}\n\nFix it.": "Fix it.",
    f"Fix it.\n\n{BLOCK}": "Fix it.",
    "Fix it.\n\n<environment_details>\n# Time\n</environment_details>": "Fix it.",
    '<user_input mode="act">Fix it.</user_input>': "Fix it.",
    f"<task>\nFix it.\n</task>\n{BLOCK}": "Fix it.",
    "<user_query>\nWhat does <user_query> do?\n</user_query>": "What does <user_query> do?",
    BLOCK: "",
    "What is <system-reminder> in my log?": "What is <system-reminder> in my log?",
    "<system-reminder> is in my log, why?": "<system-reminder> is in my log, why?",
    **{text: text for text in ("<system-reminder>x</system-reminder> is in my log, why?",)},
    "<task> is never closed\nmy words": "<task> is never closed\nmy words",
    "<timestamp>12:00</timestamp> is wrong": "<timestamp>12:00</timestamp> is wrong",
    "<div>\nhello\n</div>\nwhy?": "<div>\nhello\n</div>\nwhy?",
}


@pytest.mark.parametrize("name", PROMPTS)
def test_blocks_beside_a_prompt_go_and_all_else_stays(name: str) -> None:
    """Only what is closed and where a program puts it; a tag that a sentence names is the person's."""
    for text, typed in BESIDE.items():
        told: Any = {"type": "text", "text": text} if name == "grok-build" else text
        found = [turn.text for turn in turns(name, *PLACES[name][PROMPTS[name]](told)) if turn.text]
        assert found == [typed] * bool(typed), text


@pytest.mark.parametrize(("name", "place"), [("lm-studio", "content"), ("librechat", "text"), ("jan", "content")])
def test_a_chat_program_frames_nothing(name: str, place: str) -> None:
    """What looks like a frame there was pasted."""
    for text in BESIDE:
        assert [turn.text for turn in turns(name, *PLACES[name][place](text))] == [text]


def test_the_same_words_twice_are_two_prompts() -> None:
    """Codex writes each prompt twice, and a person may say it twice."""
    said = [event("user_message", message="go on"), record("codex", "go on")]
    assert [turn.text for turn in turns("codex", *said, *said)] == ["go on", "go on"]


GEMINI_SHELL = (
    "I ran the following shell command:\n```sh\nmake -n\n```\n\nThis produced the following result:\n```\ncc\n```"
)


@pytest.mark.parametrize(
    ("name", "place", "text", "typed"),
    [
        ("claude-code", "prompt", "<bash-input>make -n</bash-input>", "!make -n"),
        ("claude-code", "prompt", "<user-memory-input>tabs, always</user-memory-input>", "# tabs, always"),
        ("gemini", "prompt", GEMINI_SHELL, "!make -n"),
        ("gemini", "prompt", "I ran the following shell command: make. It fails.", None),
        ("codex", "prompt", "What is <user_shell_command> for?", None),
        ("claude-code", "prompt", "What is <user-memory-input>x</user-memory-input> for?", None),
    ],
)
def test_what_is_typed_behind_a_mark_is_a_prompt(name: str, place: str, text: str, typed: str | None) -> None:
    """A command of the shell without what it printed, a note to be remembered; in a sentence they are words."""
    found = [turn for one in feed(name, *planted_shapes.PLACES[name][place](text)) for turn in one.turns]
    assert [(turn.role, turn.text) for turn in found] == [("user", text if typed is None else typed)]
