"""Find the assistant's words in tool calls: questions, messages, plans shown for approval, and artifacts.

Questions and messages belong to the exchange. Plans and artifacts are texts of their own, told apart by kind.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from importer.formats._shared.words import listed, pieces
from importer.formats.claude_code import lines
from importer.formats.claude_code.lines import Block, Input

QUESTION_TOOLS = frozenset(("askuserquestion", "ask_user_question"))
MESSAGE_TOOLS = frozenset(("sendusermessage", "brief"))
PLAN_TOOLS = frozenset(("exitplanmode", "exit_plan_mode", "exitplanmodev2"))
ARTIFACT_TOOLS = frozenset(
    ("artifact", "artifacts", "create_artifact", "update_artifact", "rewrite_artifact", "canvas", "create_document")
)
# A plan stands behind one of these in the result of showing it; the person may have edited it.
PLAN_STARTS = ("## Approved Plan:\n", "## Approved Plan (edited by user):\n", "Rejected plan:\n")
PLAN_RESULTS = ("User has approved your plan", "The agent proposed a plan")
_plan_file = re.compile(r"[/\\]\.claude[/\\]plans[/\\][^/\\]+\.md\Z")


def shows(call: Block) -> bool:
    """Return True if a call may show something to the person, from the tool's name: few do."""
    return _may_show(call.name or "")


def spoken(calls: Sequence[Block]) -> list[str]:
    """Return what calls say to the person within the exchange: questions with their options, and messages."""
    said: list[str] = []
    for call in calls:
        name = _tool(call)
        if name in QUESTION_TOOLS:
            said += _questions(lines.loose(lines.input_of(call).questions))
        elif name in MESSAGE_TOOLS:
            said += lines.texts(lines.input_of(call).message)
    return said


def plans(calls: Sequence[Block]) -> list[str]:
    """Return the plans that calls show for approval, or write into the folder of plans."""
    found: list[str] = []
    for call in calls:
        if _tool(call) in PLAN_TOOLS:
            found += lines.texts(lines.input_of(call).plan)
        elif call.name == "Write":
            given = lines.input_of(call)
            found += lines.texts(given.content) if _writes_plan(given) else ()
    return [plan.strip() for plan in found if plan.strip()]


def plan_in(block: Block) -> str:
    """Return the plan in the result of showing it, "" for other results."""
    text = "\n".join(lines.texts(block.content)).strip()
    if not text.startswith(PLAN_RESULTS):
        return ""
    return next((text.partition(start)[2].strip() for start in PLAN_STARTS if start in text), "")


def artifacts(calls: Sequence[Block]) -> list[str]:
    """Return the documents that calls make for the person to look at, each under its title."""
    return [text for call in calls if _tool(call) in ARTIFACT_TOOLS and (text := _artifact(lines.input_of(call)))]


def is_lost(call: Block) -> bool:
    """Return True if a call shows something in a shape that not all words are found in."""
    name, given = _tool(call), lines.input_of(call)
    if name in QUESTION_TOOLS:
        asked = _asked(lines.loose(given.questions))
        return not _has_input(call) or not asked or not all(map(_is_whole, asked))
    held = (given.plan, given.message, *_documents(given)) if name != "write" or _writes_plan(given) else ()
    return not _has_input(call) or any(map(lines.is_lost, held)) or bool(pieces(given.title).unknown)


def _artifact(given: Input) -> str:
    """Return one document: its title, then what it holds."""
    held = [text for raw in _documents(given) for text in lines.texts(raw)]
    return "\n\n".join([*pieces(given.title).texts, *held]) if held else ""


def _has_input(call: Block) -> bool:
    """Return True if the input of a call can be read."""
    return not (isinstance(call.input, str) and call.input) or lines.input_of(call) != Input()


def _documents(given: Input) -> tuple[msgspec.Raw, ...]:
    """Return the members of a call that hold a document."""
    return given.content, given.text, given.html, given.code


def _writes_plan(given: Input) -> bool:
    """Return True if a call writes into the folder of plans."""
    return isinstance(given.file_path, str) and _plan_file.search(given.file_path) is not None


def _tool(call: Block) -> str:
    """Return the tool that a call names."""
    return _tool_named(call.name or "")


def _tool_named(name: str) -> str:
    """Return a tool's name without the server it comes from, in small letters."""
    return name.rpartition("__")[2].lower()


@functools.lru_cache(maxsize=256)
def _may_show(name: str) -> bool:
    """Return True if a tool of this name may show something to the person."""
    return name == "Write" or _tool_named(name) in QUESTION_TOOLS | MESSAGE_TOOLS | PLAN_TOOLS | ARTIFACT_TOOLS


def _questions(value: Any) -> list[str]:
    """Return each question with its options, one a line."""
    return [text for question in _asked(value) if (text := _question(question))]


def _asked(value: Any) -> list[Any]:
    """Return the questions: a list of them may be JSON in a string, or one object."""
    if isinstance(value, str):
        return _asked(lines.loose(msgspec.Raw(value.encode("utf-8", "replace")))) or [value]
    return listed(value)


def _is_whole(question: Any) -> bool:
    """Return True if all of a question can be read."""
    found = pieces(question.get("question") if isinstance(question, dict) else question)
    return bool(found.texts) and not found.unknown


def _question(question: Any) -> str:
    """Return a question and its options as text."""
    if not isinstance(question, dict):
        return "\n".join(pieces(question).texts)
    options = question.get("options")
    offered = [_option(option) for option in options] if isinstance(options, list) else []
    return "\n".join([*pieces(question.get("question")).texts, *(f"- {option}" for option in offered if option)])


def _option(option: Any) -> str:
    """Return an option as text: its label, and what it means."""
    if not isinstance(option, dict):
        return "\n".join(pieces(option).texts)
    return ": ".join([*pieces(option.get("label")).texts, *pieces(option.get("description")).texts])
